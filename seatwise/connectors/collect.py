"""Reads one account from end to end, whatever powers its connector has."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import get_args

from seatwise.connectors.base import (
    Reader,
    ReadPlan,
    ReadsActivity,
    ReadsDuty,
    ReadsLicenses,
    ReadsMembers,
    ReadsUsage,
)
from seatwise.connectors.errors import (
    REFUSALS,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.records import Batch, Gap, Stage
from seatwise.connectors.state import State

STAGES: tuple[Stage, ...] = get_args(Stage)
TOO_LONG = 600.0  # seconds; beyond it a stage is left out, so that the others need not wait


async def collect(
    reader: Reader, plan: ReadPlan, only: Collection[Stage] = STAGES
) -> AsyncGenerator[Batch, None]:
    """Batches of members, licences, usage, activity and duty, in this order, or of some of them.

    What the vendor does not let us read, or not for a long while, becomes a gap and the rest
    goes on; only without members there is nothing to show, so there all is raised. A batch that
    brings the reading further carries the whole state from which a later one may go on. Raises
    VendorError, and StateRefused for a plan whose state is another version's.
    """
    state = State.opened(plan.state)
    async with _closing(_read(reader, plan, only)) as batches:
        async for batch in batches:
            if batch.state is None:
                yield batch
            else:
                state = state.with_part(batch.stage, batch.state)
                yield replace(batch, state=state.as_json())


async def _read(
    reader: Reader, plan: ReadPlan, only: Collection[Stage]
) -> AsyncGenerator[Batch, None]:
    if isinstance(reader, ReadsMembers) and "members" in only:
        async with _closing(reader.members()) as batches:
            async for batch in batches:
                yield batch
    for stage, read in _further_stages(reader, plan):
        if stage not in only:
            continue
        try:
            async with _closing(read) as batches:
                async for batch in batches:
                    yield batch
        except REFUSALS as error:
            yield _left_out(stage, error, error.remedy)
        except TryAgainLater as error:
            if error.after is None or error.after <= TOO_LONG:
                raise
            yield _left_out(stage, error, "Nothing to do: Seatwise asks again with the next sync.")


@asynccontextmanager
async def _closing(batches: AsyncIterator[Batch]) -> AsyncIterator[AsyncIterator[Batch]]:
    # A sync that is cancelled between two batches must not leave requests under way.
    try:
        yield batches
    finally:
        if isinstance(batches, AsyncGenerator):
            await batches.aclose()


def _further_stages(reader: Reader, plan: ReadPlan) -> list[tuple[Stage, AsyncIterator[Batch]]]:
    stages: list[tuple[Stage, AsyncIterator[Batch]]] = []
    if isinstance(reader, ReadsLicenses):
        stages.append(("licences", reader.licenses()))
    if isinstance(reader, ReadsUsage):
        stages.append(("usage", reader.usage(plan)))
    if isinstance(reader, ReadsActivity):
        stages.append(("activity", reader.activity(plan)))
    if isinstance(reader, ReadsDuty):
        stages.append(("duty", reader.duty(plan)))
    return stages


def _left_out(stage: Stage, error: VendorError, remedy: str) -> Batch:
    gap = Gap(stage, f"{stage.capitalize()} cannot be read.", str(error), remedy)
    return Batch(stage, ended=True, gaps=(gap,))
