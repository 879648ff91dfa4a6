"""Answers that are well-formed, or nearly, and wrong in what they say."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Reader
from tests.sandboxes import Running

Body = dict[str, Any]
WINDOW = {"since": "2026-10-01T00:00:00Z", "until": "2026-10-08T00:00:00Z"}


@pytest.fixture
def spoilt(reader: Reader, sandbox: Running) -> Callable[..., bytes]:
    """The bytes of the first users, once spoilt in that way."""

    def answer(kind: str, **settings: Any) -> bytes:
        sandbox.fault(path="/users", kind=kind, **settings)
        got = reader.get("/users", limit=3, total="true")
        assert got.status_code == 200
        assert int(got.headers["content-length"]) == len(got.content)
        return got.content

    return answer


@pytest.fixture
def good(reader: Reader) -> Body:
    """The same users, as they are."""
    told: Body = reader.get("/users", limit=3, total="true").json()
    return told


def test_wrong_types_are_wrong_everywhere_and_always_the_same(
    spoilt: Callable[..., bytes], good: Body
) -> None:
    first, again = (json.loads(spoilt("wrong_types")) for _ in range(2))
    assert first == again
    for row, was in zip(first["users"], good["users"], strict=True):
        for name, value in was.items():
            assert value is None or type(row[name]) is not type(value), name
    assert isinstance(first["users"][0]["id"], int)
    assert isinstance(first["users"][0]["teams"], dict)


def test_a_role_nobody_knows_leaves_the_rest_as_it_was(
    spoilt: Callable[..., bytes], good: Body
) -> None:
    told = json.loads(spoilt("unknown_role", word="wizard"))
    assert {row["role"] for row in told["users"]} == {"wizard"}
    for row in (*told["users"], *good["users"]):
        del row["role"]
    assert told == good


@pytest.mark.parametrize("path", ["/notifications", "/log_entries"])
def test_a_channel_nobody_knows_is_the_only_one(
    reader: Reader, sandbox: Running, path: str
) -> None:
    sandbox.fault(path=path, kind="unknown_channel", word="telex")
    told = reader.get(path, **WINDOW, limit=100).json()
    rows = told[path.removeprefix("/")]
    if path == "/notifications":
        types = {row["type"] for row in rows}
        assert types == {"telex_notification"}
    else:
        sent = [row for row in rows if "notification" in row["channel"]]
        assert {row["channel"]["notification"]["type"] for row in sent} == {"telex"}


def test_bytes_that_are_no_utf_8_are_no_utf_8(spoilt: Callable[..., bytes]) -> None:
    body = spoilt("bad_utf8")
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    assert len(json.loads(body.decode(errors="replace"))["users"]) == 3


def test_a_byte_order_mark_comes_before_the_same_json(
    spoilt: Callable[..., bytes], good: Body
) -> None:
    body = spoilt("bom")
    assert body.startswith(b"\xef\xbb\xbf")
    assert json.loads(body.decode("utf-8-sig")) == good


def test_deep_json_is_too_deep_to_read(spoilt: Callable[..., bytes], good: Body) -> None:
    body = spoilt("deep")
    assert b"[" * 200_000 + b"]" * 200_000 in body
    with pytest.raises(RecursionError):
        json.loads(body)
    shallow = json.loads(spoilt("deep", levels=3))
    assert shallow.pop("deep") == [[[]]]
    assert shallow == good


def test_numbers_that_are_none_are_written_as_nan(spoilt: Callable[..., bytes]) -> None:
    constants: list[str] = []
    json.loads(spoilt("nan"), parse_constant=constants.append)
    assert set(constants) == {"NaN"}
    assert len(constants) >= 3  # limit, offset and total


def test_doubled_keys_are_empty_the_second_time(spoilt: Callable[..., bytes]) -> None:
    body = spoilt("duplicate_keys")
    pairs = json.loads(body, object_pairs_hook=list)
    assert [len(value) for name, value in pairs if name == "users"] == [3, 0]


@pytest.mark.parametrize(("kind", "ending"), [("lone_surrogate", "\ud800"), ("nul", "\0")])
def test_names_can_hold_what_they_should_not(
    spoilt: Callable[..., bytes], good: Body, kind: str, ending: str
) -> None:
    told = json.loads(spoilt(kind))
    names = [row["name"] + ending for row in good["users"]]
    assert [row["name"] for row in told["users"]] == names


def test_keys_can_be_missing(spoilt: Callable[..., bytes], good: Body) -> None:
    assert json.loads(spoilt("no_more_key")).keys() == good.keys() - {"more"}
    assert json.loads(spoilt("missing_key")).keys() == good.keys() - {"users"}
    rows = json.loads(spoilt("missing_key", key="email"))["users"]
    assert [row.keys() for row in rows] == [row.keys() - {"email"} for row in good["users"]]


def test_totals_can_be_null_or_shrink(spoilt: Callable[..., bytes], good: Body) -> None:
    assert json.loads(spoilt("total_null"))["total"] is None
    spoilt("total_shrinks", times=2)
    # the fault above has one strike left and comes before the next
    assert json.loads(spoilt("total_shrinks"))["total"] == good["total"] - 2


def test_an_error_is_not_spoilt_further(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users/*", kind="wrong_types")
    answer = reader.get("/users/PNOBODY")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, 2100)


def test_there_can_be_more_for_ever(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", kind="more_forever", times=None)
    pages = [reader.get("/users", limit=100, offset=offset).json() for offset in (0, 200, 300)]
    assert [page["more"] for page in pages] == [True] * 3
    assert pages[2]["users"] == pages[1]["users"] != []
    beyond = reader.get("/users", limit=100, offset=10_000)
    assert (beyond.status_code, beyond.json()["users"]) == (200, pages[1]["users"])


def test_the_offset_can_be_ignored(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", kind="ignore_offset", times=None)
    first, later = (reader.get("/users", limit=10, offset=offset).json() for offset in (0, 50))
    assert first == later
    assert len(first["users"]) == 10
    asked = [request["query"] for request in sandbox.requests("/us/users")]
    assert asked == ["limit=10&offset=0", "limit=10&offset=50"]


def test_a_row_can_come_twice_and_none_is_lost(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", kind="repeat_row", times=None)
    pages: list[Body] = []
    while not pages or pages[-1]["more"]:
        offset = sum(len(page["users"]) for page in pages)
        pages.append(reader.get("/users", limit=100, offset=offset).json())
        assert pages[-1]["offset"] == offset
    for page, following in itertools.pairwise(pages):
        assert page["users"][-1] == following["users"][0]
    ids = {row["id"] for page in pages for row in page["users"]}
    assert ids == {member["id"] for member in sandbox.truth()["members"]}


@pytest.mark.parametrize("limit", [500, 10**8])
def test_a_row_comes_twice_also_where_more_rows_are_wanted_than_a_page_has(
    reader: Reader, sandbox: Running, limit: int
) -> None:
    sandbox.fault(path="/users", kind="repeat_row", times=None)
    first, second, third = (
        reader.get("/users", limit=limit, offset=offset).json() for offset in (0, 100, 200)
    )
    assert first["users"][-1] == second["users"][0]
    assert second["users"][-1] == third["users"][0]


def test_a_page_with_a_row_twice_is_narrowed_as_it_was_asked_for(
    reader: Reader, sandbox: Running
) -> None:
    teams = [row["id"] for row in reader.all("/teams", "teams")]
    sandbox.fault(path="/users", kind="repeat_row", times=None)
    asked: dict[str, Any] = {"team_ids[]": teams, "include[]": ["teams", "subdomains"]}
    told = reader.get("/users", **asked, limit=5, offset=5, total="true").json()
    sandbox.clear_faults()
    sandbox.fault(rate_limit=100_000)
    good = reader.get("/users", **asked, limit=5, offset=4, total="true").json()
    assert (told["total"], told["users"]) == (good["total"], good["users"])


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize("value", ["9" * 5_000, "-1", "\u00b2", ""])
def test_a_nonsensical_page_is_refused_by_the_vendor_under_a_fault_as_well(
    reader: Reader, sandbox: Running, name: str, value: str
) -> None:
    good = reader.get("/users", **{name: value})
    sandbox.fault(path="/users", kind="repeat_row")
    assert reader.get("/users", **{name: value}).status_code == good.status_code == 400


@pytest.mark.parametrize("kind", ["ignore_offset", "repeat_row", "twice"])
@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000, "1" * 5_000, "{", "\ud800"])
def test_a_nonsensical_question_is_refused_by_the_vendor_under_a_fault_as_well(
    reader: Reader, sandbox: Running, kind: str, body: str
) -> None:
    sandbox.fault(path="/analytics/*", kind=kind)
    sent = body.encode("utf-8", "surrogatepass")
    assert reader.http.post("/analytics/raw/users", content=sent).status_code == 400


@pytest.mark.parametrize("body", [{}, [], None, "text", 7, {"users": None}])
def test_any_json_can_come_instead(reader: Reader, sandbox: Running, body: Any) -> None:
    sandbox.fault(path="/users", kind="json", body=body)
    answer = reader.get("/users")
    assert (answer.status_code, answer.json()) == (200, body)


@pytest.mark.parametrize("kind", ["html", "truncate", "not_json", "empty"])
def test_a_broken_answer_is_a_whole_answer_for_http(
    spoilt: Callable[..., bytes], kind: str
) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(spoilt(kind))


def test_a_page_says_that_it_is_one(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", kind="html")
    assert reader.get("/users").headers["content-type"] == "text/html"
