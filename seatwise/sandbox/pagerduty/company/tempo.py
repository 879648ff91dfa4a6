"""How many incidents an account has on each day, and the second in which each of them begins.

Days are whole UTC days since 1970. Weekends are quiet, nights quieter than days, some months
busier than others, and one in five incidents follows another within a quarter of an hour.
"""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from itertools import accumulate
from math import cos, pi, sin
from typing import Final

from .codes import DAY, EVEN, Chance, words

BUSY_HOURS: Final = (2, 2, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 7, 8, 8, 7, 6, 5, 4, 4, 3, 3, 3, 2)
HOURS: Final = tuple(hour for hour, weight in enumerate(BUSY_HOURS) for _ in range(weight))
ZERO: Final = date(1970, 1, 1)
BURST: Final = 5  # every so-manieth incident belongs to the one before it
MONTHS, DAYS = -1, -2  # places in the account's chance that are no days


class Tempo:
    """The rhythm of one account with so many incidents in a mean month."""

    def __init__(self, chance: Chance, monthly: float) -> None:
        self.chance, self.monthly = chance, monthly
        self._stride: int = 10 ** len(str(int(monthly * 2) + 1))
        self._month: Callable[[int], tuple[int, list[int]]] = lru_cache(maxsize=None)(self._spread)

    def of_day(self, day: int) -> int:
        """How many incidents begin on that day."""
        first, starts = self._of(day)
        return starts[day - first + 1] - starts[day - first]

    def number(self, day: int) -> int:
        """The number of the day's first incident. A later one has a greater number, with gaps."""
        first, starts = self._of(day)
        at = date.fromordinal(ZERO.toordinal() + first)
        return (at.year * 12 + at.month - 2000 * 12) * self._stride + starts[day - first] + 1

    def beginnings(self, day: int) -> tuple[list[tuple[int, int]], list[bytes]]:
        """When the day's incidents begin, in order, each as (second since 1970, n).

        Beside it the faces of chance by n: each incident's whole story follows from its own.
        """
        faces = [self.chance.faces(day, n) for n in range(self.of_day(day))]
        times: list[tuple[int, int]] = []
        for n, face in enumerate(faces):
            if follows(n):
                at = times[-1][0] + 5 + words(face)[0] % 900
                times.append((min(at, day * DAY + DAY - 1), n))
            else:
                times.append((self.second(day, face), n))
        times.sort()
        return times, faces

    def second(self, day: int, face: bytes) -> int:
        """When an incident of that day begins, if it follows no other."""
        draws = words(face)
        hour = HOURS[draws[0] * len(HOURS) // EVEN]
        return day * DAY + hour * 3600 + draws[1] % 3600

    def _of(self, day: int) -> tuple[int, list[int]]:
        at = date.fromordinal(ZERO.toordinal() + day)
        return self._month(at.year * 12 + at.month - 1)

    def _spread(self, index: int) -> tuple[int, list[int]]:
        """The month's first day, and how many of its incidents begin before each of its days."""
        first = date(index // 12, index % 12 + 1, 1).toordinal()
        following = date((index + 1) // 12, (index + 1) % 12 + 1, 1).toordinal()
        noise = self.chance.draws(MONTHS, index)[0] / EVEN
        season = 1 + 0.12 * cos(2 * pi * (index % 12 - 10) / 12) + 0.08 * sin(2 * pi * index / 36)
        total = round(self.monthly * season * (0.94 + 0.12 * noise))
        weights = [
            (0.45 if date.fromordinal(day).weekday() > 4 else 1.0)
            * (0.7 + 0.6 * self.chance.draws(DAYS, day)[0] / EVEN)
            for day in range(first, following)
        ]
        sums = list(accumulate(weights, initial=0.0))
        return first - ZERO.toordinal(), [round(total * part / sums[-1]) for part in sums]


def follows(n: int) -> bool:
    """Whether a day's n-th incident belongs to the burst that the one before it began."""
    return n % BURST == BURST - 1
