"""The Members page's charts and filters: what is counted, and the address behind each bar."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from seatwise.connectors.base import Connector, role_info
from seatwise.connectors.months import last_months
from seatwise.models.member_order import Tally
from seatwise.models.member_status import AGES, INVITED, LEFT, NEVER, STATUSES, UNKNOWN
from seatwise.views.member_choice import MemberChoice, month_of

AGE_LABELS: Mapping[str, str] = {
    "7": "0–7",  # days ago
    "30": "8–30",
    "60": "31–60",
    "90": "61–90",
    "older": "> 90",
    NEVER: "never",
    UNKNOWN: "unknown",
    INVITED: "invited",
}
FIELDS = {"role": "role", "license": "license", "status": "status", "seen": "age"}  # of a tally
BAR_HEIGHT = 150  # pixels of the tallest column


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart, or one choice of a filter; a link that sets it or takes it away."""

    value: str
    label: str
    hint: str
    count: int  # of the members
    url: str
    selected: bool
    share: float = 0  # of the longest bar, in per cent
    height: float = 0  # of a column, in pixels


def role_bars(
    connector: Connector | None, choice: MemberChoice, tallies: Sequence[Tally]
) -> list[Bar]:
    """`tallies` here and below: of everybody, also of those who left."""
    counts = _count(choice, tallies, "role")
    most = max(counts.values(), default=0) or 1
    bars = []
    # As everywhere: the most powerful first. The sort keeps what most have before what few have.
    words = _known(choice, tallies, "role")
    for word in sorted(words, key=lambda word: role_info(connector, word).rank):
        name = role_info(connector, word).name
        members = counts[word]
        bars.append(
            Bar(
                value=word,
                label=name,
                hint=f"{_members(members, 'holds', 'hold')} the role {name} ({word})",
                count=members,
                url=choice.toggled("role", word),
                selected=choice.has("role", word),
                share=max(100 * members / most, 1.5) if members else 0,
            )
        )
    return bars


def age_bars(choice: MemberChoice, tallies: Sequence[Tally]) -> list[Bar]:
    counts = _count(choice, tallies, "seen")
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
                hint=f"{_members(counts[age])}: {AGES[age]}",
                count=counts[age],
                url=choice.toggled("seen", age),
                selected=choice.has("seen", age),
                height=round(height, 1),
            )
        )
    return bars


def license_options(choice: MemberChoice, tallies: Sequence[Tally]) -> list[Bar]:
    names = sorted(_known(choice, tallies, "license"), key=lambda name: (not name, name.lower()))
    return _options(choice, tallies, "license", {name: name or "Unknown licence" for name in names})


def status_options(choice: MemberChoice, tallies: Sequence[Tally]) -> list[Bar]:
    return _options(choice, tallies, "status", STATUSES)


def periods(choice: MemberChoice, now: datetime) -> list[dict[str, object]]:
    """The months in which one can ask who joined or left, the newest first; also the chosen one."""
    usual = last_months(now.astimezone(settings.BILLING_ZONE).date(), 12)
    chosen = {name: map(month_of, getattr(choice, name)) for name in ("joined", "left")}
    return [
        {
            "name": name,
            "title": title,
            "months": [
                {"first": month, "slug": slug, "selected": choice.has(name, slug)}
                for month in sorted({*usual, *filter(None, chosen[name])}, reverse=True)
                for slug in [f"{month:%Y-%m}"]
            ],
        }
        for name, title in (("joined", "Joined in"), ("left", "Left in"))
    ]


def _options(
    choice: MemberChoice, tallies: Sequence[Tally], name: str, labels: Mapping[str, str]
) -> list[Bar]:
    counts = _count(choice, tallies, name)
    return [
        Bar(
            value=value,
            label=label,
            hint="",
            count=counts[value],
            url=choice.toggled(name, value),
            selected=choice.has(name, value),
        )
        for value, label in labels.items()
    ]


def _count(choice: MemberChoice, tallies: Sequence[Tally], name: str) -> Counter[str]:
    """{value of this filter: members that the others leave}: the rows that it alone would give."""
    counts: Counter[str] = Counter()
    for tally in choice.fitting(tallies, beside=name):
        counts[getattr(tally, FIELDS[name]) or ""] += tally.members
    return counts


def _known(choice: MemberChoice, tallies: Sequence[Tally], name: str) -> list[str]:
    """What one can choose of, what most members have first; and what is chosen already.

    Nobody is asked about the other filters, so that bars stay where they are.
    """
    counts: Counter[str] = Counter()
    for tally in tallies:
        if choice.includes_left or tally.status != LEFT:
            counts[getattr(tally, FIELDS[name]) or ""] += tally.members
    chosen: tuple[str, ...] = getattr(choice, name)
    ordered = [value for value, _members in counts.most_common()]
    return [*ordered, *(value for value in chosen if value not in counts)]


def _members(count: int, one: str = "", many: str = "") -> str:
    """How many members, and what they do."""
    what = f"member {one}" if count == 1 else f"members {many}"
    return f"{count:,} {what}".rstrip()
