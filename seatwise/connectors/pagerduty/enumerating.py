"""Reading a list to its end, or going on with it, and telling whether anybody is missing."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

from seatwise.connectors.pagerduty.paging import (
    CEILING,
    Chunk,
    Fetch,
    Key,
    Place,
    overlapping,
    unseen,
)

R = TypeVar("R")


async def enumerated(
    fetch: Fetch[R],
    key: Key[R],
    *,
    ceiling: int = CEILING,
    place: Place | None = None,
    read: Collection[str] = (),
) -> AsyncGenerator[Chunk[R], None]:
    """As `overlapping`, but read a second time where the vendor counts more rows than came.

    The last chunk says how many are lacking even then. A total may shrink by a row a page, for
    rows may go meanwhile; the largest counts where it shrinks faster, or is not told any more.
    From a `place` it goes on only where just those rows were `read` that were met up to there:
    whoever was read at another time and has gone would make up for somebody who is lacking.
    """
    if place and place.met != len(read):
        place = Place()
    seen = set(read if place else ())
    pages, largest = (place.pages, place.largest) if place else (0, 0)
    for again in (False, True):
        chunks = overlapping(fetch, key, ceiling=ceiling, place=None if again else place)
        async with aclosing(chunks):
            async for chunk in chunks:
                if chunk.anew:
                    seen, pages, largest = set(), 0, 0
                rows = unseen(chunk.rows, [key(row) for row in chunk.rows], seen)
                pages, largest = pages + 1, max(largest, chunk.total or 0)
                lacking = max(largest - pages + 1, chunk.total or 0) - len(seen)
                lacking = max(lacking, 0)
                last = chunk.last and (again or chunk.cut or not lacking)
                here = replace(chunk.place, met=len(seen), pages=pages, largest=largest)
                if again or chunk.last:  # a second pass is not gone on with: all is read anew
                    here = Place(met=len(seen))
                told = lacking if last else 0
                yield replace(chunk, rows=rows, last=last, lacking=told, place=here)
                if last:
                    return
        pages = largest = 0
