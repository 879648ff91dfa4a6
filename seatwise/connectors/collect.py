"""Reads one account from end to end, whatever powers its connector has."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from seatwise.connectors.base import (
    Reader,
    ReadPlan,
    ReadsActivity,
    ReadsLicenses,
    ReadsMembers,
    ReadsUsage,
)
from seatwise.connectors.errors import AccessDenied, NotFound, NotOnThisPlan
from seatwise.connectors.records import Batch, Gap

Stage = Literal["members", "licences", "usage", "activity"]


async def collect(reader: Reader, plan: ReadPlan) -> AsyncIterator[Batch]:
    """Batches of members, licences, usage and activity, in this order.

    What the vendor does not let us read becomes a gap and the rest goes on; only without
    members there is nothing to show, so there the refusal is raised. Raises VendorError.
    """
    if isinstance(reader, ReadsMembers):
        async with _closing(reader.members()) as batches:
            async for batch in batches:
                yield batch
    for stage, read in _further_stages(reader, plan):
        try:
            async with _closing(read) as batches:
                async for batch in batches:
                    yield batch
        except (AccessDenied, NotOnThisPlan, NotFound) as error:
            gap = Gap(stage, f"{stage.capitalize()} cannot be read.", str(error), error.remedy)
            yield Batch(stage, gaps=(gap,))


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
    return stages
