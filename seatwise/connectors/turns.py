"""Waiting for one's turn to send a request, on whatever event loop one runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from seatwise.connectors.pace import Pace, Turn
from seatwise.connectors.patience import Patience


class TooLong(Exception):
    """The vendor's limit opens again only in `after` seconds; nothing was sent."""

    def __init__(self, after: float) -> None:
        super().__init__(f"{after:g} seconds")
        self.after = after


@asynccontextmanager
async def taken(pace: Pace, endpoint: str, patience: Patience) -> AsyncIterator[Turn]:
    """A place under way for one request, as soon as it is its turn.

    Raises TooLong where that would take longer than a rate limit's minute.
    """
    woken = asyncio.Event()
    turn = pace.line_up(
        endpoint, partial(asyncio.get_running_loop().call_soon_threadsafe, woken.set)
    )
    try:
        while (wait := pace.wait(turn, patience.clock())) != 0:
            if wait is None:
                await woken.wait()
                woken.clear()
            elif wait > patience.longest_window:
                raise TooLong(wait)
            else:
                await patience.pause(min(wait, patience.longest_pause))
        yield turn
    finally:
        pace.leave(turn)
