"""The Service info page: the overview of one service, what changed and what needs attention."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from seatwise import pricing, tallies
from seatwise.connectors.base import Connector, find, role_info
from seatwise.connectors.months import last_months
from seatwise.models import (
    Connection,
    Finding,
    LicensePool,
    Member,
    MemberEvent,
    Service,
    UsagePoint,
)
from seatwise.models.member_order import Tally
from seatwise.models.member_status import (
    ACTIVE,
    IDLE_30,
    IDLE_60,
    IDLE_90,
    INVITED,
    LEFT,
    NEVER,
    UNKNOWN,
)
from seatwise.views import usage
from seatwise.views.member_choice import MemberChoice
from seatwise.views.shell import one_account

MONTHS_DRAWN = 12
EVENTS_SHOWN = 8
KIND_WORDS: Mapping[str, str] = {"full": "Full", "stakeholder": "Stakeholder", "other": "Other"}


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponse:
    """The page; before the first reading it says what the next step is."""
    service = one_account(request, key)
    connection = service.connection
    connector = find(service.key)
    context: dict[str, object] = {
        "service": service,
        "connection": connection,
        "connector": connector,
        "tab": "info",
    }
    if connection is None or connection.members_as_of is None:
        return render(request, "info_empty.html", context)
    this_month = usage.current_month()
    first_look = Member.objects.of(service).first_look()
    everybody = tallies.of_members(service, tallies.moment())
    current = [tally for tally in everybody if tally.status != LEFT]
    pools = list(LicensePool.objects.of(connection))
    seats = count_seats(connector, current, pools)
    here = MemberChoice(account=str(connection.pk) if service.has_several else "")
    context |= {
        "seats": seats,
        "pools": [(pool, KIND_WORDS.get(pool.kind, pool.kind)) for pool in pools],
        "needs": [*_needs(connector, connection, current, seats, here), *_savings(service)],
        "what_members": "Everybody whom the newest file lists. Who left is not counted."
        if connection.is_by_file
        else "Everybody whom the vendor lists, the invited included. Who left is not counted.",
        "source_of_members": "the file that was applied last"
        if connection.is_by_file
        else "the vendor’s own list of members",
        "powerful_url": here.address(role=seats.powerful_roles),
        "full_url": here.address(role=_roles_of("full", connector, current)),
        "stakeholders_url": here.address(role=_roles_of("stakeholder", connector, current)),
        "other_url": here.address(role=_roles_of("other", connector, current)),
        **_changes(service, connector, first_look, this_month, here),
        **_usage(service, connector, connection, this_month),
    }
    return render(request, "info.html", context)


@dataclass(frozen=True, slots=True)
class Seats:
    """What the tiles count: current members, by what they cost and when they were seen."""

    members: int
    full: int
    stakeholders: int
    other: int  # with a role word that nobody knows
    bought: int | None  # full seats in the contract; None where unknown or unlimited
    free: int | None
    active: int
    known: int  # whose last seen is known
    unknown: int
    invited: int
    powerful: int
    powerful_roles: tuple[str, ...]
    powerful_names: str
    status: Counter[str] = field(default_factory=Counter)

    @property
    def active_60(self) -> int:
        """Seen within 60 days."""
        return self.active + self.status[IDLE_30]

    @property
    def active_90(self) -> int:
        return self.active_60 + self.status[IDLE_60]

    @property
    def active_share(self) -> int | None:
        """Per cent of those whose last seen is known."""
        return round(100 * self.active / self.known) if self.known else None


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that needs attention: a number, a sentence, and the way to exactly those rows."""

    tone: str
    count: int | None
    what: str
    more: str = ""
    url: str = ""
    link: str = ""
    remedy: str = ""
    detail: str = ""  # longer, one click away
    href: str = ""  # the whole address, where it leads to another page


@dataclass(frozen=True, slots=True)
class Change:
    """One line of what changed."""

    event: MemberEvent
    words: str
    tone: str
    url: str  # the member's page


def count_seats(
    connector: Connector | None, members: Iterable[Tally], pools: list[LicensePool]
) -> Seats:
    """The tiles' numbers; an unknown role is never guessed to be paid."""
    status: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    powerful: Counter[str] = Counter()
    for tally in members:
        role = role_info(connector, tally.role)
        status[tally.status] += tally.members
        kinds[role.seat] += tally.members
        if role.rank <= 1:
            powerful[tally.role] += tally.members
    seen = (ACTIVE, IDLE_30, IDLE_60, IDLE_90, NEVER)
    words = sorted(powerful, key=lambda word: role_info(connector, word).rank)
    bought, free = _bought(pools)
    return Seats(
        members=status.total(),
        full=kinds["full"],
        stakeholders=kinds["stakeholder"],
        other=kinds["other"],
        bought=bought,
        free=free,
        active=status[ACTIVE],
        known=sum(status[key] for key in seen),
        unknown=status[UNKNOWN],
        invited=status[INVITED],
        powerful=powerful.total(),
        powerful_roles=tuple(words),
        powerful_names=", ".join(
            # The number does not part from its role at the end of a line.
            f"{powerful[word]:,}\u00a0{role_info(connector, word).name}"
            + _plural(powerful[word], "", "s")
            for word in words
        ),
        status=status,
    )


def _roles_of(seat: str, connector: Connector | None, members: Iterable[Tally]) -> tuple[str, ...]:
    """The role words of those who hold such a seat."""
    words = dict.fromkeys(tally.role for tally in members)
    return tuple(word for word in words if role_info(connector, word).seat == seat)


def _bought(pools: list[LicensePool]) -> tuple[int | None, int | None]:
    """Full seats in the contract, and those still free.

    Several licences may draw on one pool and repeat its number, so only a single one is added.
    """
    full = [pool for pool in pools if pool.kind == "full"]
    if len(full) != 1 or full[0].used is None or full[0].available is None:
        return None, None
    return full[0].used + full[0].available, full[0].available


def _needs(
    connector: Connector | None,
    connection: Connection,
    members: list[Tally],
    seats: Seats,
    here: MemberChoice,
) -> list[Need]:
    needs = []
    if connection.attention:
        needs.append(Need("bad", None, connection.attention, remedy=connection.remedy))
    needs += _unseen(connector, members, here)
    if seats.invited:
        needs.append(
            Need(
                "info",
                seats.invited,
                _plural(seats.invited, "Invitation pending.", "Invitations pending."),
                "Invited people hold a seat before they have ever come in.",
                here.address(status=(INVITED,)),
                _see(seats.invited),
            )
        )
    if seats.unknown:
        needs.append(
            Need(
                "neutral",
                seats.unknown,
                _plural(
                    seats.unknown,
                    "Member whose last use is unknown, which is not the same as idle.",
                    "Members whose last use is unknown, which is not the same as idle.",
                ),
                url=here.address(status=(UNKNOWN,)),
                link=_see(seats.unknown),
                detail=connection.evidence,
            )
        )
    gaps = (
        Need("warn", None, gap["what"], gap["why"], remedy=gap["remedy"]) for gap in connection.gaps
    )
    return [*needs, *gaps]


def _savings(service: Service) -> list[Need]:
    """What the rules found, and how much of it can truly be saved."""
    needs = []
    for currency, (count, amount) in (
        Finding.objects.of(service).money().get(service.pk, {}).items()
    ):
        what = _plural(count, "Finding about seats.", "Findings about seats.")
        more = "What they are worth is not known without a contract."
        if currency and amount:
            what = f"{what[:-1]}: {pricing.words(amount, currency)} a month can be saved."
            more = "From when on, and what stands in the way, is told there."
        elif currency:
            more = "By the contract nothing of it can be saved for now."
        page = reverse("savings", args=[service.key]) + service.account_query
        needs.append(Need("warn", count, what, more, link="See the savings", href=page))
    return needs


def _unseen(connector: Connector | None, members: list[Tally], here: MemberChoice) -> list[Need]:
    spans = {
        NEVER: ("bad", "never seen, as the vendor itself says"),
        IDLE_90: ("bad", "not seen for 90 days or more"),
        IDLE_60: ("warn", "not seen for 60 to 90 days"),
        IDLE_30: ("warn", "not seen for 30 to 60 days"),
    }
    needs = []
    for status, (tone, words) in spans.items():
        idle = [tally for tally in members if tally.status == status]
        count = sum(tally.members for tally in idle)
        full = sum(
            tally.members for tally in idle if role_info(connector, tally.role).seat == "full"
        )
        if count:
            needs.append(
                Need(
                    tone,
                    count,
                    f"{_plural(count, 'Member', 'Members')} {words}.",
                    _full_seats(full, count),
                    here.address(status=(status,), sort="seen"),
                    _see(count),
                )
            )
    return needs


def _full_seats(full: int, count: int) -> str:
    """How many of so many hold a full seat."""
    if count == 1:
        return "Holds a full seat." if full else "Holds no full seat."
    if full in (0, count):
        return "All hold a full seat." if full else "None of them holds a full seat."
    return f"{full:,} of them {_plural(full, 'holds', 'hold')} a full seat."


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _see(count: int) -> str:
    return _plural(count, "See the member", "See the members")


def _changes(
    service: Service,
    connector: Connector | None,
    first_look: datetime | None,
    this_month: date,
    here: MemberChoice,
) -> dict[str, object]:
    """Who joined, left or changed role, this month and last, and the newest of it."""
    last_month = last_months(this_month, 2)[-1]
    start, this_start = (
        datetime(month.year, month.month, 1, tzinfo=settings.BILLING_ZONE)
        for month in (last_month, this_month)
    )
    events = MemberEvent.objects.of(service).about_seats().since(start)
    moves = tallies.moves(service, (this_month, last_month), first_look)
    newest = events.newest_first()[:EVENTS_SHOWN]
    return {
        "this_month": this_month,
        "last_month": last_month,
        "moves": moves[this_month],
        "moves_before": moves[last_month],
        "changes": [_change(event, connector, service) for event in newest],
        "first_look": first_look if first_look and first_look > start else None,
        "is_new_here": bool(first_look and first_look >= this_start),
        "joined_url": here.address(joined=(f"{this_month:%Y-%m}",)),
        "left_url": here.address(left=(f"{this_month:%Y-%m}",)),
        "joined_before_url": here.address(joined=(f"{last_month:%Y-%m}",)),
        "left_before_url": here.address(left=(f"{last_month:%Y-%m}",)),
        # At the ends of these days the months began.
        "before_month": this_month - timedelta(days=1),
        "before_last_month": last_month - timedelta(days=1),
    }


def _change(event: MemberEvent, connector: Connector | None, service: Service) -> Change:
    words, tone = _moved(event, connector)
    page = reverse("member", args=[service.key, event.member_id])
    return Change(event, words, tone, page + service.account_query)


def _moved(event: MemberEvent, connector: Connector | None) -> tuple[str, str]:
    """What happened, and its tone."""
    kinds = MemberEvent.Kind
    if event.kind == kinds.CHANGED and event.field == "role":
        before, after = (role_info(connector, word).name for word in (event.before, event.after))
        return f"went from {before} to {after}", "info"
    if event.kind == kinds.CHANGED:
        before, after = event.before or "no known licence", event.after or "no known licence"
        return f"went from the licence {before} to {after}", "info"
    tones = {kinds.JOINED: "ok", kinds.RETURNED: "ok", kinds.LEFT: "neutral"}
    return kinds(event.kind).label, tones[kinds(event.kind)]


def _usage(
    service: Service, connector: Connector | None, connection: Connection, this_month: date
) -> dict[str, object]:
    """This month's headline numbers against last month, and the small chart."""
    oldest = last_months(this_month, MONTHS_DRAWN)[-1]
    points = UsagePoint.objects.of(service).since(oldest).by_month()
    metrics = usage.metrics_of(connector, points)
    table = usage.month_rows(metrics, points, this_month, connection)
    return {
        "usage_tiles": usage.tiles(connector, metrics, points, this_month),
        "chart": usage.chart(connector, metrics, table) if table else None,
        "hatched": usage.hatched(table),
    }
