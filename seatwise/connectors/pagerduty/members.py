"""Members: the people PagerDuty lists, who all hold a seat, invited people included."""

from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
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
from seatwise.connectors.pagerduty.paging import CEILING, Chunk, Page, enumerated
from seatwise.connectors.records import Batch, Gap, MemberRecord

ENDINGS = "enrstaldyoimhkcgbpfuvwxzjq0123456789._-+"  # of what stands before the @
MOST_CHARACTERS = 100
MOST_SEARCHES = 5_000  # requests are bounded, whatever a vendor makes of a search


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


async def read_members(api: Api, ceiling: int = CEILING) -> AsyncGenerator[Batch, None]:
    """Every user once, a page a batch; the last has ended, and is complete if nobody is missing.

    More people than PagerDuty lists at once, which is the `ceiling`, are searched for by their
    addresses. Raises VendorError.
    """
    listing = _Listing(api, ceiling)
    async with aclosing(listing.read()) as chunks:
        async for chunk in chunks:
            too_long = chunk.cut or (chunk.total or 0) > ceiling
            yield listing.batch(chunk, ended=chunk.last and not too_long)
            if too_long:
                break
        else:
            return
    async with aclosing(_search_for_all(listing)) as batches:
        async for batch in batches:
            yield batch


async def _search_for_all(listing: "_Listing") -> AsyncGenerator[Batch, None]:
    """Everybody of a list that is longer than the ceiling.

    Whoever has an e-mail address has one character before its @, so the searches for "a@", "b@"
    and so on find everybody once. How PagerDuty searches is not documented to the letter: its own
    count says whether all were found. Where not, what it lists without a search is read, too, for
    it may show characters that nobody thought of.
    """
    listing.searching = True
    async with aclosing(_search(listing, ENDINGS)) as batches:
        async for batch in batches:
            yield batch
    if await listing.count_missing():
        async with aclosing(listing.read()) as chunks:
            async for chunk in chunks:
                yield listing.batch(chunk)
        others = [end for end in listing.characters if end not in ENDINGS]
        async with aclosing(_search(listing, others)) as batches:
            async for batch in batches:
                yield batch
        await listing.count_missing()
    yield listing.batch(Chunk((), listing.total, last=True, cut=True), ended=True)


async def _search(listing: "_Listing", ends: Iterable[str]) -> AsyncGenerator[Batch, None]:
    """Those before whose @ one of these stands. What finds too many is narrowed from the left."""
    searches = deque((f"{end}@", listing.total) for end in ends)
    for _ in range(MOST_SEARCHES):
        if not searches:
            return
        search, wider = searches.popleft()
        async with aclosing(listing.read(search)) as chunks:
            async for chunk in chunks:
                yield listing.batch(chunk)
                found = chunk.total or 0
                if found > listing.ceiling:
                    # A search that narrows nothing down would go on for ever.
                    if wider is None or found < wider:
                        searches += [(c + search, found) for c in listing.characters]
                    break


class _Listing:
    """The people met so far, and how many there are."""

    def __init__(self, api: Api, ceiling: int) -> None:
        self.ceiling = ceiling
        self.characters = dict.fromkeys(ENDINGS)  # that stand before the @ of addresses
        self.total: int | None = None  # as PagerDuty counted last, or at most while one searches
        self.searching = False
        self._api = api
        self._seen: set[str] = set()

    async def count_missing(self) -> int:
        """Asks how many there are by now; so many of them have not been met."""
        await self._page("", 0, 1)
        return max((self.total or 0) - len(self._seen), 0)

    async def read(self, search: str = "") -> AsyncGenerator[Chunk[UserDoc], None]:
        """Those whose address or name holds that, or everybody as far as PagerDuty lists them."""

        async def fetch(offset: int, limit: int) -> Page[UserDoc]:
            return await self._page(search, offset, limit)

        async with aclosing(enumerated(fetch, _id_of, ceiling=self.ceiling)) as chunks:
            async for chunk in chunks:
                yield chunk

    def batch(self, chunk: Chunk[UserDoc], *, ended: bool = False) -> Batch:
        """The records of people not met before; of the last one, what is known of the others."""
        fresh = tuple(_record(user) for user in chunk.rows if user.id not in self._seen)
        self._seen.update(record.external_id for record in fresh)
        done, total = len(self._seen), self.total
        lacking = chunk.lacking or max((total or 0) - done, 0)
        whole = ended and not lacking and not (chunk.cut and total is None)
        return Batch(
            "members",
            fresh,
            done,
            None if total is None else max(total, done + chunk.lacking),
            "members",
            complete=whole,
            gaps=(_gap(done, done + lacking if total is not None else None, chunk.cut),)
            if ended and not whole
            else (),
            ended=ended,
        )

    async def _page(self, search: str, offset: int, limit: int) -> Page[UserDoc]:
        params = [("limit", str(limit)), ("offset", str(offset)), ("total", "true")]
        if search:
            params.append(("query", search))
        doc = await self._api.get("/users", UsersDoc, params)
        if not search and self.searching and doc.total is not None:
            # Whoever was met and has gone must not hide somebody who was not met.
            self.total = max(doc.total, self.total or 0)
        elif not search:
            self.total = doc.total
        for user in doc.users:
            for character in user.email.partition("@")[0].casefold():
                if len(self.characters) < MOST_CHARACTERS:
                    self.characters.setdefault(character)
        return Page(doc.users, doc.more, doc.total)


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


def _gap(read: int, total: int | None, cut: bool) -> Gap:
    counted = f"{total:,}" if total is not None else "more"
    return Gap(
        "members",
        f"{read:,} of {counted} members were read; nobody is marked as gone.",
        "PagerDuty lists no more than 10,000 people at once, and searching did not find the rest."
        if cut
        else "PagerDuty counts more people than it lists.",
        "Nothing to do: Seatwise reads the list again with the next sync.",
    )
