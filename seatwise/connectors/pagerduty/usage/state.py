"""What a reading of usage leaves for the next one.

    {"zone": "Europe/Berlin", "home": "", "services": ["PS1", …], "months": {
        "2026-09": {"final": true},
        "2026-11": {"incidents": {"until": …, "count": 812, "alerts": 2290,
                                  "open": {"Q1": [3, "2026-11-04T09:12:00+00:00"]}},
                    "totals": {"until": …, "counts": {"sms": 91, …}}, "listed": …, "logged": …}}}

All of a month is about what happened before `until`. `services` are those whose incidents were
met. Nothing in it is about anybody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.pagerduty.usage.counted import Counted
from seatwise.connectors.pagerduty.usage.tally import Known


@dataclass(frozen=True, slots=True)
class Month:
    """What is known of one month; None: nothing."""

    final: bool = False  # nothing in it will change, and nothing needs to be asked again
    incidents: Known | None = None
    totals: Counted | None = None  # notifications by channel, asked after the month's end
    listed: Counted | None = None  # notifications to other countries, from the list of them
    logged: Counted | None = None  # notifications by channel, from the log

    @classmethod
    def opened(cls, raw: object) -> Self:
        """What `as_json` wrote; nothing known where it is anything else."""
        try:
            if not isinstance(raw, Mapping):
                return cls()
            if raw.get("final") is True:
                return cls(final=True)
            return cls(
                False,
                Known.opened(raw.get("incidents")),
                *(Counted.opened(raw.get(name)) for name in ("totals", "listed", "logged")),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls()

    def as_json(self) -> dict[str, object]:
        """Plain JSON."""
        if self.final:
            return {"final": True}
        parts = {
            "incidents": self.incidents,
            "totals": self.totals,
            "listed": self.listed,
            "logged": self.logged,
        }
        return {name: part.as_json() for name, part in parts.items() if part is not None}


class Months:
    """The months of one account as they are known, in one zone and with one home."""

    def __init__(self, plan: ReadPlan) -> None:
        self._terms = {"zone": plan.zone.key, "home": plan.home_code}
        known: Mapping[str, Any] = plan.known("usage")
        months = known.get("months")
        self._months: dict[str, Month] = {}
        self.services: tuple[str, ...] = ()
        if isinstance(months, Mapping) and self._terms.items() <= known.items():
            read = {str(name): Month.opened(month) for name, month in months.items()}
            asked = {_name(month) for month in plan.months}
            # What is not asked any more is not kept up to date either.
            self._months = {n: m for n, m in read.items() if m.final or n in asked}
            services = known.get("services")
            if isinstance(services, list):
                self.services = tuple(name for name in services if isinstance(name, str))

    def of(self, month: date) -> Month:
        """What is known of the month."""
        return self._months.get(_name(month), Month())

    def learn(self, month: date, known: Month) -> None:
        """Keeps what a reading of the month has told."""
        self._months[_name(month)] = known

    def as_part(self, services: Iterable[str]) -> dict[str, object]:
        """The stage's part of the state, whole and of its own."""
        months = {name: month.as_json() for name, month in self._months.items()}
        return {**self._terms, "services": sorted(services), "months": months}


def _name(month: date) -> str:
    return f"{month:%Y-%m}"
