"""What browsers load: collected without anybody's doing, named by its content, compressed, kept."""

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from seatwise import assets
from seatwise.middleware import Compressed
from tests.journey import programs
from tests.pages import rows

TEMPLATES = Path(assets.__file__).parent / "templates"
ASK = (
    "import django; django.setup(); from seatwise import assets; import sys;"
    "print(assets.folder(), flush=True); sys.stdin.read()"
)


@pytest.fixture
def home() -> Iterator[Path]:
    with programs.home() as path:
        yield path


def starting(home: Path, **settings: str) -> "subprocess.Popen[str]":
    """A program that serves the files until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", ASK],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        | {"SEATWISE_DATA_DIR": str(home), **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def started(program: "subprocess.Popen[str]") -> Path:
    assert program.stdout is not None
    return Path(program.stdout.readline().strip())


def ended(program: "subprocess.Popen[str]") -> tuple[int, str]:
    _said, complained = program.communicate(timeout=programs.PATIENCE)
    return program.returncode, complained


def folders(home: Path) -> set[str]:
    return {path.name for path in home.iterdir() if path.is_dir()}


def files_of(client: Client, address: str) -> list[str]:
    return re.findall(r'"(/static/[^"]+)"', client.get(address).content.decode())


def fetched(client: Client, file: str, **headers: str) -> tuple[Mapping[str, str], bytes]:
    answer = client.get(file, headers=headers)
    assert answer.status_code == 200, file
    assert isinstance(answer, StreamingHttpResponse)
    content = b"".join(cast("Iterator[bytes]", answer.streaming_content))
    answer.close()
    return answer.headers, content


def test_what_a_page_loads_is_named_by_its_content_and_may_be_kept_for_ever(
    as_admin: Client,
) -> None:
    rows.connection(rows.service())
    found = {
        file
        for address in ("/", "/services/pagerduty/", "/services/pagerduty/members/")
        for file in files_of(as_admin, address)
    }
    assert any("echarts" in file for file in found)
    for file in found:
        headers, _content = fetched(as_admin, file)
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", file), file
        assert "immutable" in headers["Cache-Control"], file
        assert "Set-Cookie" not in headers, file


def test_text_comes_compressed_to_whoever_can_unpack_it(db: None) -> None:
    client = Client()
    for name in ("css/base.css", "npm/htmx/htmx.min.js", "img/logo.svg"):
        file = f"/static/{assets.Hashed().stored_name(name)}"
        _headers, plain = fetched(client, file)
        headers, packed = fetched(client, file, **{"accept-encoding": "gzip"})
        assert headers["Content-Encoding"] == "gzip", name
        assert gzip.decompress(packed) == plain, name


def test_every_file_that_a_template_names_is_there_and_no_other_of_the_packages() -> None:
    named = {
        name
        for template in TEMPLATES.rglob("*.html")
        for name in re.findall(r"{% static '([^']+)' %}", template.read_text(encoding="utf-8"))
    }
    there = {path.relative_to(assets.folder()).as_posix() for path in assets.folder().rglob("*.*")}
    known = assets.Hashed().hashed_files
    assert {known.get(name) for name in named} <= there
    assert {name for name in known if name.startswith("npm/")} == assets.FROM_NPM.keys()


def test_a_style_leads_to_the_fonts_by_their_names() -> None:
    style = assets.folder() / assets.Hashed().stored_name("css/base.css")
    fonts = re.findall(r'url\("([^"]+)"\)', style.read_text(encoding="utf-8"))
    assert fonts
    for font in fonts:
        assert re.search(r"\.[0-9a-f]{12}\.woff2$", font)
        assert (style.parent / font).is_file()


def test_programs_that_start_at_once_make_one_folder(home: Path) -> None:
    several = [starting(home) for _ in range(3)]
    places = {started(program) for program in several}
    assert len(places) == 1
    assert folders(home) == {place.name for place in places}
    assert [ended(program) for program in several] == [(0, "")] * 3


def test_an_older_folder_stays_while_it_is_served_and_is_removed_by_the_next_program(
    home: Path,
) -> None:
    first = starting(home)
    place = started(first)
    older = place.rename(home / "static-older")
    place.with_name(f"{place.name}.lock").rename(home / "static-older.lock")
    second = starting(home)
    newer = started(second)
    assert folders(home) == {older.name, newer.name}
    assert ended(first) == (0, "")
    third = starting(home)
    assert started(third) == newer
    assert folders(home) == {newer.name}
    assert [ended(program) for program in (second, third)] == [(0, "")] * 2


def test_what_a_killed_start_left_behind_is_removed(home: Path) -> None:
    (home / "new-static-half").mkdir()
    program = starting(home)
    place = started(program)
    assert folders(home) == {place.name}
    assert ended(program) == (0, "")


def test_without_a_data_directory_the_files_are_elsewhere_until_the_end(home: Path) -> None:
    (home / "file").touch()
    program = starting(home / "file", TMPDIR=str(home))
    place = started(program)
    assert place.is_relative_to(home)
    assert (place / "staticfiles.json").is_file()
    assert ended(program) == (0, "")
    assert folders(home) == set()


def test_without_the_front_end_packages_the_start_says_what_is_missing(home: Path) -> None:
    program = starting(home, SEATWISE_NODE_MODULES=str(home))
    code, complained = ended(program)
    assert code == 1
    assert complained.startswith("seatwise: SEATWISE_NODE_MODULES lacks ")
    assert complained.count("\n") == 1
    assert folders(home) == set()


def asking() -> HttpRequest:
    return RequestFactory().get("/", headers={"accept-encoding": "gzip"})


def test_a_page_is_compressed_to_a_length_that_tells_nothing() -> None:
    page = Compressed(lambda _request: HttpResponse("a page " * 1000))
    answers = [cast("HttpResponse", page(asking())) for _ in range(20)]
    assert {answer.headers["Content-Encoding"] for answer in answers} == {"gzip"}
    assert len({len(answer.content) for answer in answers}) > 1


def test_a_file_is_compressed_as_it_comes_and_one_that_is_packed_stays_as_it_is() -> None:
    drawn = []

    def lines() -> Iterator[bytes]:
        for number in range(1000):
            drawn.append(number)
            yield b"a line with some words in it %d\r\n" % number * 1000

    def answer(kind: str) -> StreamingHttpResponse:
        streamed = StreamingHttpResponse(lines(), content_type=kind)
        found = Compressed(lambda _request: streamed)(asking())
        assert isinstance(found, StreamingHttpResponse)
        return found

    text = answer("text/csv; charset=utf-8; header=present")
    assert drawn == []
    for _part, packed in zip(range(3), text, strict=False):
        assert packed
    assert 0 < len(drawn) < 1000
    assert text.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in answer("application/vnd.openxmlformats").headers
