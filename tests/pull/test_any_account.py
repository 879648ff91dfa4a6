"""Whatever the account, its permissions, its bad days and its comings and goings: the truth.

EXAMPLES=500 python -m pytest tests/pull/test_any_account.py tries other and more accounts than
the test command does.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from seatwise.connectors.pace import PACES
from seatwise.connectors.records import Batch
from seatwise.pull.order import Order, plan_until
from tests.connectors.accounts import authorize, connector
from tests.pull.moving import Moving, moving
from tests.pull.pulling import json_lines, order, pulled
from tests.sandboxes import Running

MORE = os.environ.get("EXAMPLES")
LATELY = timedelta(days=30)
HOUR = timedelta(hours=1)
EMPTY = {"closed": True}  # a month of which nothing is told
CHANNELS = ("sms", "phone", "email", "push")
FROM_INCIDENTS = ("incidents", "alerts")
FROM_NOTIFICATIONS = (*(f"notifications_{channel}" for channel in CHANNELS), "billable_alerts")
SCOPES = ("licenses.read", "incidents.read", "users:notifications.read", "analytics.write")
PATHS = (
    *("*", "/users", "/licenses", "/license_allocations", "/incidents", "/notifications"),
    *("/log_entries", "/analytics/raw/users"),
)
BODIES: tuple[object, ...] = ({}, [], None)
HONEST = ("/users", "/license_allocations", "/incidents", "/log_entries")  # totals with rows
# What heals and changes no name: a hiccup, a torn answer, a list that contradicts itself once.
HICCUPS: tuple[Mapping[str, Any], ...] = (
    *({"status": status} for status in (500, 502, 503, 504)),
    {"kind": "rate_limited", "reset": 20},
    {"status": 429},
    *({"kind": "json", "body": body} for body in BODIES),
    *(
        {"kind": kind}
        for kind in (
            *("html", "not_json", "empty", "reset", "reset_body", "truncate", "truncate_length"),
            *("truncate_close", "missing_key", "no_more_key", "nan", "bad_utf8", "bom", "deep"),
            *("duplicate_keys", "twice", "repeat_row", "total_null", "total_shrinks"),
            *("ignore_offset", "more_forever"),
        )
    ),
)
MOMENTS = (
    datetime(2025, 11, 20, 9, 30, tzinfo=UTC),
    datetime(2026, 3, 1, 0, 20, tzinfo=UTC),  # February is not over in America
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),  # clocks change in Europe
    datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2024, 2, 29, 12, 0, tzinfo=UTC),
)
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Auckland")


@dataclass(frozen=True)
class Account:
    """What an account is like, who asks, and what goes wrong meanwhile."""

    seed: int = 1
    users: int = 30
    months: int = 2
    monthly: int = 60
    plan: str = "business"
    churn: float = 0.0
    scopes: frozenset[str] | None = None  # None: with an API key
    moments: tuple[datetime, ...] = MOMENTS[:1]
    zone: str = "UTC"
    asked_months: int = 3
    days: int = 90
    faults: tuple[Mapping[str, Any], ...] = ()
    broken_off: int | None = None  # the first pull ends after so many batches


def _moments(first: datetime, gaps: list[timedelta]) -> tuple[datetime, ...]:
    return tuple(first + sum(gaps[:n], timedelta()) for n in range(len(gaps) + 1))


GAPS = st.lists(st.sampled_from([timedelta(hours=h) for h in (1, 5, 24, 100, 800)]), max_size=2)


def _lies(faults: list[dict[str, Any]]) -> bool:
    """Of a list that lies often about itself nobody knows when to believe it.

    And a total that is told without its rows can only be believed.
    """
    kinds = [fault.get("kind") for fault in faults]
    bare = [f for f in faults if f.get("kind") == "total_shrinks" and f["path"] not in HONEST]
    return (
        bool(bare)
        or len({"ignore_offset", "more_forever"} & set(kinds)) > 1
        or any(kinds.count(kind) > 1 for kind in ("ignore_offset", "more_forever", "total_shrinks"))
    )


FAULTS = st.lists(
    st.builds(
        lambda what, path, after, every: {**what, "path": path, "after": after, "every": every},
        st.sampled_from(HICCUPS),
        st.sampled_from(PATHS),
        st.integers(0, 8),
        st.integers(1, 3),
    ),
    max_size=3,  # a question is tried four times
).filter(lambda faults: not _lies(faults))
ACCOUNTS = st.builds(
    Account,
    seed=st.integers(1, 10_000),
    users=st.integers(10, 120) | st.sampled_from([99, 100, 101, 197, 330]),
    months=st.integers(1, 3),
    monthly=st.sampled_from([0, 5, 60, 100, 230]),
    plan=st.sampled_from(["business", "professional", "enterprise"]),
    churn=st.just(0.0) | st.floats(0.05, 1),
    scopes=st.none() | st.frozensets(st.sampled_from(SCOPES)),
    moments=st.builds(_moments, st.sampled_from(MOMENTS), GAPS),
    zone=st.sampled_from(ZONES),
    asked_months=st.integers(1, 4),
    days=st.sampled_from([3, 29, 31, 90]),
    faults=FAULTS.map(tuple),
    broken_off=st.none() | st.integers(0, 12),
)


@pytest.mark.fault(49)
@pytest.mark.fault(68)
@settings(
    max_examples=int(MORE or 10),
    phases=list(Phase) if MORE else [Phase.explicit, Phase.generate],  # to be done soon
    derandomize=MORE is None,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(account=ACCOUNTS)
@example(account=Account())
@example(account=Account(users=330, churn=1.0, scopes=frozenset({"licenses.read"})))
@example(
    account=Account(
        scopes=frozenset({"incidents.read"}),
        moments=_moments(MOMENTS[0], [timedelta(hours=5), timedelta(days=20)]),
        broken_off=5,
    )
)
def test_what_a_pull_writes_is_what_is_really_so(account: Account) -> None:
    sizes = {"users": account.users, "seed": account.seed, "plan": account.plan}
    options = {**sizes, "accounts": 1, "rate_limit": 1_000_000}
    with (
        tempfile.TemporaryDirectory() as folder,
        moving(account.moments, months=account.months, monthly=account.monthly, **options) as place,
    ):
        for step in range(len(account.moments)):
            place.go_to(step)
            _pull_and_compare(account, place, Path(folder))


class BrokenOff(Exception):
    """Somebody ended the pull."""


def _pull_and_compare(account: Account, place: Moving, folder: Path) -> None:
    vendor, out = place.vendor, folder / "out"
    wanted = _order(account, place, folder)
    before = vendor.truth(zone=account.zone)
    vendor.fault(churn=account.churn)
    for fault in account.faults:
        vendor.fault(region="us", **fault)
    PACES.forget()
    if account.broken_off is not None and place.at == 0:
        with suppress(BrokenOff):
            pulled(wanted, _ending_after(account.broken_off))
    pulled(wanted)
    after = vendor.truth(zone=account.zone)
    vendor.clear_faults()
    members = json_lines(out / "members.jsonl")
    _members_agree(account, members, before, after)
    _licenses_agree(account, json_lines(out / "licenses.jsonl"), after)
    _usage_agrees(account, json_lines(out / "usage.jsonl"), after, place.now)
    _last_seen_agrees(account, members, vendor, place.now)


def _order(account: Account, place: Moving, folder: Path) -> Order:
    days, zone = timedelta(days=account.days), ZoneInfo(account.zone)
    several = len(account.moments) > 1 or account.broken_off is not None
    wanted = replace(
        order(place.vendor, folder / "out", state=folder / "state" if several else None),
        plan=plan_until(None, zone, account.asked_months, days, place.now),
    )
    if account.scopes is None:
        return wanted
    scopes = {"openid", "users.read", *account.scopes}
    owner = place.vendor.someone("owner")
    grant = asyncio.run(authorize(place.vendor, owner, scopes=sorted(scopes)))
    return replace(
        wanted, connector=connector(), token=grant.access_token, secret=grant.access_token
    )


def _ending_after(batches: int) -> Any:
    left = iter(range(batches))

    def watch(_batch: Batch) -> None:
        if next(left, None) is None:
            raise BrokenOff

    return watch


def _members_agree(
    account: Account, rows: list[dict[str, Any]], before: dict[str, Any], after: dict[str, Any]
) -> None:
    with_license = account.scopes is None or "licenses.read" in account.scopes
    names = ["email", "name", "role", "invited", *(["license"] if with_license else [])]
    found = [row["external_id"] for row in rows]
    assert len(found) == len(set(found))
    there = [{person["id"] for person in truth["members"]} for truth in (before, after)]
    assert there[0] & there[1] <= set(found)
    assert set(found) <= there[0] | there[1] | set(after["deleted_users"])
    if account.churn == 0:
        told = {row["external_id"]: {name: row[name] for name in names} for row in rows}
        assert told == {
            person["id"]: {name: person[name] for name in names} for person in after["members"]
        }
    if not with_license:
        assert {row["license"] for row in rows} <= {None}


def _licenses_agree(account: Account, rows: list[dict[str, Any]], truth: dict[str, Any]) -> None:
    if account.scopes is not None and "licenses.read" not in account.scopes:
        assert rows == []
        return
    numbers = ("used", "available") if account.churn == 0 else ()
    assert [[row["external_id"], row["name"], *(row[n] for n in numbers)] for row in rows] == [
        [kind["id"], kind["name"], *(kind[n] for n in numbers)] for kind in truth["licenses"]
    ]


def _usage_agrees(
    account: Account, rows: list[dict[str, Any]], truth: dict[str, Any], now: datetime
) -> None:
    scopes = account.scopes
    metrics: set[str] = set()
    if scopes is None or "incidents.read" in scopes:
        metrics |= {*FROM_INCIDENTS, *FROM_NOTIFICATIONS}
    elif "users:notifications.read" in scopes:
        metrics |= {*FROM_NOTIFICATIONS}
    plan = plan_until(None, ZoneInfo(account.zone), account.asked_months, timedelta(), now)
    told = {month["month"]: month for month in truth["months"]}
    wanted = {}
    for month in (f"{first:%Y-%m}" for first in plan.months):
        of_month = dict(told.get(month, {}))
        counted = {name: of_month.get(name, 0) for name in FROM_NOTIFICATIONS[:-1]}
        billable = counted["notifications_sms"] + counted["notifications_phone"]
        numbers = {name: of_month.get(name, 0) for name in FROM_INCIDENTS} | counted
        for name, value in (numbers | {"billable_alerts": billable}).items():
            if name in metrics:
                wanted[month, name] = value
    assert {(row["month"], row["metric"]): row["value"] for row in rows} == wanted
    # For an hour after a month's end the vendor may still show what has happened in it.
    latest = f"{(now - HOUR).astimezone(ZoneInfo(account.zone)):%Y-%m}"
    for row in rows:
        over = row["month"] < latest
        if metrics >= {*FROM_INCIDENTS}:
            assert row["final"] is (over and told.get(row["month"], EMPTY)["closed"]), row
        else:  # whether an incident is open nobody can know, and what was sent stays sent
            assert row["final"] <= over, row


def _last_seen_agrees(
    account: Account, rows: list[dict[str, Any]], vendor: Running, now: datetime
) -> None:
    """Exactly where the log alone tells it, or sign-ins alone.

    Where analytics tell both, who answered an incident before the last midnight: nobody later than
    they were, nobody before they signed in, and nobody idle who answered lately.
    """
    since = now - timedelta(days=account.days)
    midnight = now.replace(hour=0, minute=0, second=0)
    told = vendor.truth()["activity"]
    known = vendor.truth(at=(midnight - timedelta(seconds=1)).isoformat())["activity"]
    scopes = ALL_OF_THEM if account.scopes is None else account.scopes
    for row in rows:
        who, seen = row["external_id"], _at(row["last_seen_at"])
        now_, then = told.get(who, {}), known.get(who, {})
        signed_in = _within(_at(then.get("sign_in")), since, now)
        if "analytics.write" not in scopes:
            acted = _within(_at(now_.get("log_entries")), since, now)
            assert seen == (acted if "incidents.read" in scopes else None), row
        elif "incidents.read" not in scopes:
            assert seen == signed_in, row
        else:
            latest = max(filter(None, map(_at, map(now_.get, SOURCES))), default=None)
            assert seen is None or (latest is not None and seen <= latest), row
            assert signed_in is None or (seen is not None and seen >= signed_in), (row, signed_in)
            lately = max(since, midnight - LATELY)
            answered = _within(_at(then.get("responded")), lately, midnight)
            assert answered is None or (seen is not None and seen >= lately), (row, answered)


ALL_OF_THEM = frozenset(SCOPES)
SOURCES = ("log_entries", "sign_in")


def _at(moment: str | None) -> datetime | None:
    return datetime.fromisoformat(moment) if moment else None


def _within(moment: datetime | None, since: datetime, until: datetime) -> datetime | None:
    return moment if moment is not None and since <= moment < until else None
