"""Members: the people PagerDuty lists, who all hold a seat, invited people included."""

from collections.abc import AsyncIterator
from typing import Annotated

from seatwise.connectors.pagerduty.api import Api, PageDoc
from seatwise.connectors.pagerduty.fields import (
    Doc,
    Email,
    Flag,
    Id,
    Label,
    Link,
    Name,
    Several,
    Title,
    Word,
)
from seatwise.connectors.pagerduty.paging import Chunk, Page, overlapping
from seatwise.connectors.records import Batch, Gap, MemberRecord

ASK_AGAIN = 2  # whole readings, when the first found fewer people than PagerDuty counts


class TeamDoc(Doc):
    summary: Label = ""


class UserDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Users → List users."""

    id: Id
    name: Name = ""
    email: Email = ""
    role: Word = ""
    job_title: Title = ""
    invitation_sent: Flag = False
    html_url: Link = ""
    teams: Annotated[list[TeamDoc], Several] = []


class UsersDoc(PageDoc):
    users: list[UserDoc]


async def read_members(api: Api) -> AsyncIterator[Batch]:
    """Every user once, a page a batch; the last has ended, and is complete if nobody is missing."""

    async def fetch(offset: int, limit: int) -> Page[UserDoc]:
        params = (("limit", str(limit)), ("offset", str(offset)), ("total", "true"))
        doc = await api.get("/users", UsersDoc, params)
        return Page(doc.users, doc.more, doc.total)

    seen: set[str] = set()
    for reading in range(1, ASK_AGAIN + 1):
        async for chunk in overlapping(fetch, _id_of):
            fresh = tuple(_record(user) for user in chunk.rows if user.id not in seen)
            seen.update(record.external_id for record in fresh)
            missing = max((chunk.total or 0) - len(seen), 0)
            whole = chunk.last and not missing and not chunk.cut
            ended = whole or chunk.cut or (chunk.last and reading == ASK_AGAIN)
            gaps = _gaps(chunk, len(seen)) if ended else ()
            total = max(chunk.total, len(seen)) if chunk.total is not None else None
            yield Batch("members", fresh, len(seen), total, "members", whole, gaps, ended)
        if ended:
            return


def _id_of(user: UserDoc) -> str:
    return user.id


def _record(user: UserDoc) -> MemberRecord:
    return MemberRecord(
        external_id=user.id,
        email=user.email.strip(),
        name=user.name,
        role=user.role,
        invited=user.invitation_sent,
        url=user.html_url,
        job_title=user.job_title,
        teams=tuple(team.summary for team in user.teams if team.summary)[:100],
    )


def _gaps(chunk: Chunk[UserDoc], read: int) -> tuple[Gap, ...]:
    if not chunk.last or (not chunk.cut and read >= (chunk.total or 0)):
        return ()
    counted = f"{chunk.total:,}" if chunk.total is not None else "more"
    why = (
        "PagerDuty lists no more than 10,000 people."
        if chunk.cut
        else "PagerDuty counts more people than it lists."
    )
    return (
        Gap(
            "members",
            f"{read:,} of {counted} members were read; nobody is marked as gone.",
            why,
            "Nothing to do here: this is a limit of PagerDuty's interface."
            if chunk.cut
            else "Nothing to do: Seatwise reads the list again with the next sync.",
        ),
    )
