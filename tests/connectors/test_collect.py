"""Collecting: in what order, and what a refusal costs."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.collect import collect
from seatwise.connectors.errors import (
    AccessDenied,
    NotFound,
    NotOnThisPlan,
    RequestRefused,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.records import Batch

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PLAN = ReadPlan((), ZoneInfo("UTC"), NOW, NOW)


class OnlyMembers:
    """A connector of the smallest kind."""

    requests: Counter[str] = Counter()

    def __init__(self, **refusals: VendorError) -> None:
        self.refusals = refusals

    async def members(self) -> AsyncIterator[Batch]:
        yield Batch("members")
        if "members" in self.refusals:
            raise self.refusals["members"]
        yield Batch("members", complete=True)


class Everything(OnlyMembers):
    """A connector with all powers."""

    async def licenses(self) -> AsyncIterator[Batch]:
        if "licences" in self.refusals:
            raise self.refusals["licences"]
        yield Batch("licences", complete=True)

    async def usage(self, plan: ReadPlan) -> AsyncIterator[Batch]:
        yield Batch("usage")
        if "usage" in self.refusals:
            raise self.refusals["usage"]
        yield Batch("usage", complete=True)

    async def activity(self, plan: ReadPlan) -> AsyncIterator[Batch]:
        if "activity" in self.refusals:
            raise self.refusals["activity"]
        yield Batch("activity", complete=True)


def collected(reader: OnlyMembers) -> list[Batch]:
    async def read() -> list[Batch]:
        return [batch async for batch in collect(reader, PLAN)]

    return asyncio.run(read())


def test_the_powers_are_walked_in_order() -> None:
    stages = [batch.stage for batch in collected(Everything()) if batch.complete]
    assert stages == ["members", "licences", "usage", "activity"]
    assert {batch.stage for batch in collected(OnlyMembers())} == {"members"}


@pytest.mark.fault(29)
@pytest.mark.fault(31)
@pytest.mark.parametrize("stage", ["licences", "usage", "activity"])
@pytest.mark.parametrize("kind", [AccessDenied, NotOnThisPlan, NotFound, RequestRefused])
def test_a_refusal_is_a_gap_and_the_rest_goes_on(stage: str, kind: type[VendorError]) -> None:
    batches = collected(Everything(**{stage: kind("No.", remedy="Ask Ada.")}))
    (gap,) = [gap for batch in batches for gap in batch.gaps]
    assert (gap.capability, gap.why, gap.remedy) == (stage, "No.", "Ask Ada.")
    complete = {batch.stage for batch in batches if batch.complete}
    assert complete == {"members", "licences", "usage", "activity"} - {stage}
    assert [batch.stage for batch in batches if batch.ended] == [stage]


@pytest.mark.fault(33)
@pytest.mark.parametrize("stage", ["licences", "usage", "activity"])
def test_a_stage_that_would_take_long_does_not_keep_the_others_waiting(stage: str) -> None:
    batches = collected(Everything(**{stage: TryAgainLater("Later.", after=601)}))
    (gap,) = [gap for batch in batches for gap in batch.gaps]
    assert (gap.capability, gap.why) == (stage, "Later.")
    assert "next sync" in gap.remedy
    complete = {batch.stage for batch in batches if batch.complete}
    assert complete == {"members", "licences", "usage", "activity"} - {stage}


@pytest.mark.parametrize("error", [AccessDenied("No."), RequestRefused("What?")])
def test_without_members_there_is_nothing_to_show(error: VendorError) -> None:
    with pytest.raises(type(error)):
        collected(Everything(members=error))


@pytest.mark.parametrize("after", [None, 60, 600])
def test_what_passes_by_itself_is_raised_wherever_it_happens(after: float | None) -> None:
    for stage in ("members", "licences", "usage", "activity"):
        with pytest.raises(TryAgainLater):
            collected(Everything(**{stage: TryAgainLater("Later.", after=after)}))


def test_members_are_waited_for_however_long_it_takes() -> None:
    with pytest.raises(TryAgainLater):
        collected(Everything(members=TryAgainLater("Later.", after=7200)))


def test_a_reader_is_closed_when_the_collecting_stops_early() -> None:
    closed: list[str] = []

    class Watched(OnlyMembers):
        async def members(self) -> AsyncIterator[Batch]:
            try:
                yield Batch("members")
                yield Batch("members", complete=True)
            finally:
                closed.append("members")

    async def first() -> None:
        batches = collect(Watched(), PLAN)
        async for _ in batches:
            break
        await batches.aclose()
        assert closed == ["members"]  # here and now, not when the loop ends

    asyncio.run(first())
