"""What is to be read, with which credential, and where it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from seatwise.connectors.base import Connector, ReadPlan
from seatwise.connectors.months import last_months
from seatwise.connectors.records import Stage

Format = Literal["jsonl", "csv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)

# The words of `--only` and of run.json, which are code, to the stages' own.
CAPABILITIES: Mapping[str, Stage] = {
    "members": "members",
    "licenses": "licences",
    "usage": "usage",
    "activity": "activity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One reading. `only` holds words of `CAPABILITIES`."""

    connector: Connector
    base_url: str
    token: str = field(repr=False)  # as the connector's reader takes it
    secret: str = field(repr=False)  # as it was given; never written anywhere
    plan: ReadPlan
    out: Path
    format: Format = "jsonl"
    only: frozenset[str] = frozenset(CAPABILITIES)
    state: Path | None = None  # the file in which later pulls go on

    def wants(self, *capabilities: str) -> bool:
        """Whether any of these is asked for."""
        return not self.only.isdisjoint(capabilities)

    @property
    def stages(self) -> list[Stage]:
        """What to ask for. By its members one sees whether an account is still the same."""
        asked = self.only | {"members"} if self.state else self.only
        return [stage for word, stage in CAPABILITIES.items() if word in asked]

    def without_secret(self, text: str) -> str:
        """The text with the credential blotted out, should the vendor have echoed it."""
        return text.replace(self.secret, "…")


def plan_until(
    until: date | None,
    zone: ZoneInfo,
    months: int,
    activity: timedelta,
    now: datetime,
    home_code: str = "",
) -> ReadPlan:
    """The months that end with the day before `until` in that zone, or with `now`.

    An end that lies ahead counts as now, for what has not happened yet is no part of a month.
    """
    end = now
    if until is not None:
        midnight = datetime(until.year, until.month, until.day, tzinfo=zone)
        end = min(now, midnight.astimezone(UTC))
    last_day = (end - timedelta(microseconds=1)).astimezone(zone).date()
    shown = last_months(last_day, months)
    return ReadPlan(shown, zone, end, end - activity, read_at=now, home_code=home_code)
