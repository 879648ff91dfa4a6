"""The Members page's charts and filters: what is counted, and the address behind each bar."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from seatwise.connectors.base import Connector, role_info
from seatwise.connectors.months import last_months
from seatwise.models.member import AGES, INVITED, NEVER, STATUSES, UNKNOWN, Tally
from seatwise.views.member_choice import MemberChoice

AGE_LABELS: Mapping[str, str] = {
    "7": "7 days",
    "30": "30",
    "60": "60",
    "90": "90",
    "older": "older",
    NEVER: "never",
    UNKNOWN: "unknown",
    INVITED: "invited",
}
BAR_HEIGHT = 150  # pixels of the tallest column


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart, or one choice of a filter; a link that sets it or takes it away."""

    value: str
    label: str
    hint: str
    members: int
    url: str
    selected: bool
    share: float = 0  # of the longest bar, in per cent
    height: float = 0  # of a column, in pixels


def role_bars(connector: Connector | None, choice: MemberChoice, tallies: list[Tally]) -> list[Bar]:
    counts = _count(tallies, "role")
    most = max(counts.values(), default=0) or 1
    bars = []
    for word, members in counts.most_common():
        name = role_info(connector, word).name
        bars.append(
            Bar(
                value=word,
                label=name,
                hint=f"{members} members hold the role {name} ({word})",
                members=members,
                url=choice.toggled("role", word),
                selected=choice.has("role", word),
                share=max(100 * members / most, 1.5),
            )
        )
    return bars


def age_bars(choice: MemberChoice, tallies: list[Tally]) -> list[Bar]:
    counts = _count(tallies, "age")
    most = max(counts.values(), default=0) or 1
    bars = []
    for age, label in AGE_LABELS.items():
        if age == NEVER and not counts[age] and not choice.has("seen", age):
            continue  # few vendors know so much
        height = max(BAR_HEIGHT * counts[age] / most, 3 if counts[age] else 1)
        bars.append(
            Bar(
                value=age,
                label=label,
                hint=f"{counts[age]} members: {AGES[age]}",
                members=counts[age],
                url=choice.toggled("seen", age),
                selected=choice.has("seen", age),
                height=round(height, 1),
            )
        )
    return bars


def license_options(choice: MemberChoice, tallies: list[Tally]) -> list[Bar]:
    counts = _count(tallies, "license")
    return [
        Bar(
            value=name,
            label=name or "Unknown licence",
            hint="",
            members=counts[name],
            url=choice.toggled("license", name),
            selected=choice.has("license", name),
        )
        for name in sorted(counts, key=lambda name: (not name, name.lower()))
    ]


def status_options(choice: MemberChoice, tallies: list[Tally]) -> list[Bar]:
    counts = _count(tallies, "status")
    return [
        Bar(
            value=status,
            label=label,
            hint="",
            members=counts[status],
            url=choice.toggled("status", status),
            selected=choice.has("status", status),
        )
        for status, label in STATUSES.items()
    ]


def periods(choice: MemberChoice, now: datetime) -> list[dict[str, object]]:
    """The months in which one can ask who joined or left, the newest first."""
    months = last_months(now.astimezone(settings.BILLING_ZONE).date(), 12)
    return [
        {
            "name": name,
            "title": title,
            "months": [
                {"first": month, "slug": slug, "selected": choice.has(name, slug)}
                for month in months
                for slug in [f"{month:%Y-%m}"]
            ],
        }
        for name, title in (("joined", "Joined in"), ("left", "Left in"))
    ]


def _count(tallies: list[Tally], field: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for tally in tallies:
        counts[getattr(tally, field) or ""] += tally.members
    return counts
