"""Notifications, where the list of them may not be read: counted from the log, to the last one."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seatwise.connectors.http import FixedToken
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.usage.counted import Counted, Counting, Stretch
from seatwise.connectors.pagerduty.usage.notified import Untold, count_notified
from seatwise.connectors.records import UsageRecord
from tests.connectors.accounts import (
    Collected,
    authorize,
    identified,
    impatient,
    inspected,
    plan_for,
    read,
)
from tests.connectors.faultserver import FaultServer, answer, fault_server
from tests.sandboxes import Running, running

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MONTHS = 3
CHANNELS = [f"notifications_{name}" for name in ("sms", "phone", "email", "push")]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(seed=6, users=90, months=MONTHS, now=NOW) as started:
        yield started


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running) -> Iterator[None]:
    yield
    sandbox.clear_faults()
    sandbox.forget_requests()


async def whole(sandbox: Running, months: int = MONTHS, zone: str = "UTC") -> Collected:
    grant = await authorize(sandbox, sandbox.someone("owner"))
    account = await identified(sandbox, grant)
    sandbox.forget_requests()
    plan = plan_for(NOW, months, NOW - timedelta(days=1), zone)
    return await read(sandbox, account, grant.access_token, plan)


def numbers(got: Collected) -> dict[tuple[str, str], UsageRecord]:
    found = [u for u in got.of(UsageRecord) if isinstance(u, UsageRecord)]
    return {(f"{usage.month:%Y-%m}", usage.metric): usage for usage in found}


@pytest.mark.fault(30)
@pytest.mark.parametrize(
    ("status", "zone"), [(402, "UTC"), (403, "Asia/Tokyo"), (404, "America/New_York")]
)
def test_what_may_not_be_listed_is_counted_from_the_log(
    sandbox: Running, status: int, zone: str
) -> None:
    sandbox.fault(path="/notifications", status=status, times=None)
    got = asyncio.run(whole(sandbox, zone=zone))
    assert got.completed() == {"members", "licences", "usage", "activity"}
    found = numbers(got)
    for told in sandbox.truth(zone=zone)["months"][-MONTHS:]:
        for metric in CHANNELS:
            usage = found[told["month"], metric]
            assert (usage.value, usage.source) == (told[metric], "GET /log_entries")
            assert usage.final is found[told["month"], "incidents"].final
        billable = found[told["month"], "billable_alerts"]
        assert billable.value == told["notifications_sms"] + told["notifications_phone"]
        assert billable.source == "GET /log_entries"
    (gap,) = got.gaps()
    assert gap.capability == "account"
    assert "counted from the log" in gap.what
    assert "one request for every hundred" in gap.what
    assert ("users:notifications.read" in gap.remedy) is (status == 403)
    assert len(sandbox.requests("/us/notifications")) == 4  # refused once, not asked again


@pytest.mark.fault(30)
def test_a_missing_permission_is_told_as_the_long_way_before_the_first_sync(
    sandbox: Running,
) -> None:
    sandbox.fault(withhold_scopes=["users:notifications.read"])
    (gap,) = asyncio.run(_gaps(sandbox))
    assert "counted from the log" in gap


async def _gaps(sandbox: Running) -> list[str]:
    grant = await authorize(sandbox, sandbox.someone("owner"))
    return [check.gap.what for check in await inspected(sandbox, grant) if check.gap]


@pytest.mark.fault(30)
@pytest.mark.fault(31)
@pytest.mark.parametrize("status", [400, 403])
def test_without_the_log_as_well_notifications_are_unknown_and_not_zero(
    sandbox: Running, status: int
) -> None:
    sandbox.fault(path="/notifications", status=status, times=None)
    sandbox.fault(path="/log_entries", status=403, times=None)
    got = asyncio.run(whole(sandbox, months=2))
    assert {metric for _, metric in numbers(got)} == {"incidents", "alerts"}
    assert [gap.capability for gap in got.gaps()] == ["usage", "activity"]
    assert got.gaps()[0].what.startswith("Notifications by channel and billable alerts cannot")


def test_a_month_whose_notifications_can_be_listed_does_not_touch_the_whole_log(
    sandbox: Running,
) -> None:
    asyncio.run(whole(sandbox, months=1))
    asked = [request["query"] for request in sandbox.requests("/us/log_entries")]
    assert asked
    assert all("is_overview=true" in query for query in asked)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server() as started:
        yield started


START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)


def counted(server: FaultServer, *entries: dict[str, Any]) -> dict[str, int]:
    page = {"log_entries": entries, "more": False, "total": len(entries)}
    server.on("/log_entries", answer(json.dumps(page).encode()))

    async def count() -> dict[str, int]:
        async with Api(server.url, FixedToken("t"), impatient()) as api:
            counting = Counting(Stretch(START, END, END, END))
            await count_notified(api, counting)
            return dict(counting.total)

    return asyncio.run(count())


def sent(number: int, at: datetime, kind: str = "sms", entry: str = "notify") -> dict[str, Any]:
    channel = {"type": "auto", "notification": {"type": kind, "address": "+49 1"}}
    return {
        "id": f"R{number}",
        "type": f"{entry}_log_entry",
        "created_at": at.isoformat(),
        "channel": channel,
    }


def test_only_notifications_of_the_window_count_and_new_channels_do_too(
    server: FaultServer,
) -> None:
    second = timedelta(seconds=1)
    found = counted(
        server,
        sent(1, START),
        sent(2, START - second),
        sent(3, END - second, "phone"),
        sent(4, END),
        sent(5, START, "carrier_pigeon"),
        sent(6, START, "email_notification"),
        sent(7, START, entry="acknowledge"),
    )
    assert found == {"sms": 1, "phone": 1, "carrier_pigeon": 1, "email": 1}


@pytest.mark.parametrize("lost", ["created_at", "channel"])
def test_a_log_that_leaves_something_out_is_not_counted_too_low(
    server: FaultServer, lost: str
) -> None:
    line = sent(1, START)
    del line[lost]
    with pytest.raises(Untold):
        counted(server, sent(2, START), line)


def counting_from(server: FaultServer, counting: Counting, **page: object) -> Counting:
    server.on("/log_entries", answer(json.dumps(page).encode()))

    async def count() -> Counting:
        async with Api(server.url, FixedToken("t"), impatient()) as api:
            await count_notified(api, counting)
            return counting

    return asyncio.run(count())


def test_counting_goes_on_from_an_hour_before_the_last_reading(server: FaultServer) -> None:
    noon, hour = START + timedelta(hours=12), timedelta(hours=1)
    lines = [sent(2, noon - hour / 2), sent(1, noon - 2 * hour)]
    first = counting_from(
        server, Counting(Stretch(START, END, noon, noon)), log_entries=lines, more=False, total=2
    )
    assert first.total == {"sms": 2}
    kept = first.kept(["sms"])
    assert kept == Counted(noon - hour, {"sms": 1})
    late = [sent(3, noon), sent(4, noon - hour / 4), sent(2, noon - hour / 2)]
    stretch = Stretch(START, END, noon + hour, noon + hour)
    second = counting_from(
        server,
        Counting(stretch, Counted.opened(json.loads(json.dumps(kept.as_json())))),
        log_entries=late,
        more=False,
        total=3,
    )
    assert second.total == {"sms": 4}
    assert second.kept(["sms"]) == Counted(noon, {"sms": 3})


def test_a_log_that_counts_more_than_it_shows_is_not_gone_on_from(server: FaultServer) -> None:
    found = counting_from(
        server,
        Counting(Stretch(START, END, END, END)),
        log_entries=[sent(1, START)],
        more=False,
        total=4,
    )
    assert found.lacking == 3
    assert found.kept(["sms"]) is None


@pytest.mark.fault(53)
def test_what_the_log_counts_and_does_not_show_is_said(sandbox: Running) -> None:
    sandbox.fault(path="/notifications", status=403, times=None)
    line = sent(1, NOW - timedelta(days=50))
    body = {"log_entries": [line], "more": False, "total": 4}
    sandbox.fault(
        path="/log_entries", query="include%5B%5D=channels", kind="json", body=body, times=None
    )
    got = asyncio.run(whole(sandbox, months=2))
    said = [gap.what for gap in got.gaps() if gap.capability == "usage"]
    assert "PagerDuty counts 3 lines of 2026-10 that it does not show." in said
    assert not any(usage.final for usage in numbers(got).values())
