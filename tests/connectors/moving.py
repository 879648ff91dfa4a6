"""A vendor's list of people that moves between any two questions, in memory."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from hypothesis import strategies as st

from seatwise.connectors.pagerduty.members import UsersDoc
from seatwise.connectors.pagerduty.paging import Page

Change = tuple[str, float, float]
COMES_OR_GOES = ("joins", "leaves")


def changes(kinds: Sequence[str], most: int = 6) -> st.SearchStrategy[list[Change]]:
    """What happens in one moment: a kind, whom it concerns and where to, both as a share."""
    share = st.floats(0, 1)
    return st.lists(st.tuples(st.sampled_from(kinds), share, share), max_size=most)


class Moving:
    """People in the order in which they are listed; each name ends as its address does."""

    def __init__(self, size: int, rows: int, ends: str = "x") -> None:
        self.rows = rows  # a page
        self._numbers = count()
        self._ends = ends
        self.people = [self._somebody() for _ in range(size)]
        self.address = {who: self._address(who) for who in self.people}
        self.stayed = set(self.people)  # from the beginning until now
        self.renamed: set[str] = set()
        self.during: Iterator[list[Change]] = iter(())
        self.asked = 0
        self.hidden = ""  # somebody who is counted and not listed

    def happen(self, moment: Iterable[Change]) -> None:
        """Lets people join, leave, or be renamed, which moves them in the list."""
        for kind, share, to in moment:
            where = int(share * len(self.people))
            if kind == "joins":
                who = self._somebody()
                self.people.insert(where, who)
                self.address[who] = self._address(who)
            elif self.people:
                who = self.people.pop(min(where, len(self.people) - 1))
                if kind == "leaves":
                    self.stayed.discard(who)
                else:
                    self.renamed.add(who)
                    self.people.insert(int(to * len(self.people)), who)
                    self.address[who] = self._address(f"{who}{int(to * 97)}")

    async def fetch(self, offset: int, limit: int, search: str = "") -> Page[str]:
        """A page, after which something happens."""
        await asyncio.sleep(0)
        self.asked += 1
        found = [who for who in self.people if search in self.address[who]]
        rows = found[offset : offset + min(limit, self.rows)]
        more = offset + len(rows) < len(found)
        page = Page([who for who in rows if who != self.hidden], more, len(found))
        self.happen(next(self.during, []))
        return page

    async def get(
        self, path: str, document: type[UsersDoc], params: Sequence[tuple[str, str]]
    ) -> UsersDoc:
        """As the vendor's own interface does it."""
        told: dict[str, Any] = dict(params)
        page = await self.fetch(int(told["offset"]), int(told["limit"]), told.get("query", ""))
        users = [{"id": who, "email": self.address[who]} for who in page.rows]
        return document.model_validate({"users": users, "more": page.more, "total": page.total})

    def _somebody(self) -> str:
        return f"P{next(self._numbers):03}"

    def _address(self, seed: str) -> str:
        number = sum(ord(c) * 7**n for n, c in enumerate(seed))
        ends = self._ends
        return f"{ends[number // len(ends) % len(ends)]}{ends[number % len(ends)]}@x.example"
