"""Whom the last few searches in an account found, so that further pages of them come at once."""

from collections.abc import Callable, Hashable, Sequence
from typing import Final

from .people import Person

REMEMBERED: Final = 8  # searches; each may have found everybody


class Searches:
    """Remembers the newest searches among the same people, and none among others."""

    def __init__(self) -> None:
        self._people: Sequence[Person] = ()
        self._found: dict[Hashable, Sequence[Person]] = {}

    def found(
        self,
        people: Sequence[Person],
        wanted: Hashable,
        search: Callable[[], Sequence[Person]],
    ) -> Sequence[Person]:
        """What `search` finds, or found before for the same `wanted` among the same people.

        The people are the same while they are the very same list: a roster makes another one
        whenever somebody comes, goes or changes.
        """
        if self._people is not people:
            self._people, self._found = people, {}
        found = self._found.pop(wanted, None)
        self._found[wanted] = search() if found is None else found  # the newest is the last
        if len(self._found) > REMEMBERED:
            del self._found[next(iter(self._found))]
        return self._found[wanted]
