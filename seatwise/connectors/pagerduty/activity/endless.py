"""Keeps pages that are found by a cursor from going on for ever."""

from seatwise.connectors.errors import BrokenAnswer

MOST_PAGES = 10_000  # of one question


class Endless:
    """What the pages so far began with, and were continued by."""

    def __init__(self, what: str) -> None:
        self._what = what  # "PagerDuty's analytics promised more rows"
        self._cursors: set[str] = set()
        # By its first row alone a page is known again, for the others may be very many.
        self._begun: set[str] = set()

    def check(self, cursor: str, first: str | None) -> None:
        """For a page that promises more. Raises BrokenAnswer where it has nothing new.

        `first` is the name of its first row, "" where that has none, None where there is no row.
        """
        if not cursor or cursor in self._cursors or first is None or first in self._begun:
            raise BrokenAnswer(f"{self._what} and sent none.")
        self._cursors.add(cursor)
        if first:
            self._begun.add(first)
        if len(self._cursors) >= MOST_PAGES:
            raise BrokenAnswer(f"{self._what} on {MOST_PAGES:,} pages.")
