"""What browsers load beside pages: named by what is in it, compressed, and kept by them for ever.

Nobody runs a command for that. Whoever serves pages first after something changed makes a folder of
them in the data directory; any number of programs may start at once, and the last one that used an
older folder has left it to the next to remove.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

from seatwise import database

OURS = Path(__file__).parent / "static"
FROM_NPM: Mapping[str, str] = {  # the name that templates use: its place in node_modules
    "npm/htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "npm/echarts/echarts.common.min.js": "echarts/dist/echarts.common.min.js",
    **{
        f"npm/inter/{name}": f"@fontsource-variable/inter/files/{name}"
        for name in ("inter-latin-wght-normal.woff2", "inter-latin-ext-wght-normal.woff2")
    },
}
# What pages draw on the server: not served, and not to be missed without a word.
DRAWN = ("lucide-static/icons/search.svg", "simple-icons/data/simple-icons.json")
SHAPE = b"1"  # of a folder; raised where the same files would make another one
PREFIX = "static-"
_held: list[int] = []  # for as long as this program lives


class Served(WhiteNoiseMiddleware):  # type: ignore[misc]  # it carries no types
    """Answers for the files; one whose name tells what is in it may be kept for ever."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        self.add_files(str(folder()), prefix=self.static_prefix)

    def immutable_file_test(self, _path: str, url: str) -> bool:
        return url.removeprefix(str(self.static_prefix)) in _hashed_names()


class Hashed(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it carries no types
    """Knows the names that the files have in the folder."""

    support_js_module_import_aggregation = True
    keep_only_hashed_files = True

    def __init__(self, location: Path | None = None) -> None:
        super().__init__(location=location or folder())


@cache
def folder() -> Path:
    """Where the files are, collected if they are not yet; its name tells what is in them.

    Stops the program with one line where a file is missing.
    """
    files = _files()
    with _alone_in(_home()) as home:
        place = home / f"{PREFIX}{_fingerprint(files)}"
        if not place.exists():
            fresh = Path(tempfile.mkdtemp(prefix=f"new-{PREFIX}", dir=home))
            _collect(files, fresh)
            fresh.chmod(0o755)
            fresh.rename(place)
        _hold(place)
        _remove_others(home, place)
    return place


@cache
def _hashed_names() -> frozenset[str]:
    return frozenset(Hashed().hashed_files.values())


def _files() -> dict[str, Path]:
    """{name: where it comes from}."""
    ours = {
        path.relative_to(OURS).as_posix(): path
        for path in sorted(OURS.rglob("*"))
        if path.is_file()
    }
    theirs = {name: settings.NODE_MODULES / path for name, path in FROM_NPM.items()}
    drawn = [settings.NODE_MODULES / path for path in DRAWN]
    missing = [str(path) for path in (*theirs.values(), *drawn) if not path.is_file()]
    if missing:
        raise SystemExit(
            f"seatwise: SEATWISE_NODE_MODULES lacks {missing[0]}: run `npm ci --ignore-scripts`."
        )
    return ours | theirs


def _fingerprint(files: Mapping[str, Path]) -> str:
    known = hashlib.sha256(SHAPE)
    for name, path in files.items():
        known.update(f"\n{name}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return known.hexdigest()[:16]


def _home() -> Path:
    """The data directory; one of our own, until we end, where there is none to be had.

    With a database of the operator's own nothing else needs it.
    """
    try:
        home = database.data_dir()
    except SystemExit:
        home = Path()
    if os.access(home, os.W_OK) and home != Path():
        return home
    ours = Path(tempfile.mkdtemp(prefix="seatwise-static-"))
    made_by = os.getpid()

    def remove() -> None:
        if os.getpid() == made_by:  # not when a process ends that was forked from this one
            shutil.rmtree(ours, ignore_errors=True)

    atexit.register(remove)
    return ours


@contextmanager
def _alone_in(home: Path) -> Iterator[Path]:
    with (home / "static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield home


def _collect(files: Mapping[str, Path], place: Path) -> None:
    for name, path in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place / name)
    storage = Hashed(place)
    given: dict[str, Any] = {name: (storage, name) for name in files}
    for _name, _hashed, processed in storage.post_process(given):
        if isinstance(processed, Exception):
            raise processed


def _hold(place: Path) -> None:
    """So that no other program removes it before we end, and all that are forked from us."""
    held = os.open(place.with_name(f"{place.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(held, fcntl.LOCK_SH)
    _held.append(held)


def _remove_others(home: Path, ours: Path) -> None:
    """What nobody serves any more, and what a program left behind that was killed at it."""
    for path in home.glob(f"{PREFIX}*.lock"):
        if path.stem == ours.name:
            continue
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            shutil.rmtree(home / path.stem, ignore_errors=True)
            path.unlink(missing_ok=True)
    for path in home.glob(f"new-{PREFIX}*"):
        shutil.rmtree(path, ignore_errors=True)
