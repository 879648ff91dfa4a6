"""How long and how often a vendor is asked, and what it says about waiting itself."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

A_DAY = 86_400.0  # seconds; a longer wait than this is nonsense and not believed


@dataclass(frozen=True, slots=True)
class Patience:
    """The limits of asking. All times in seconds."""

    tries: int = 4
    deadline: float = 60.0  # for one request, from connecting to the last byte
    first_pause: float = 1.0  # a random wait up to this, doubled at each try
    longest_pause: float = 30.0  # at a stretch
    hopeless: float = 30.0  # whoever is told to wait longer gives its worker back
    longest_window: float = 60.0  # a rate limit's minute, which is waited out
    most_bytes: int = 20_000_000  # of a body, unpacked
    in_flight: int = 8  # requests to one account at once
    share: float = 0.8  # of an account's rate limit; the rest is for the customer's own tools
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic

    def before_try(self, attempt: int, said: float | None) -> float | None:
        """Seconds to wait after the given attempt (from 1); None when it is time to give up.

        `said` is what the vendor asked for. Where it said nothing the wait is random (full
        jitter), so that many workers do not come back in step.
        """
        if attempt >= self.tries:
            return None
        if said is None:
            span = min(self.first_pause * 2 ** (attempt - 1), self.longest_pause)
            return random.uniform(0, span)  # noqa: S311 - spreads load, guards no secret
        return min(said, self.longest_pause) if said <= self.hopeless else None


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """What a refusal asks to wait; None where it says nothing or nonsense."""
    for name in ("retry-after", "ratelimit-reset"):
        value = headers.get(name)
        seconds = _number(value)
        if seconds is None and value:
            seconds = _seconds_until(value)
        if seconds is not None and 0 <= seconds <= A_DAY:
            return seconds
    return None


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate limit as an answer tells it. `limit` is None where only the rest was told."""

    remaining: int
    reset: float  # seconds until it opens again
    limit: int | None


def limit_told(headers: Mapping[str, str], prefix: str = "") -> Limit | None:
    """The limit in `ratelimit-*`; None unless both what is left and until when were told."""
    remaining = _number(headers.get(f"{prefix}ratelimit-remaining"))
    reset = _number(headers.get(f"{prefix}ratelimit-reset"))
    limit = _number(headers.get(f"{prefix}ratelimit-limit"))
    if remaining is None or reset is None or reset > A_DAY:
        return None
    return Limit(int(remaining), reset, int(limit) if limit else None)


def _number(value: str | None) -> float | None:
    value = (value or "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 12 else None


def _seconds_until(http_date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
