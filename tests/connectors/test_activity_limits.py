"""Last seen at its borders: short horizons, the newest pages of a busy log, very many people."""

import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seatwise.connectors.pagerduty.activity.presence import Presence, Waiting
from seatwise.connectors.pagerduty.activity.state import MOST_AWAITED
from seatwise.connectors.records import MemberRecord, SignalRecord
from tests.connectors.seen import (
    HORIZON,
    LATELY,
    NOW,
    ONLY_LOG,
    Door,
    granted,
    truth,
    with_key,
)
from tests.sandboxes import Running, running

SMALL: dict[str, Any] = {"seed": 5, "users": 31, "months": 1, "rate_limit": 1_000_000}
BUSY: dict[str, Any] = {"seed": 6, "users": 120, "months": 1, "incidents": 9_000}
BUSY["rate_limit"] = 1_000_000
MORNING, EVENING = NOW + timedelta(days=1), NOW + timedelta(days=1, hours=14)
INCIDENTS, LOG = "POST /analytics/raw/incidents", "GET /log_entries"


@pytest.mark.parametrize("days", [1, 3, 10, 29, 31])
def test_whoever_acted_within_a_short_horizon_is_seen_within_it(days: int) -> None:
    """A sign-in before the horizon settles nobody: it is not shown."""
    for seed in range(1, 4):
        with running(**SMALL | {"seed": seed}, now=NOW) as sandbox:
            since = NOW - timedelta(days=days)
            seen = with_key(sandbox, horizon=timedelta(days=days), months=1).read().times()
            told = truth(sandbox, "log_entries" if days <= 3 else "responded")
            acted = {who: at for who, at in told.items() if at >= since}
            assert [who for who in acted if who not in seen or seen[who] < since] == []


def test_of_a_busy_log_the_newest_pages_are_read_and_analytics_tell_the_rest() -> None:
    with running(**BUSY, now=NOW) as sandbox:
        first = [door.read() for door in _doors(sandbox, NOW)]
    for now in (MORNING, EVENING):
        with running(**BUSY, now=now) as sandbox:
            sandbox.forget_requests()
            for before, door in zip(first, _doors(sandbox, now), strict=True):
                got = door.read(before.state)
                assert sandbox.counts()["GET /us/log_entries"] == got.requests[LOG]
                assert got.requests[LOG] == (2 if now == MORNING else 3)
                assert got.requests[INCIDENTS] == 1
                assert sum(got.requests.values()) == got.requests[LOG] + 2
                sandbox.forget_requests()
                # Nothing is called read that was not.
                newest = [datetime.fromisoformat(at) for at in got.part["covered"][-1]]
                assert newest[1] == now
                assert now - newest[0] < timedelta(hours=15)
                assert [(gap.what.partition(";")[0], gap.minor) for gap in got.gaps] == (
                    []
                    if now == MORNING
                    else [(f"Today's log was read back to {newest[0]:%H:%M} UTC", True)]
                )
                acted = truth(sandbox, "log_entries")
                seen = before.then(got).times()
                assert {w for w, at in acted.items() if at >= newest[0]} == {
                    w for w, at in seen.items() if at >= newest[0]
                }
    # The next day the hole is no part of the log to be read.
    now = EVENING + timedelta(days=1)
    with running(**BUSY, now=now) as sandbox:
        midnight = now.replace(hour=0, minute=0)
        last = _doors(sandbox, now)[0].read(got.state)
        assert last.requests[LOG] == 3
        seen = first[0].then(got).then(last).times()
        told = sandbox.truth(at=(midnight - timedelta(seconds=1)).isoformat())["activity"]
        responded = {
            who: datetime.fromisoformat(of["responded"])
            for who, of in told.items()
            if "responded" in of
        }
        assert any(EVENING - timedelta(hours=9) > at >= MORNING for at in responded.values())
        lately = midnight - LATELY
        assert [w for w, at in responded.items() if at >= lately and seen[w] < lately] == []


def test_without_sign_ins_a_busy_log_is_read_to_its_end() -> None:
    with running(**BUSY, now=NOW) as sandbox:
        got = granted(sandbox).read()
        acted = truth(sandbox, "log_entries")
        here, since = {m["id"] for m in sandbox.truth()["members"]}, NOW - HORIZON
        assert {w: at for w, at in got.times().items() if w in here and at >= since} == {
            w: at for w, at in acted.items() if at >= since
        }
        assert got.part["covered"][-1][1] == NOW.isoformat()


def _doors(sandbox: Running, now: datetime) -> list[Door]:
    return [with_key(sandbox, now=now), granted(sandbox, "analytics.write", now=now)]


def test_among_very_many_people_reading_stops_early_though_no_state_names_them() -> None:
    with running(seed=5, users=130, incidents=1600, months=3, now=NOW) as sandbox:
        acted = truth(sandbox, "log_entries")
        busy = [who for who, at in acted.items() if at >= NOW - timedelta(days=7)]
        onlookers = [f"PLOOKER{n}" for n in range(MOST_AWAITED + 50)]
        rows = [{"id": who, "role": "user"} for who in busy]
        rows += [{"id": who, "role": "read_only_user"} for who in onlookers]
        page = {"users": rows, "more": False, "total": MOST_AWAITED}
        sandbox.fault(path="/users", kind="json", body=page, times=None)
        got = granted(sandbox).read(stages=ONLY_LOG)
        assert {who: got.times()[who] for who in busy} == {who: acted[who] for who in busy}
        (covered,) = got.part["covered"]
        assert datetime.fromisoformat(covered[0]) > NOW - timedelta(days=9)
        assert got.part["awaited"] is None
        assert len(json.dumps(got.state)) < 2_000


def test_a_member_takes_little_room() -> None:
    """Bytes, for one of very many: the name, its place in the dictionary, one number."""
    count, now = 50_000, datetime(2026, 11, 20, tzinfo=UTC)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        presence = Presence()
        for n in range(count):
            member = MemberRecord(f"P{n:06d}", "", "", "user", invited=False)
            presence.enlist((member,), complete=n == count - 1)
        for n in range(0, count, 2):
            signal = SignalRecord(f"P{n:06d}", "resolved", now - timedelta(seconds=n + 1), "")
            assert presence.note([signal], now) == [signal]
            presence.settle([f"P{n:06d}"])
        waiting = Waiting(presence, presence.unsettled())
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / count < 250
    assert not waiting.is_over(now)
    assert len(list(presence.everybody())) == count
    assert len(list(presence.unsettled())) == count // 2
    assert presence.last("P000002") == int(now.timestamp()) - 3
    assert len(list(presence.not_seen_since(now.timestamp()))) == count
    assert presence.last("P000001") == presence.last("somebody else") == 0
