"""Members: the people PagerDuty lists, who all hold a seat, invited people included."""

from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated

from seatwise.connectors.pagerduty.api import Api, PageDoc
from seatwise.connectors.pagerduty.enumerating import enumerated
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
from seatwise.connectors.pagerduty.paging import CEILING, Chunk, Page, Place, unseen
from seatwise.connectors.pagerduty.places import Begun, ending, of_page, written
from seatwise.connectors.records import Batch, Gap, MemberRecord

ENDINGS = "enrstaldyoimhkcgbpfuvwxzjq0123456789._-+"  # of what stands before the @
MOST_CHARACTERS = 100
MOST_SEARCHES = 5_000  # requests are bounded, whatever a vendor makes of a search
MOST_AHEAD = 100  # groups of searches that a place may name; beyond it, all is searched anew


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


async def read_members(
    api: Api, ceiling: int = CEILING, begun: Begun | None = None
) -> AsyncGenerator[Batch, None]:
    """Every user once, a page a batch; the last has ended, and is complete if nobody is missing.

    More people than PagerDuty lists at once, which is the `ceiling`, are searched for by their
    addresses. What an earlier attempt has `begun` is gone on with where as many people are listed
    as were then, in the same order as far as can be seen, and nobody is handed over again.
    Otherwise all are read and handed over anew, for who moved could be missed. Raises VendorError.
    """
    listing = _Listing(api, ceiling, begun)
    if not await listing.goes_on_searching():
        async with aclosing(listing.everybody()) as chunks:
            async for chunk in chunks:
                too_long = chunk.cut or (chunk.total or 0) > ceiling
                if too_long:
                    listing.search_for_all()
                yield listing.batch(chunk, ended=chunk.last and not too_long)
                if too_long:
                    break
            else:
                return
    async with aclosing(_search_for_all(listing)) as batches:
        async for batch in batches:
            yield batch


async def _search_for_all(listing: "_Listing") -> AsyncGenerator[Batch, None]:
    """Everybody of a list that is longer than the ceiling, or whom no search has found yet.

    Whoever has an e-mail address has one character before its @, so the searches for "a@", "b@"
    and so on find everybody once. How PagerDuty searches is not documented to the letter: its own
    count says whether all were found. Where not, what it lists without a search is read, too, for
    it may show characters that nobody thought of.
    """
    if listing.phase == "usual":
        async with aclosing(_search(listing)) as batches:
            async for batch in batches:
                yield batch
        if await listing.count_missing():
            listing.begin("listed")
    if listing.phase == "listed":
        async with aclosing(listing.read()) as chunks:
            async for chunk in chunks:
                if chunk.last:
                    listing.begin("others", (c for c in listing.characters if c not in ENDINGS))
                yield listing.batch(chunk)
    if listing.phase == "others":
        async with aclosing(_search(listing)) as batches:
            async for batch in batches:
                yield batch
        await listing.count_missing()
    yield listing.batch(Chunk((), listing.total, last=True, cut=True), ended=True)


async def _search(listing: "_Listing") -> AsyncGenerator[Batch, None]:
    """Those whom the searches ahead find. What finds too many is narrowed from the left."""
    for _ in range(MOST_SEARCHES):
        if not listing.ahead:
            return
        search, wider = listing.ahead[0].next()
        async with aclosing(listing.read(search)) as chunks:
            async for chunk in chunks:
                found = chunk.total or 0
                too_many = found > listing.ceiling
                if too_many or chunk.last:
                    listing.ahead[0].pass_on(listing.ahead)
                # A search that narrows nothing down would go on for ever.
                if too_many and (wider is None or found < wider):
                    listing.ahead.append(_Searches(search, found, "".join(listing.characters)))
                yield listing.batch(chunk)
                if too_many:
                    break


@dataclass(slots=True)
class _Searches:
    """The same end of an address, with each of some characters before it."""

    end: str
    wider: int | None  # how many that end alone finds
    characters: str

    def next(self) -> tuple[str, int | None]:
        """What to search for, and how many a wider search found."""
        return self.characters[0] + self.end, self.wider

    def pass_on(self, ahead: "deque[_Searches]") -> None:
        """The next of them is done; the last takes them all from the front of those ahead."""
        self.characters = self.characters[1:]
        if not self.characters:
            ahead.popleft()


class _Listing:
    """The people met so far, how many there are, and what is still to be searched for."""

    def __init__(self, api: Api, ceiling: int, begun: Begun | None) -> None:
        self.ceiling = ceiling
        self.characters = dict.fromkeys(ENDINGS)  # that stand before the @ of addresses
        self.total: int | None = None  # as PagerDuty counted last, or at most while one searches
        self.phase: str = ""  # of a search: "usual", "listed" and "others"
        self.ahead: deque[_Searches] = deque()
        self._api = api
        self._begun = begun
        self._read = frozenset(begun.read if begun else ())  # handed over by earlier attempts
        self._seen: set[str] = set(self._read)
        self._done = len(self._read)
        self._counted: int | None = None  # by PagerDuty, when it was asked last

    async def goes_on_searching(self) -> bool:
        """Whether it takes up an earlier search: nobody was lost of it, and as many are there."""
        place = self._begun.place if self._begun else {}
        if "search" not in place:
            return False
        if place["met"] == len(self._read):
            await self._page("", 0, 1)
            if self._counted == place["counted"]:
                self.phase, self.total = place["search"], place["total"]
                self.characters = dict.fromkeys(place["characters"])
                self.ahead = deque(_Searches(*each) for each in place["ahead"])
                return True
        self._begun = Begun({}, self._read)
        return False

    def search_for_all(self) -> None:
        """From now on people are searched for."""
        self.begin("usual", ENDINGS)

    def begin(self, name: str, characters: Iterable[str] = ()) -> None:
        """A pass of the search, with these characters before the @."""
        ends = "".join(characters)
        self.phase = name
        self.ahead = deque([_Searches("@", self.total, ends)] if ends else [])

    async def count_missing(self) -> int:
        """Asks how many there are by now; so many of them have not been met."""
        await self._page("", 0, 1)
        return max((self.total or 0) - len(self._seen), 0)

    def everybody(self) -> AsyncGenerator[Chunk[UserDoc], None]:
        """All whom PagerDuty lists, or those it lists from the place on that was left."""
        if self._begun is None:
            return self.read()
        return self.read(place=self._begun.page() if self._begun.place else Place())

    async def read(
        self, search: str = "", place: Place | None = None
    ) -> AsyncGenerator[Chunk[UserDoc], None]:
        """Those whose address or name holds that, or everybody as far as PagerDuty lists them."""

        async def fetch(offset: int, limit: int) -> Page[UserDoc]:
            return await self._page(search, offset, limit)

        pages = enumerated(fetch, _id_of, ceiling=self.ceiling, place=place, read=self._read)
        async with aclosing(pages) as chunks:
            async for chunk in chunks:
                yield chunk

    def batch(self, chunk: Chunk[UserDoc], *, ended: bool = False) -> Batch:
        """The records of people not met before; of the last one, what is known of the others."""
        if chunk.anew:  # whoever has gone since must not make up for somebody who is missing
            self._seen, self._read, self._done = set(), frozenset(), 0
        met = unseen(chunk.rows, [user.id for user in chunk.rows], self._seen)
        fresh = tuple(_record(user) for user in met if user.id not in self._read)
        self._done += len(fresh)
        read, total = len(self._seen), self.total
        lacking = chunk.lacking or max((total or 0) - read, 0)
        whole = ended and not lacking and not (chunk.cut and total is None)
        return Batch(
            "members",
            fresh,
            self._done,
            None if total is None else max(total, self._done + chunk.lacking),
            "members",
            complete=whole,
            gaps=(_gap(read, read + lacking if total is not None else None, chunk.cut),)
            if ended and not whole
            else (),
            ended=ended,
            place=self._place(chunk, ended, whole),
            anew=chunk.anew,
        )

    def _place(self, chunk: Chunk[UserDoc], ended: bool, whole: bool) -> dict[str, object] | None:
        met = len(self._seen)
        if ended:
            return ending("members", complete=whole, met=met)
        if not self.phase:
            return of_page("members", chunk.place)
        if len(self.ahead) > MOST_AHEAD:
            return None
        return written(
            "members",
            search=self.phase,
            ahead=[[each.end, each.wider, each.characters] for each in self.ahead],
            characters="".join(self.characters),
            counted=self._counted,
            total=self.total,
            met=met,
        )

    async def _page(self, search: str, offset: int, limit: int) -> Page[UserDoc]:
        params = [("limit", str(limit)), ("offset", str(offset)), ("total", "true")]
        if search:
            params.append(("query", search))
        doc = await self._api.get("/users", UsersDoc, params)
        if not search:
            self._counted = doc.total
        if not search and self.phase and doc.total is not None:
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
