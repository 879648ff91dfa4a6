"""Faults in what an answer says: it is well-formed JSON, or nearly, and wrong."""

import json
import zlib
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from .scripted import Fault
from .strike import Answer, Strike

Body = dict[str, Any]
MARK: Final = "\ue000"  # stands for bytes that no text can hold, until the text is bytes
NOT_UTF8: Final = b"\xff\xfe\xc3("
NAMES: Final = ("name", "summary", "title", "email")
PLACES: Final = ("offset", "cursor")
LIMIT: Final = 25  # rows of a page, unless the client wants another number
HIGHEST: Final = 100  # rows that any page has, whatever the client wants
DIGITS: Final = 10  # a number of so many or more is refused


async def changed(strike: Strike, change: Callable[[Body, Fault], None]) -> None:
    """Gives the good answer after `change` was made to what it says."""

    def spell(body: Body, fault: Fault) -> bytes:
        change(body, fault)
        return dump(body)

    await respelt(strike, spell)


async def respelt(strike: Strike, spell: Callable[[Body, Fault], bytes]) -> None:
    """Gives the good answer in other bytes; an error stays as it is."""
    good = await strike.good()
    body = good.json()
    if good.status < 300 and isinstance(body, dict):
        good.body = spell(body, strike.fault)
    await strike.pause()
    await strike.give(good)


def dump(body: Any) -> bytes:
    """Compact JSON; NaN and lone surrogates are written as they are."""
    return json.dumps(body, separators=(",", ":")).encode()


def rows_of(body: Body) -> tuple[str, list[Body]]:
    """The name of what the answer is about and its rows: one, where it is about one thing."""
    for name, value in body.items():
        if isinstance(value, list):
            return name, [row for row in value if isinstance(row, dict)]
    for name, value in body.items():
        if isinstance(value, dict):
            return name, [value]
    return "", []


def wrong_types(body: Body, _fault: Fault) -> None:
    """Every value of a row becomes one of another type, always the same."""
    for row in rows_of(body)[1]:
        for name, value in row.items():
            row[name] = _other_type(value)


def unknown_role(body: Body, fault: Fault) -> None:
    """Every role becomes a word that nobody knows."""
    for row in rows_of(body)[1]:
        if "role" in row:
            row["role"] = fault.word or "galley_slave"


def unknown_channel(body: Body, fault: Fault) -> None:
    """Every notification was sent by a channel that nobody knows."""
    word = fault.word or "carrier_pigeon"
    for row in rows_of(body)[1]:
        if str(row.get("type")).endswith("_notification"):
            row["type"] = f"{word}_notification"
        channel = row.get("channel")
        sent = channel.get("notification") if isinstance(channel, dict) else None
        if isinstance(sent, dict):
            sent["type"] = word


def lone_surrogate(body: Body, _fault: Fault) -> None:
    """Half a character in every name."""
    for row, name in _named(body):
        row[name] += "\ud800"


def nul(body: Body, _fault: Fault) -> None:
    """A NUL in every name."""
    for row, name in _named(body):
        row[name] += "\0"


def nan(body: Body, _fault: Fault) -> None:
    """Every number is NaN; one is added where there is none."""
    found = False
    for place in (body, *rows_of(body)[1]):
        for name, value in place.items():
            if type(value) in (int, float):
                place[name], found = float("nan"), True
    if not found:
        body["number"] = float("nan")


def no_more_key(body: Body, _fault: Fault) -> None:
    """The page does not say whether there are more."""
    body.pop("more", None)
    body.pop("next_cursor", None)


def missing_key(body: Body, fault: Fault) -> None:
    """A key is not there: the rows themselves, or the one that is named."""
    key = fault.key or rows_of(body)[0]
    for place in (body, *rows_of(body)[1]):
        place.pop(key, None)


def total_null(body: Body, _fault: Fault) -> None:
    """The total is null though it was asked for."""
    body["total"] = None


def total_shrinks(body: Body, fault: Fault) -> None:
    """The total is one less with every page."""
    if isinstance(body.get("total"), int):
        body["total"] = max(0, body["total"] - fault.struck)


def bad_utf8(body: Body, _fault: Fault) -> bytes:
    """Bytes in every name that are no UTF-8."""
    for row, name in _named(body):
        row[name] += MARK
    spelt = json.dumps(body, ensure_ascii=False).encode()
    marked = spelt if MARK.encode() in spelt else spelt[:-1] + f', "name": "{MARK}"}}'.encode()
    return marked.replace(MARK.encode(), NOT_UTF8)


def bom(body: Body, _fault: Fault) -> bytes:
    """A byte order mark before the JSON."""
    return b"\xef\xbb\xbf" + dump(body)


def deep(body: Body, fault: Fault) -> bytes:
    """One value more, nested deeper than most can read."""
    return _with(body, "deep", b"[" * fault.levels + b"]" * fault.levels)


def duplicate_keys(body: Body, _fault: Fault) -> bytes:
    """The rows come twice, the second time empty."""
    name = rows_of(body)[0] or "again"
    return _with(body, name, b"[]" if isinstance(body.get(name), list) else b"{}")


async def more_forever(strike: Strike) -> None:
    """There is always more; past the end the last page is repeated."""
    good = await strike.good()
    kept, path = strike.fault.kept, strike.scope["path"]
    body, refused = good.json(), good.status == HTTPStatus.BAD_REQUEST  # a place past the end
    is_page = good.status < 300 and isinstance(body, dict)
    if is_page and rows_of(body)[1]:
        kept[path] = body
    elif path in kept and (is_page or refused):
        body, good = kept[path], Answer.made(200, b"", "application/json", {})
    if isinstance(body, dict) and good.status < 300:
        if "next_cursor" in body:
            body["next_cursor"] = body["next_cursor"] or f"again-{strike.fault.struck}"
        else:
            body["more"] = True
        good.body = dump(body)
    await strike.pause()
    await strike.give(good)


async def ignore_offset(strike: Strike) -> None:
    """Always the first page, whatever page was asked for."""
    asked = _asked(strike)
    _ask(strike, [(name, value) for name, value in asked if name not in PLACES])
    await _starts_after(strike, forget=True)
    await changed(strike, lambda _body, _fault: None)


async def repeat_row(strike: Strike) -> None:
    """The last row of a page comes again as the first of the next, as if one had been added."""
    asked, path = _asked(strike), strike.scope["path"]
    named = dict(asked)
    offset = _count(named.get("offset"), 0)
    limit = min(_count(named.get("limit"), LIMIT), HIGHEST)
    follows = bool(named.get("cursor")) or await _starts_after(strike)
    pages = -(-offset // limit)  # before this one, and each has pushed one row down
    if pages:
        others = [(name, value) for name, value in asked if name != "offset"]
        _ask(strike, [*others, ("offset", str(max(0, offset - pages)))])

    def repeat(body: Body, fault: Fault) -> None:
        name, rows = rows_of(body)
        last, fault.kept[path] = fault.kept.get(path), rows[-1] if rows else None
        if pages:
            body["offset"] = offset
        elif last and follows and isinstance(body.get(name), list):
            body[name].insert(0, last)

    await changed(strike, repeat)


def _count(text: str | None, default: int) -> int:
    """That number; the default for what is none, or longer than the vendor reads."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) < DIGITS):
        return default
    return int(text) or default


def _other_type(value: Any) -> Any:
    match value:
        case bool():
            return int(value)
        case int() | float():
            return str(value)
        case str():
            return zlib.crc32(value.encode("utf-8", "surrogatepass"))
        case list():
            return {str(place): item for place, item in enumerate(value)}
        case dict():
            return list(value.values())
        case _:
            return value


def _named(body: Body) -> Iterator[tuple[Body, str]]:
    for row in rows_of(body)[1]:
        name = next((name for name in NAMES if isinstance(row.get(name), str)), None)
        if name is not None:
            yield row, name


def _with(body: Body, name: str, value: bytes) -> bytes:
    comma = b"," if body else b""
    return dump(body)[:-1] + comma + json.dumps(name).encode() + b":" + value + b"}"


def _asked(strike: Strike) -> list[tuple[str, str]]:
    return parse_qsl(strike.scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _ask(strike: Strike, asked: list[tuple[str, str]]) -> None:
    strike.scope["query_string"] = urlencode(asked).encode()


async def _starts_after(strike: Strike, *, forget: bool = False) -> bool:
    """Whether a posted query goes on after an earlier page, as analytics do."""
    if strike.scope["method"] != "POST":
        return False
    sent = await strike.posted()
    try:
        wanted = json.loads(sent)
        follows = isinstance(wanted, dict) and bool(wanted.get("starting_after"))
        if follows and forget:
            del wanted["starting_after"]
            strike.post(json.dumps(wanted).encode())
    except (ValueError, RecursionError):  # what is wrong with it, the vendor says
        return False
    return follows
