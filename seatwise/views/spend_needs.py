"""What needs attention across all services, in sentences that lead to exactly those rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from seatwise import history
from seatwise.models.member_status import IDLE, NEVER, UNKNOWN
from seatwise.pricing import words
from seatwise.views import spend_rows
from seatwise.views.member_choice import MemberChoice
from seatwise.views.spend_choice import USUAL_SORT, SpendChoice
from seatwise.views.spend_rows import Money, Row

# What is the matter: its tone, its words of one service and of several, and what follows, of one
# and of several. How many there are stands before the words, and is not said again.
SENTENCES: Mapping[str, tuple[str, str, str, str, str]] = {
    spend_rows.ACTION: (
        "bad",
        "{name} needs somebody to authorize again.",
        "Services that need somebody to authorize again.",
        "Until then its numbers stand still.",
        "Until then their numbers stand still.",
    ),
    spend_rows.HELD: (
        "bad",
        "An unusual drop at {name} is held back.",
        "Services at which an unusual drop is held back.",
        "What you see is from before; an admin can look and confirm.",
        "What you see is from before; an admin can look and confirm.",
    ),
    spend_rows.LATE: (
        "warn",
        "{name} has not been read for a long time.",
        "Services that have not been read for a long time.",
        "Its numbers are older than its schedule promises.",
        "Their numbers are older than their schedules promise.",
    ),
    spend_rows.STILL: (
        "warn",
        "{name} is disconnected.",
        "Services with an account that is disconnected.",
        "{whose} stand still since {day}.",
        "{whose} stand still since {day}.",
    ),
    spend_rows.NOTICE: (
        "warn",
        "Notice for {name} ends {soon}.",
        "Services whose notice ends within 60 days.",
        "After that day the contract goes on as it is.",
        "The first one, {first}, ends {soon}.",
    ),
    spend_rows.OVER_BUDGET: (
        "warn",
        "{name} costs more this month than was planned.",
        "Services that cost more this month than was planned.",
        "{over}",
        "Their Spend tabs say by how much.",
    ),
    spend_rows.IDLE_SEATS: (
        "warn",
        "{Seats} idle or never seen at {name}.",
        "{Seats} idle or never seen at {services} services.",
        "",
        "",
    ),
    spend_rows.LIMITED: (
        "warn",
        "Something at {name} cannot be read.",
        "Services at which something cannot be read.",
        "Settings say what, why and who can change it.",
        "Settings say what, why and who can change it.",
    ),
    spend_rows.UNKNOWN_SEATS: (
        "neutral",
        "{Seats} at {name} whose last use is unknown.",
        "{Seats} at {services} services whose last use is unknown.",
        "Unknown is not idle and is not counted in savings.",
        "Unknown is not idle and is not counted in savings.",
    ),
    spend_rows.WAITING: (
        "info",
        "The first reading of {name} is not there yet.",
        "Services whose first reading is not there yet.",
        "Until then nothing of it is in the figures.",
        "Until then nothing of them is in the figures.",
    ),
    spend_rows.NOTHING_READ: (
        "info",
        "Nothing is known about {name} yet.",
        "Services about which nothing is known yet.",
        "Integrate it or upload a file with its members.",
        "Integrate them or upload a file with their members.",
    ),
    spend_rows.NO_PRICE: (
        "neutral",
        "{name} has no price yet.",
        "Services that have no price yet.",
        "It is not in the monthly spend, and nothing of it counts as savable money.",
        "They are not in the monthly spend, and nothing of them counts as savable money.",
    ),
}
SORTS = {spend_rows.IDLE_SEATS: "-idle", spend_rows.NOTICE: "renewal"}
# About the contract: their way leads to the Spend tab.
OF_MONEY = {spend_rows.NOTICE, spend_rows.OVER_BUDGET, spend_rows.NO_PRICE}


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that needs attention."""

    tone: str
    count: int  # of seats, else of services
    what: str
    more: str
    url: str
    link: str


def needs(rows: Sequence[Row]) -> list[Need]:
    """The most urgent first.

    That a price is missing is told once there is one: before, the figure itself says it.
    """
    found = {need: [row for row in rows if need in row.needs] for need in SENTENCES}
    if len(found[spend_rows.NO_PRICE]) == len(rows):
        found[spend_rows.NO_PRICE] = []
    return [_need(need, concerned) for need, concerned in found.items() if concerned]


def _need(need: str, rows: Sequence[Row]) -> Need:
    tone, one, many, more_of_one, more_of_many = SENTENCES[need]
    seats = _seats(need, rows)
    names = {
        "name": _name(need, rows[0]),
        "services": f"{len(rows):,}",
        "Seats": "Seat" if seats == 1 else "Seats",
    }
    what, more = (one, more_of_one) if len(rows) == 1 else (many, more_of_many)
    what = what.format_map(names | {"soon": "{soon}"})
    if need == spend_rows.IDLE_SEATS:
        more = _how_long(rows)
    elif need == spend_rows.STILL:
        several = sum(len(row.concerned[need]) for row in rows) > 1
        whose = "Their figures, the oldest of them," if several else "Its figures"
        more = more.format(whose=whose, day=_since(need, rows))
    elif need == spend_rows.NOTICE:
        first = min(rows, key=_days_left)
        told = {"first": _isolated(first.service.name), "soon": soon(first.money)}
        what, more = what.replace("{soon}", told["soon"]), more.format(**told)
    elif need == spend_rows.OVER_BUDGET:
        more = more.format(over=_over(rows[0]))
    return Need(tone, seats or len(rows), what, more, *_way(need, rows))


def soon(money: Money) -> str:
    """ "on 12 December 2026, in 18 days": the last day of notice, which is known."""
    day, left = money.notice_by, money.in_days
    assert day is not None
    away = {0: "today", 1: "tomorrow"}.get(left or 0, f"in {left} days")
    return f"on {day.day} {day:%B %Y}, {away}"


def _days_left(row: Row) -> int:
    return row.money.in_days or 0


def _over(row: Row) -> str:
    money = row.money
    planned = words(money.budget, money.currency)
    return f"{words(money.spent, money.currency)} and not the planned {planned}."


def _name(need: str, row: Row) -> str:
    """The service, and which of its accounts where it has several."""
    name, accounts = _isolated(row.service.name), row.concerned[need]
    if not accounts or not row.service.has_several:
        return name
    more = f" and {len(accounts) - 1} more" if len(accounts) > 1 else ""
    return f"{name} ({_isolated(accounts[0].account_name)}{more})"


def _isolated(name: str) -> str:
    return f"\u2068{name}\u2069"  # whichever way it is written


def _since(need: str, rows: Sequence[Row]) -> str:
    """The day of the oldest of their last readings."""
    accounts = (account for row in rows for account in row.concerned[need])
    oldest = min(at for account in accounts if (at := account.members_as_of))
    day = history.day_of(oldest, settings.BILLING_ZONE)
    return f"{day.day} {day:%B %Y}"


def _seats(need: str, rows: Sequence[Row]) -> int:
    """How many seats it is about; 0 where it is about services."""
    if need == spend_rows.IDLE_SEATS:
        return sum(row.seats.savable for row in rows)
    return sum(row.seats.unknown for row in rows) if need == spend_rows.UNKNOWN_SEATS else 0


def _how_long(rows: Sequence[Row]) -> str:
    older = sum(row.seats.idle_90 for row in rows)
    never = sum(row.seats.never for row in rows)
    parts = [f"{older:,} for 90 days or more"] if older else []
    parts += [f"{never:,} never seen, as the vendors themselves say"] if never else []
    return f"Of these, {' and '.join(parts)}." if parts else "All of them for less than 90 days."


def _way(need: str, rows: Sequence[Row]) -> tuple[str, str]:
    """The address of exactly those rows, and the words of the link."""
    if len(rows) > 1:
        sort = SORTS.get(need, USUAL_SORT)
        url = SpendChoice(need=(need,)).address(sort=sort)
        return f"{reverse('spend')}{url}", "See the services"
    key, seats = rows[0].service.key, _seats(need, rows)
    if need in OF_MONEY:
        return reverse("service_spend", args=[key]), "Open its Spend tab"
    if not seats:
        url, accounts = reverse("service_settings", args=[key]), rows[0].concerned[need]
        if not accounts or not rows[0].service.has_several:
            return url, "Open its settings"
        name = _isolated(accounts[0].account_name)
        return f"{url}?account={accounts[0].pk}", f"Open the settings of {name}"
    statuses = (*IDLE, NEVER) if need == spend_rows.IDLE_SEATS else (UNKNOWN,)
    members = MemberChoice(status=statuses, sort="seen" if len(statuses) > 1 else "name")
    see = "See the member" if seats == 1 else "See the members"
    return reverse("members", args=[key]) + members.address(), see
