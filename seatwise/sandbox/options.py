"""What a simulated vendor is made of: how large, how old, how slow, on which plan."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

PLANS: Final = ("free", "professional", "business", "enterprise")


MONTHLY: Final = 100_000  # incidents of a month, at most
FREE: Final = 5  # users of the free plan, at most
FIRST_YEAR, LAST_YEAR = 2016, 2140  # of all history


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
        if self.incidents is not None and not 0 <= self.incidents <= MONTHLY * self.months:
            raise ValueError(f"incidents must be between 0 and {MONTHLY:,} for each month")
        if self.plan not in PLANS:
            raise ValueError(f"plan must be one of {', '.join(PLANS)}")
        if self.plan == "free" and self.users > FREE:
            raise ValueError(f"users must be {FREE} at most on the free plan")
        self._check_now()

    def _check_now(self) -> None:
        if self.now is None:
            return
        if self.now.tzinfo is None:
            raise ValueError("now needs a time zone")
        begins = self.now.year * 12 + self.now.month - self.months
        if begins < FIRST_YEAR * 12 or self.now.year > LAST_YEAR:
            raise ValueError(
                f"now must be in {LAST_YEAR} at the latest, and the history that ends with it"
                f" must not begin before {FIRST_YEAR}"
            )

    @property
    def frozen(self) -> datetime | None:
        """The moment the companies' clock stands at, in UTC, or None while it runs."""
        return self.now.astimezone(UTC) if self.now else None
