"""What a simulated vendor is made of: how large, how old, how slow, on which plan."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

PLANS: Final = ("free", "professional", "business", "enterprise")
DAILY: Final = 14  # incidents of the first account, where nobody says how many there were


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The wishes of whoever starts a sandbox. Raises ValueError when they make no sense.

    `users` and `incidents` size the first account; the incidents are spread over the `months`,
    which end with the present one, so that the last of them lie in its future. `now` stops the
    companies' clock; the lives of codes and tokens always run on the real one.
    """

    seed: int = 1
    users: int = 250
    incidents: int | None = None
    months: int = 14
    accounts: int = 2
    plan: str = "business"
    latency_ms: int = 0  # before every answer of the vendor
    rate_limit: int = 960  # requests a minute
    now: datetime | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("users", 1, 200_000),
            ("months", 1, 120),
            ("accounts", 1, 50),
            ("latency_ms", 0, 60_000),
            ("rate_limit", 1, 10_000_000),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be between {low:,} and {high:,}")
        if self.incidents is not None and not 0 <= self.incidents <= 10_000_000:
            raise ValueError("incidents must be between 0 and 10,000,000")
        if self.plan not in PLANS:
            raise ValueError(f"plan must be one of {', '.join(PLANS)}")
        if self.now is not None and self.now.tzinfo is None:
            raise ValueError("now needs a time zone")

    @property
    def frozen(self) -> datetime | None:
        """The moment the companies' clock stands at, in UTC, or None while it runs."""
        return self.now.astimezone(UTC) if self.now else None
