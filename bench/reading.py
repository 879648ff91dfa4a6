"""What reading a whole account costs, far away, by `seatwise pull` and by its peers."""

import asyncio
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bench.apart import SECRET, VENDOR, Watched, simulated, watched
from bench.peer import LOG
from seatwise.connectors.base import find
from tests.connectors.accounts import authorize
from tests.sandboxes import Running

USERS: Final = 2_000
SIZE: Final = ("--users", str(USERS), "--incidents", "20000", "--months", "3")
LATENCY: Final = 80  # milliseconds
# A fixed time, so that the same account is read on whatever day this runs.
SINCE: Final = datetime(2025, 9, 1, tzinfo=UTC)
END: Final = datetime(2025, 11, 24, tzinfo=UTC)
DAY: Final = timedelta(days=1)
LIMIT: Final = 960  # requests a minute, PagerDuty's own
SHARE: Final = 0.8  # of the limit that Seatwise uses
UNLIMITED: Final = 1_000_000
SIGN_INS: Final = "analytics.write"
USAGE: Final = "members,licenses,usage"
DIRECT: Final = (
    *("incidents", "alerts"),
    *(f"notifications_{channel}" for channel in ("sms", "phone", "email", "push")),
)

PLAIN: Final = "Members, licences and usage"
SEEN: Final = "With last seen, sign-ins readable"
SEEN_BY_KEY: Final = f"{SEEN} (API key)"
LOGGED: Final = "With last seen from the log"
NEXT_DAY: Final = "The next day's reading with --state"
FREE, HELD = "no limit", f"{LIMIT} a minute"
FIRST: Final = "First member out of `pull`, from the program's start, s"
FIRST_ASKED: Final = "First member out of `pull`, from its first request, s"
PEER: Final = "PagerDuty's client"
PIPELINE: Final = "dlt, 8 at once"
SHARE_OF_PEER: Final = f"{LOGGED}: requests ÷ those of {PEER} with the log"
TIMES_FASTER: Final = f"{LOGGED}, {FREE}: times as fast as {PEER} with the log"
HELD_BACK: Final = f"{LOGGED}, {HELD}: s ÷ (requests ÷ {SHARE * LIMIT:.0f} a minute)"
FORMATS: Final = ("jsonl", "csv", "parquet")


def _peak_in(form: str) -> str:
    return f"Most memory `pull` ever held, {form}, MB"


AT_MOST: Final[dict[str, float]] = {
    **{f"{PLAIN}, {held}, requests": 280 for held in (FREE, HELD)},
    **{f"{PLAIN}, {held}, s": 5 for held in (FREE, HELD)},
    **{f"{SEEN}, {held}, requests": 300 for held in (FREE, HELD)},
    f"{SEEN_BY_KEY}, {FREE}, requests": 300,
    f"{NEXT_DAY}, requests": 60,
    FIRST: 0.5,
    FIRST_ASKED: 0.5,
    SHARE_OF_PEER: 0.42,
    HELD_BACK: 1.15,
    **{_peak_in(form): 90 for form in FORMATS},
}
AT_LEAST: Final[dict[str, float]] = {TIMES_FASTER: 8}


@dataclass(frozen=True, slots=True)
class Pulled:
    """One pull: how the program went and what the vendor was asked."""

    went: Watched
    requests: int
    first_asked: float  # a moment of the wall clock


def measure() -> dict[str, float]:
    """The readings short enough to be repeated: seconds, requests and MB by figure."""
    figures: dict[str, float] = {}
    with _far() as vendor:
        key, token = vendor.api_key(), _token(vendor, with_sign_ins=True)
        for held, limit in ((FREE, UNLIMITED), (HELD, LIMIT)):
            pulled = _pull(vendor, key, "--only", USAGE, limit=limit, checked=True)
            figures |= _cost(f"{PLAIN}, {held}", pulled)
            if limit == UNLIMITED:
                appeared = pulled.went.appeared
                assert appeared is not None, "no member was written before the end"
                figures[FIRST] = appeared - pulled.went.began
                figures[FIRST_ASKED] = appeared - pulled.first_asked
        for held, limit in ((FREE, UNLIMITED), (HELD, LIMIT)):
            pulled = _pull(vendor, token, limit=limit, bearer=True)
            figures |= _cost(f"{SEEN}, {held}", pulled)
        figures |= _cost(f"{SEEN_BY_KEY}, {FREE}", _pull(vendor, key, limit=UNLIMITED))
        without = _token(vendor, with_sign_ins=False)
        for form in FORMATS:
            pulled = _pull(
                vendor, without, "--format", form, limit=UNLIMITED, bearer=True, near=True
            )
            figures[_peak_in(form)] = pulled.went.peak
    return figures


def measure_once() -> dict[str, float]:
    """The long readings and the peers', one after the other against one account."""
    figures: dict[str, float] = {}
    with _far() as vendor:
        token = _token(vendor, with_sign_ins=False)
        free = _pull(vendor, token, limit=UNLIMITED, bearer=True)
        figures |= _cost(f"{LOGGED}, {FREE}", free)
        held = _pull(vendor, token, limit=LIMIT, bearer=True)
        figures |= _cost(f"{LOGGED}, {HELD}", held)
        figures[HELD_BACK] = held.went.seconds / (held.requests / (SHARE * LIMIT / 60))
        figures |= _peers(vendor)
        all_of_it = f"{PEER}: with the log"
        figures[SHARE_OF_PEER] = free.requests / figures[f"{all_of_it}, requests"]
        figures[TIMES_FASTER] = figures[f"{all_of_it}, s"] / free.went.seconds
    return figures | _next_day()


@contextmanager
def _far(now: datetime = END, port: int = 0, *, warm: bool = True) -> Iterator[Running]:
    """The account with its history made; `warm`: its pages asked for once, lest one reader pay."""
    when = now.isoformat()
    with simulated(*SIZE, "--latency-ms", str(LATENCY), "--now", when, port=port) as vendor:
        vendor.truth()
        if warm:
            vendor.fault(latency_ms=0, rate_limit=UNLIMITED)
            watched(*_program("bench.peer", vendor), secret=vendor.api_key(), at_most=120)
        yield vendor


def _program(module: str, vendor: Running, *further: str) -> list[str]:
    return ["-m", module, vendor.base_url, SINCE.isoformat(), END.isoformat(), *further]


def _token(vendor: Running, *, with_sign_ins: bool) -> str:
    """An access token of the owner's, with everything we ask for and, if wanted, analytics."""
    connector = find(VENDOR)
    assert connector is not None
    scopes = [scope.name for scope in connector.scopes if not scope.optional]
    wanted = [*scopes, SIGN_INS] if with_sign_ins else scopes
    return asyncio.run(authorize(vendor, vendor.someone(), scopes=wanted)).access_token


def _pull(
    vendor: Running,
    secret: str,
    *arguments: str,
    limit: int,
    bearer: bool = False,
    near: bool = False,
    checked: bool = False,
    until: datetime = END,
) -> Pulled:
    """One `seatwise pull` as a program. `checked`: what it wrote must be the vendor's truth."""
    vendor.clear_faults()  # and with them what was counted against the limit
    vendor.fault(rate_limit=limit, latency_ms=0 if near else LATENCY)
    vendor.forget_requests()
    with tempfile.TemporaryDirectory(prefix="seatwise-bench-") as place:
        out = Path(place)
        went = watched(
            *("-m", "seatwise", "pull", VENDOR, "--months", "3", "--until", f"{until:%Y-%m-%d}"),
            *("--bearer-env" if bearer else "--api-key-env", SECRET),
            *("--base-url", f"{vendor.base_url}/us", "--out", place, *arguments),
            secret=secret,
            at_most=300,
            appearing=out / "members.jsonl.partial",
        )
        if checked:
            _check(out, vendor.truth())
    requests = vendor.control.get("/__requests", params={"path": "/us/users"}).json()
    first = datetime.fromisoformat(requests["requests"][0]["at"]).timestamp()
    return Pulled(went, sum(vendor.counts().values()), first)


def _check(out: Path, truth: Mapping[str, Any]) -> None:
    members = [json.loads(line)["external_id"] for line in (out / "members.jsonl").open("rb")]
    assert sorted(members) == sorted(person["id"] for person in truth["members"])
    rows = [json.loads(line) for line in (out / "usage.jsonl").open("rb")]
    found = {(row["month"], row["metric"]): row["value"] for row in rows}
    for month in truth["months"]:
        for metric in DIRECT:
            told = found[month["month"], metric]
            assert told == month[metric], f"{metric} of {month['month']}: {told}"


def _cost(name: str, pulled: Pulled) -> dict[str, float]:
    return {f"{name}, requests": pulled.requests, f"{name}, s": pulled.went.seconds}


def _peers(vendor: Running) -> dict[str, float]:
    """Both peers, without a limit: first what needs no log, then the log as well."""
    vendor.clear_faults()
    vendor.fault(rate_limit=UNLIMITED)
    vendor.forget_requests()
    went = watched(*_program("bench.peer", vendor), secret=vendor.api_key(), at_most=600)
    lists = [json.loads(line) for line in went.said.splitlines()]
    rows = {each["name"]: each["rows"] for each in lists}
    counts = vendor.counts()
    plain = sum(count for endpoint, count in counts.items() if not endpoint.endswith(LOG))
    figures: dict[str, float] = {
        f"{PEER}: {PLAIN.lower()}, requests": plain,
        f"{PEER}: {PLAIN.lower()}, s": lists[-2]["at"] - went.began,
        f"{PEER}: with the log, requests": sum(counts.values()),
        f"{PEER}: with the log, s": went.seconds,
    }
    for name, further in ((PLAIN.lower(), ()), ("with the log", (LOG,))):
        vendor.forget_requests()
        program = _program("bench.pipeline", vendor, *further)
        went = watched(*program, secret=vendor.api_key(), at_most=300)
        found = json.loads(went.said)
        assert all(found[each] == rows[each] for each in rows if each in found), (found, rows)
        figures[f"{PIPELINE}: {name}, requests"] = sum(vendor.counts().values())
        figures[f"{PIPELINE}: {name}, s"] = went.seconds
    return figures


def _next_day() -> dict[str, float]:
    """What is asked when the account was read whole the day before."""
    with tempfile.TemporaryDirectory(prefix="seatwise-bench-") as place:
        state = ("--state", str(Path(place) / "state"))
        with _far(END - DAY, warm=False) as vendor:
            port = urlsplit(vendor.base_url).port or 0
            _pull(vendor, vendor.api_key(), *state, limit=LIMIT, until=END - DAY)
        # The same account a day later, at the same address.
        with _far(END, port, warm=False) as vendor:
            pulled = _pull(vendor, vendor.api_key(), *state, limit=LIMIT, checked=True)
    return _cost(NEXT_DAY, pulled)
