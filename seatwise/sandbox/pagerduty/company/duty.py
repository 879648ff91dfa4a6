"""Who is on call: seats in rotations, the schedules made of them, and whom a policy calls when.

Times are seconds since 1970, windows half-open. A turn is held by one person from end to end:
whoever is away or no longer there is covered by the next in the rotation (an override).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from .codes import DAY
from .people import Person, Seat, Team

REMEMBERED: Final = 64  # turns of a layer


class Shift(NamedTuple):
    """A stretch of being on call."""

    start: int
    end: int
    person: Person


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of each day, by the clock on the wall, at which a layer is in force."""

    start: int  # seconds after local midnight
    seconds: int

    def cover(self, at: int, zone: ZoneInfo) -> bool:
        """Whether the moment lies in them."""
        local = datetime.fromtimestamp(at, zone)
        into = local.hour * 3600 + local.minute * 60 + local.second
        return (into - self.start) % DAY < self.seconds

    def borders(self, since: int, until: int, zone: ZoneInfo) -> Iterator[int]:
        """The moments in the window at which they begin or end."""
        day = datetime.fromtimestamp(since, zone).date() - timedelta(days=1)
        while True:
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - by the wall clock
            walls = (
                midnight + timedelta(seconds=s) for s in (self.start, self.start + self.seconds)
            )
            # an hour may come twice or never, and then the clock's jump may be a border too
            found = {
                int(w.replace(tzinfo=zone, fold=fold).timestamp()) for w in walls for fold in (0, 1)
            }
            for at in found | _jump(midnight, zone):
                if since < at < until:
                    yield at
            if int(midnight.replace(tzinfo=UTC).timestamp()) > until + DAY:
                return
            day += timedelta(days=1)


def _jump(midnight: datetime, zone: ZoneInfo) -> set[int]:
    """The second of that day in which the clock on the wall is put forward or back, if any."""
    low, high = (
        int((midnight + timedelta(days=n)).replace(tzinfo=zone).timestamp()) for n in (0, 1)
    )
    before = datetime.fromtimestamp(low, zone).utcoffset()
    if datetime.fromtimestamp(high, zone).utcoffset() == before:
        return set()
    while high - low > 1:
        middle = (low + high) // 2
        same = datetime.fromtimestamp(middle, zone).utcoffset() == before
        low, high = (middle, high) if same else (low, middle)
    return {high}


@dataclass(frozen=True, eq=False)
class Layer:
    """A rotation: its seats take turns of equal length, for ever."""

    id: str
    name: str
    start: int  # the first turn's
    turn: int  # seconds
    seats: tuple[Seat, ...]
    hours: Hours | None = None
    _turns: dict[int, Person | None] = field(default_factory=dict, repr=False)

    def nominal(self, at: int) -> Person | None:
        """Whose turn it is by the rotation alone; nobody's where nobody of it can take it."""
        if self.holder(at) is None:
            return None
        turn = (at - self.start) // self.turn
        return self.seats[turn % len(self.seats)].at(self.start + turn * self.turn)

    def holder(self, at: int) -> Person | None:
        """Who really has the turn; None when nobody of the rotation can."""
        turn = (at - self.start) // self.turn
        if turn not in self._turns:
            if len(self._turns) >= REMEMBERED:
                self._turns.clear()
            self._turns[turn] = self._cover(turn)
        return self._turns[turn]

    def borders(self, since: int, until: int) -> Iterator[int]:
        """The moments in the window at which a turn begins."""
        first = (since - self.start) // self.turn + 1
        yield from range(self.start + first * self.turn, until, self.turn)

    def _cover(self, turn: int) -> Person | None:
        begin = self.start + turn * self.turn
        last = begin + self.turn - 1
        for k in range(len(self.seats)):
            person = self.seats[(turn + k) % len(self.seats)].at(begin)
            there = person is not None and last < person.until and not person.invited
            if there and person and person.presence.covers(begin) and person.presence.covers(last):
                return person
        return None


@dataclass(frozen=True, eq=False)
class Schedule:
    """Layers on top of each other, the first on top."""

    id: str
    name: str
    team: Team
    time_zone: str
    layers: tuple[Layer, ...]
    _simple: bool = field(init=False, repr=False)  # every layer is always in force

    def __post_init__(self) -> None:
        object.__setattr__(self, "_simple", all(layer.hours is None for layer in self.layers))

    def holder(self, at: int) -> Person | None:
        """Who is on call at that moment."""
        for layer in self._layers(at):
            person = layer.holder(at)
            if person is not None:
                return person
        return None

    def shifts(self, since: int, until: int) -> list[Shift]:
        """Who is on call in the window, as whole shifts: the first and last may reach beyond."""
        return self._shifts(since, until, self._real)

    def overrides(self, since: int, until: int) -> list[Shift]:
        """The shifts of the window that somebody else holds than the rotation says."""
        return self._shifts(since, until, self._stand_in)

    def turns(self, layer: Layer, since: int, until: int) -> list[Shift]:
        """Whose turns they are in one layer by its rotation alone."""

        def nominal(at: int) -> tuple[Layer, Person] | None:
            person = layer.nominal(at) if layer in self._layers(at) else None
            return (layer, person) if person else None

        return self._shifts(since, until, nominal)

    def _layers(self, at: int) -> Sequence[Layer]:
        """The layers in force at that moment, from the top."""
        if self._simple:
            return self.layers
        zone = ZoneInfo(self.time_zone)
        return [each for each in self.layers if each.hours is None or each.hours.cover(at, zone)]

    def _real(self, at: int) -> tuple[Layer, Person] | None:
        found = ((layer, layer.holder(at)) for layer in self._layers(at))
        return next(((layer, person) for layer, person in found if person), None)

    def _stand_in(self, at: int) -> tuple[Layer, Person] | None:
        turns = (layer.nominal(at) for layer in self._layers(at))
        real, planned = self._real(at), next(filter(None, turns), None)
        return real if real and (planned is None or planned.id != real[1].id) else None

    def _shifts(
        self, since: int, until: int, whose: Callable[[int], tuple[Layer, Person] | None]
    ) -> list[Shift]:
        """The window, widened to whole turns and cut wherever somebody else may begin."""
        if self._simple and len(self.layers) == 1:  # most are, and there are thousands of them
            layer = self.layers[0]
            first = since - (since - layer.start) % layer.turn
            turns = ((at, whose(at)) for at in range(first, until, layer.turn))
            return [Shift(at, at + layer.turn, held[1]) for at, held in turns if held]
        reach = max(layer.turn for layer in self.layers)
        low, high = since - reach, until + reach
        cuts, zone = {low, high}, ZoneInfo(self.time_zone)
        for layer in self.layers:
            cuts.update(layer.borders(low, high))
            if layer.hours is not None:
                cuts.update(layer.hours.borders(low, high, zone))
        ordered, joined, before = sorted(cuts), list[Shift](), None
        for start, end in pairwise(ordered):
            held = whose(start)
            turn = held and (held[0], (start - held[0].start) // held[0].turn)
            if held and turn == before:  # cut by another layer's border only
                joined[-1] = Shift(joined[-1].start, end, held[1])
            elif held:
                joined.append(Shift(start, end, held[1]))
            before = turn
        return [shift for shift in joined if shift.start < until and shift.end > since]


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a policy: whom to call, and how long to wait for them."""

    id: str
    minutes: int
    targets: tuple[Schedule | Seat, ...]


@dataclass(frozen=True, eq=False)
class Policy:
    """Whom to call first, whom next, until somebody answers."""

    id: str
    name: str
    team: Team | None
    levels: tuple[Level, ...]
    loops: int = 2

    def called(self, level: int, at: int) -> tuple[Person, ...]:
        """Who is called at that level at that moment (each once)."""
        found: list[Person] = []
        for target in self.levels[level].targets:
            person = target.holder(at) if isinstance(target, Schedule) else target.at(at)
            if person is not None and person not in found:
                found.append(person)
        return tuple(found)
