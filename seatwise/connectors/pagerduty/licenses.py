"""Licences of the account, and who holds which. Only owners and admins may read them."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Annotated

from seatwise.connectors.pagerduty.api import Api, PageDoc
from seatwise.connectors.pagerduty.enumerating import enumerated
from seatwise.connectors.pagerduty.fields import Count, Doc, Id, Label, Moment, Name, Perhaps, Word
from seatwise.connectors.pagerduty.paging import Chunk, Page, Place
from seatwise.connectors.pagerduty.places import Begun, ending, of_page
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


async def read_licenses(api: Api, begun: Begun | None = None) -> AsyncGenerator[Batch, None]:
    """The licences in one batch, then their holders, a page a batch.

    Holders of a list that an earlier attempt has `begun` are gone on with as members are: only
    where the list is as it was left. Otherwise everything is handed over anew.
    """
    read = frozenset(begun.read if begun else ())
    place = begun.page() if begun else None
    licenses = await api.get("/licenses", LicensesDoc)
    left = of_page("licences", place or Place())
    pools = tuple(_license(doc) for doc in licenses.licenses)
    yield Batch("licences", pools, len(read), unit="seats", place=left)

    async def fetch(offset: int, limit: int) -> Page[AllocationDoc]:
        params = (("limit", str(limit)), ("offset", str(offset)), ("total", "true"))
        doc = await api.get("/license_allocations", AllocationsDoc, params)
        return Page(doc.license_allocations, doc.more, doc.total)

    async with aclosing(enumerated(fetch, _holder, place=place, read=read)) as chunks:
        async for chunk in chunks:
            if chunk.anew:
                read = frozenset()
            met = chunk.place.met
            seats = tuple(
                SeatRecord(row.user.id, row.license.id, row.allocated_at)
                for row in chunk.rows
                if row.user and row.license and _holder(row) not in read
            )
            gaps = (_gap(chunk, met),) if chunk.cut or chunk.lacking else ()
            complete = chunk.last and not gaps
            here = (
                ending("licences", complete=complete, met=met)
                if chunk.last
                else of_page("licences", chunk.place)
            )
            yield Batch(
                "licences",
                pools + seats if chunk.anew else seats,
                max(met, len(read)),
                chunk.total,
                "seats",
                complete=complete,
                gaps=gaps,
                ended=chunk.last,
                place=here,
                anew=chunk.anew,
            )


def key_of(seat: SeatRecord) -> str:
    """By what a seat is known in the list of them."""
    return f"{seat.member_id} {seat.license_id}"


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


def _gap(chunk: Chunk[AllocationDoc], read: int) -> Gap:
    counted = f"{chunk.total:,}" if chunk.total is not None else "more"
    return Gap(
        "licences",
        f"The licences of {read:,} of {counted} members were read.",
        "PagerDuty lists no more than 10,000 holders of licences, and cannot be asked for fewer."
        if chunk.cut
        else "PagerDuty counts more holders of licences than it lists.",
        "Nothing to do here: this is a limit of PagerDuty's interface."
        if chunk.cut
        else "Nothing to do: Seatwise reads the list again with the next sync.",
    )
