"""How fast one account is asked: several requests at once, never the whole of its rate limit.

A vendor counts requests for an account and says with each answer how many are left. Everybody
in this process who reads the same account shares one `Pace`, so that together they leave a part
of the limit to the customer's own tools. Nothing here waits or looks at a clock: callers bring
the time, in seconds on a clock that never goes back, and do the waiting.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from seatwise.connectors.patience import Limit, limit_told, seconds_to_wait

LONGEST_WINDOW = 60.0  # seconds: the minute that request limits are counted in
SAME_WINDOW = 1.5  # seconds; resets are told in whole ones and answers take their time


@dataclass(eq=False, slots=True)
class Turn:
    """One request's place: first in the line, then under way. `wake` may come from any thread."""

    endpoint: str
    wake: Callable[[], object]
    number: int = 0  # of those sent, from 1; 0 while it stands in line
    window: int = 0  # the one in which it was sent


@dataclass(slots=True)
class _Window:
    """What is known of the limit's present window. Without `left` nothing is known to limit us."""

    number: int = 0
    confirmed: bool = False  # an answer to a request of this window has come
    limit: int | None = None
    left: int | None = None  # when all that was sent has been counted
    reset: float | None = None  # when the next window opens


class Pace:
    """Lets the requests to one account go, in the order in which they came.

    `in_flight` requests may be under way at once, and of a limit of n at most `share` × n are
    used: no request goes while no more than the rest is left, whoever used it. Until an answer
    has confirmed how a window stands they go one at a time. Safe to use from several threads.
    """

    def __init__(self, in_flight: int = 8, share: float = 0.8) -> None:
        self._in_flight, self._share = in_flight, share
        # A turn may be given back by the garbage collector, in the middle of anything.
        self._lock = threading.RLock()
        self._line: deque[Turn] = deque()
        self._under_way: set[Turn] = set()
        self._sent = 0
        self._window = _Window()
        self._shut: dict[str, float] = {}  # endpoints, and until when

    def line_up(self, endpoint: str, wake: Callable[[], object]) -> Turn:
        """The last place in the line; `leave` must follow, whatever happens in between."""
        turn = Turn(endpoint, wake)
        with self._lock:
            self._line.append(turn)
        return turn

    def wait(self, turn: Turn, now: float) -> float | None:
        """0 when the request must go now; else seconds to wait; None: until it is woken."""
        with self._lock:
            if (shut := self._shut.get(turn.endpoint, now)) > now:
                return shut - now
            if self._line[0] is not turn or len(self._under_way) >= self._in_flight:
                return None
            window = self._open_window(now)
            if not window.confirmed and any(t.window == window.number for t in self._under_way):
                return None
            if self._is_used_up(window):
                return (window.reset or now) - now
            self._line.popleft()
            self._send(turn, window)
        return 0.0

    def heard(self, turn: Turn, status: int, headers: Mapping[str, str], now: float) -> None:
        """Heeds what an answer says about the limits."""
        with self._lock:
            minute, day = limit_told(headers), limit_told(headers, "daily-")
            if minute is not None and minute.reset > LONGEST_WINDOW:
                minute, day = None, minute
            if turn.window == self._window.number:
                self._heed(minute, turn, now)
            if day is not None and day.remaining <= self._kept(day.limit):
                self._shut[turn.endpoint] = now + day.reset
            said = seconds_to_wait(headers) if status == 429 else None
            if said is not None:
                self._refused(turn.endpoint, said, now)
            self._wake_first()

    def leave(self, turn: Turn) -> None:
        """Gives a place back, in the line or under way."""
        with self._lock:
            self._under_way.discard(turn)
            if not turn.number and turn in self._line:
                self._line.remove(turn)
            self._wake_first()

    def _open_window(self, now: float) -> _Window:
        """The present window: another one where the reset of the last is past."""
        old = self._window
        if old.reset is not None and old.reset <= now:
            self._window = _Window(old.number + 1, limit=old.limit, left=old.limit)
        return self._window

    def _is_used_up(self, window: _Window) -> bool:
        if window.left is None or window.reset is None:
            return False
        return window.left <= self._kept(window.limit)

    def _kept(self, limit: int | None) -> int:
        """How many of a limit are left to others. One request must always be possible.

        One of the share is kept, too: resets are told in whole seconds, so the request that
        looks whether the next window is open may still fall into this one.
        """
        return 0 if limit is None else limit - max(int(limit * self._share) - 1, 1)

    def _send(self, turn: Turn, window: _Window) -> None:
        self._sent += 1
        turn.number, turn.window = self._sent, window.number
        if window.left is not None:
            window.left -= 1
        self._under_way.add(turn)
        self._wake_first()

    def _heed(self, told: Limit | None, turn: Turn, now: float) -> None:
        window = self._window
        if told is None:
            if not window.confirmed:  # the vendor does not limit us any more
                window.limit = window.left = None
        else:
            # What was sent after this request was not counted when it was answered.
            left, reset = told.remaining - (self._sent - turn.number), now + max(told.reset, 1)
            if window.left is not None and window.reset is not None:
                if reset <= window.reset + SAME_WINDOW:
                    left = min(left, window.left)
                reset = max(reset, window.reset)
            window.limit, window.left, window.reset = told.limit, left, reset
        window.confirmed = True

    def _refused(self, endpoint: str, said: float, now: float) -> None:
        """A short wait is meant for everything; a long one is a limit of that endpoint alone."""
        if said > LONGEST_WINDOW:
            self._shut[endpoint] = max(self._shut.get(endpoint, 0.0), now + said)
            return
        window = self._window
        window.left = min(self._kept(window.limit), window.left or 0)
        window.reset = max(window.reset or 0.0, now + said)

    def _wake_first(self) -> None:
        while self._line:
            try:
                self._line[0].wake()
            except RuntimeError:  # whoever stood there is gone with its event loop
                self._line.popleft()
            else:
                return


@dataclass(slots=True)
class Paces:
    """The pace of each account that this process reads, by its API's host and its id."""

    _of: dict[tuple[str, str], Pace] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, host: str, account: str, *, in_flight: int, share: float) -> Pace:
        """The one pace of that account; whoever asks first says how fast it may be.

        It is kept for as long as the process lives: a reset that was told outlasts its reader.
        """
        with self._lock:
            return self._of.setdefault((host, account), Pace(in_flight, share))

    def forget(self) -> None:
        """Forgets every account, for tests whose clocks run apart."""
        with self._lock:
            self._of.clear()


PACES = Paces()  # a vendor's limit is the process's business, not one reading's
