"""The sandbox's bad days: every kind of fault by name, with what it means."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from . import rows, torn
from .scripted import GENERAL, SPECIAL, Fault
from .strike import Answer, Strike

__all__ = ["KINDS", "Fault", "Kind", "parse", "spoil"]

Spoil = Callable[[Strike], Awaitable[None]]
MESSAGES: Final[dict[int, tuple[str, int | None]]] = {
    400: ("Invalid Input Provided", 2001),
    401: ("Unauthorized", 2006),
    402: ("Account does not have the abilities to perform the action.", 2014),
    403: ("Access Denied", 2010),
    404: ("Not Found", 2100),
    408: ("Request Timeout", None),
    429: ("Rate Limit Exceeded", 2020),
    500: ("Internal Server Error", 2000),
    502: ("Bad Gateway", None),
    504: ("Gateway Timeout", None),
}
MAINTENANCE: Final = b"<!doctype html><title>Maintenance</title><h1>We will be back shortly</h1>"
JSON: Final = "application/json"
MADE: Final = frozenset({"status", "headers"})
CUT: Final = frozenset({"at_byte", "share"})


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: what it means, what it does, and which settings it has of its own."""

    meaning: str
    spoil: Spoil
    takes: frozenset[str] = frozenset()


async def spoil(strike: Strike) -> None:
    """Lets the fault happen to the request it has struck."""
    await KINDS[strike.fault.kind].spoil(strike)


def parse(wanted: Mapping[str, Any]) -> Fault:
    """A fault as posted. Raises ValueError with a plain sentence on anything not understood.

    Where `seconds` limit it, `times` do not unless they are given too.
    """
    kind = wanted.get("kind", "status")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"there is no kind of fault {kind!r}; there are {', '.join(KINDS)}")
    values: dict[str, Any] = {}
    for name, value in wanted.items():
        if name not in GENERAL and name not in SPECIAL:
            raise ValueError(f"a fault has no {name!r}")
        if name in SPECIAL and name not in KINDS[kind].takes:
            raise ValueError(f"a fault of the kind {kind} has no {name!r}")
        try:
            values[name] = (GENERAL.get(name) or SPECIAL[name])(value)
        except ValueError as wrong:
            raise ValueError(f"{name} {wrong}") from None
    if values.get("seconds") is not None:
        values.setdefault("times", None)
    if kind in STATUSES:
        values.setdefault("status", STATUSES[kind])
    return Fault(**values)


def _instead(make: Callable[[Fault], Answer]) -> Spoil:
    async def happen(strike: Strike) -> None:
        if strike.fault.perform:
            await strike.good()
        await strike.pause()
        await strike.give(make(strike.fault))

    return happen


def _status(fault: Fault) -> Answer:
    message, code = MESSAGES.get(fault.status, ("Service Unavailable", None))
    error = {"error": {"message": message, "code": code, "errors": None}}
    return _json(fault, error if fault.body is None else fault.body)


def _rate_limited(fault: Fault) -> Answer:
    limits = {
        "ratelimit-limit": "960",
        "ratelimit-remaining": "0",
        "ratelimit-reset": str(fault.reset),
    }
    return _status(replace(fault, headers=limits | fault.headers))


def _missing_scope(fault: Fault) -> Answer:
    refusal = {
        "message": "Token missing required scopes",
        "required_scopes": fault.word or "users.read",
        "token_scopes": "openid",
    }
    return _json(fault, {"error": refusal})


def _json(fault: Fault, body: Any) -> Answer:
    return Answer.made(fault.status, json.dumps(body).encode(), JSON, fault.headers)


def _text(body: bytes, kind: str = JSON) -> Spoil:
    return _instead(lambda fault: Answer.made(fault.status, body, kind, fault.headers))


def _changed(change: Callable[[rows.Body, Fault], None]) -> Spoil:
    return lambda strike: rows.changed(strike, change)


def _respelt(spell: Callable[[rows.Body, Fault], bytes]) -> Spoil:
    return lambda strike: rows.respelt(strike, spell)


STATUSES: Final = {  # of kinds that are no errors, or one error only
    "rate_limited": 429,
    "missing_scope": 403,
    "html": 200,
    "not_json": 200,
    "empty": 200,
    "json": 200,
}
KINDS: Final[dict[str, Kind]] = {
    "status": Kind(
        "an answer of that status (503), with an error as the vendor words it or your body",
        _instead(_status),
        MADE | {"body"},
    ),
    "rate_limited": Kind(
        "429 with rate limit headers that promise an end in `reset` seconds (30)",
        _instead(_rate_limited),
        frozenset({"reset", "headers"}),
    ),
    "missing_scope": Kind(
        "403 in the documented words; `word` is the missing scope (users.read)",
        _instead(_missing_scope),
        frozenset({"word", "headers"}),
    ),
    "html": Kind("a web page instead of JSON", _text(MAINTENANCE, "text/html"), MADE),
    "not_json": Kind(
        "a line of text that claims to be JSON", _text(b"upstream connect error"), MADE
    ),
    "empty": Kind("an answer without a body", _text(b""), MADE),
    "json": Kind(
        "your `body` instead of the answer: {}, [], null or anything else",
        _instead(lambda fault: _json(fault, fault.body)),
        MADE | {"body"},
    ),
    "twice": Kind(
        "somebody in between sends the request twice; the client gets the second answer",
        torn.twice,
    ),
    "slow": Kind("the work is done at once, the answer comes after `delay` seconds", torn.slow),
    "hang": Kind("no byte at all for `delay` seconds (60), then the connection closes", torn.hang),
    "reset": Kind("the connection is reset before the answer", torn.reset),
    "reset_body": Kind(
        "the connection is reset within the body, at `at_byte` or `share` (two thirds)",
        torn.reset_body,
        CUT,
    ),
    "truncate": Kind("JSON cut off at `at_byte` or `share`, its length right", torn.truncate, CUT),
    "truncate_length": Kind(
        "the body stops and the connection closes before the promised length",
        torn.truncate_length,
        CUT,
    ),
    "truncate_close": Kind(
        "no length is promised; the body is cut off and ends with the connection",
        torn.truncate_close,
        CUT,
    ),
    "trickle": Kind(
        "the right answer, `piece` bytes (16) at a time, `delay` seconds (0.05) between them",
        torn.trickle,
        frozenset({"piece"}),
    ),
    "endless": Kind(
        "a body that goes on for `size` bytes (512 MiB) unless the client goes first",
        torn.endless,
        frozenset({"size"}),
    ),
    "gzip_bomb": Kind(
        "a small compressed body that unpacks to `size` bytes (256 MiB)",
        torn.gzip_bomb,
        frozenset({"size"}),
    ),
    "wrong_types": Kind(
        "in every row texts become numbers, numbers texts, lists objects and objects lists",
        _changed(rows.wrong_types),
    ),
    "unknown_role": Kind(
        "everybody has a role that nobody knows (`word`)",
        _changed(rows.unknown_role),
        frozenset({"word"}),
    ),
    "unknown_channel": Kind(
        "notifications were sent by a channel that nobody knows (`word`)",
        _changed(rows.unknown_channel),
        frozenset({"word"}),
    ),
    "missing_key": Kind(
        "the rows are missing, or whatever `key` names",
        _changed(rows.missing_key),
        frozenset({"key"}),
    ),
    "no_more_key": Kind("the page does not say whether there is more", _changed(rows.no_more_key)),
    "total_null": Kind("the total is null though it was asked for", _changed(rows.total_null)),
    "total_shrinks": Kind("the total is one less with every page", _changed(rows.total_shrinks)),
    "more_forever": Kind(
        "there is always more; past the end the last page is repeated", rows.more_forever
    ),
    "ignore_offset": Kind("always the first page, whichever was asked for", rows.ignore_offset),
    "repeat_row": Kind(
        "the last row of a page comes again as the first of the next", rows.repeat_row
    ),
    "lone_surrogate": Kind("half a character in every name", _changed(rows.lone_surrogate)),
    "nul": Kind("a NUL in every name", _changed(rows.nul)),
    "nan": Kind("every number is NaN", _changed(rows.nan)),
    "bad_utf8": Kind("bytes in every name that are no UTF-8", _respelt(rows.bad_utf8)),
    "bom": Kind("a byte order mark before the JSON", _respelt(rows.bom)),
    "deep": Kind(
        "one value more, nested `levels` deep (200,000)", _respelt(rows.deep), frozenset({"levels"})
    ),
    "duplicate_keys": Kind(
        "the rows come twice, the second time empty", _respelt(rows.duplicate_keys)
    ),
}
