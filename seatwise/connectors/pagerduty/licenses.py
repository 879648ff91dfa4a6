"""Licences of the account, and who holds which. Only owners and admins may read them."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated

from seatwise.connectors.pagerduty.api import Api, PageDoc
from seatwise.connectors.pagerduty.fields import Count, Doc, Id, Label, Moment, Name, Perhaps, Word
from seatwise.connectors.pagerduty.paging import Page, overlapping
from seatwise.connectors.records import Batch, Gap, LicenseRecord, SeatKind, SeatRecord

KINDS: Mapping[str, SeatKind] = {"FullUser": "full", "Stakeholder": "stakeholder"}


class LicenseDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Licenses → List licenses."""

    id: Id
    name: Label = ""
    description: Name = ""
    role_group: Word = ""
    current_value: Count = None
    allocations_available: Count = None


class LicensesDoc(Doc):
    licenses: list[LicenseDoc]


class HolderDoc(Doc):
    id: Id


class AllocationDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Licenses → List license allocations."""

    license: Annotated[HolderDoc | None, Perhaps] = None
    user: Annotated[HolderDoc | None, Perhaps] = None
    allocated_at: Moment = None


class AllocationsDoc(PageDoc):
    license_allocations: list[AllocationDoc]


async def read_licenses(api: Api) -> AsyncIterator[Batch]:
    """The licences in one batch, then their holders, a page a batch."""
    licenses = await api.get("/licenses", LicensesDoc)
    yield Batch("licences", tuple(_license(doc) for doc in licenses.licenses), unit="seats")

    async def fetch(offset: int, limit: int) -> Page[AllocationDoc]:
        params = (("limit", str(limit)), ("offset", str(offset)), ("total", "true"))
        doc = await api.get("/license_allocations", AllocationsDoc, params)
        return Page(doc.license_allocations, doc.more, doc.total)

    done = 0
    async for chunk in overlapping(fetch, _holder):
        done += len(chunk.rows)
        seats = tuple(
            SeatRecord(row.user.id, row.license.id, row.allocated_at)
            for row in chunk.rows
            if row.user and row.license
        )
        gaps = (_too_many(done),) if chunk.cut else ()
        complete = chunk.last and not chunk.cut
        yield Batch("licences", seats, done, chunk.total, "seats", complete, gaps, chunk.last)


def _license(doc: LicenseDoc) -> LicenseRecord:
    return LicenseRecord(
        external_id=doc.id,
        name=doc.name,
        kind=KINDS.get(doc.role_group, "other"),
        used=doc.current_value,
        available=doc.allocations_available,
        description=doc.description,
    )


def _holder(row: AllocationDoc) -> str:
    return f"{row.user.id if row.user else ''} {row.license.id if row.license else ''}"


def _too_many(read: int) -> Gap:
    return Gap(
        "licences",
        f"The licences of {read:,} members were read, not of all.",
        "PagerDuty lists no more than 10,000 holders of licences.",
        "Nothing to do here: this is a limit of PagerDuty's interface.",
    )
