"""Seats on a day: who held one, in which role and on which licence. And what its siblings share."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from seatwise import history
from seatwise.connectors.base import Connector, RoleInfo, find, role_info
from seatwise.models import Member, Service
from seatwise.models.member import MemberQuerySet
from seatwise.spreadsheet import Cell, Column
from seatwise.views.export import Export, download, menu, wanted
from seatwise.views.member_choice import MOST_WORDS
from seatwise.views.paging import steps
from seatwise.views.shell import asked_accounts

PAGE_SIZE = 50
NO_LICENSE = "unknown or none"
WHO = (
    Column("external_id", "ID", "text", "The member’s ID at the service."),
    Column("name", "Name", "text", "As it was known then."),
    Column("email", "E-mail", "text", "As it was known then."),
)
ACCOUNT = Column("account", "Account", "text", "The account of the service the seat belongs to.")
COLUMNS = (
    Column("day", "Day", "date", "The day at whose end it was so, in the billing zone."),
    *WHO,
    Column("role", "Role (raw)", "text", "The word the service’s API used for the role."),
    Column("role_name", "Role", "text", "The role as the service’s own pages name it."),
    Column("license", "Licence", "text", "The licence that was held; empty: unknown or none."),
    Column("invited", "Invited", "yes/no", "Whether the invitation was not accepted yet."),
    ACCOUNT,
)


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """As it was known at the end of the day `on`, today if none is given; or that as a file."""
    looks = Looks.at(request, key)
    on = min(day_of(request.GET.get("on", "")) or looks.today, looks.today)
    words = " ".join(request.GET.get("q", "").replace("\x00", "")[:200].split()[:MOST_WORDS])
    members = history.held_at(looks.service, looks.end_of(on))
    found = members.matching_then(words)
    if wanted(request):
        return download(request, _export(looks, on, found, words))
    context = {**looks.context("seats"), "on": on, "q": words, "is_known": looks.knows(on)}
    if looks.knows(on):
        held = history.held_on(looks.service, on)
        count = found.count() if words else sum(held.values())
        place = request.GET.get("place", "")
        shown = found.stretch("name", place=place, size=PAGE_SIZE, total=count)
        context |= {
            "is_behind": looks.is_behind(on),
            "total": sum(held.values()),
            "roles": _role_bars(looks, held),
            "licenses": _license_bars(held),
            "shown": shown,
            "count": count,
            "rows": _rows(looks, members, shown.pks),
            "steps": steps(shown, lambda place: address(request, place=place)),
            **links(request),
        }
    return render(request, "seats.html", context)


@dataclass(frozen=True, slots=True)
class Looks:
    """A service with the days of which something is known."""

    service: Service
    connector: Connector | None
    spans: list[history.Span]
    now: datetime

    @classmethod
    def at(cls, request: HttpRequest, key: str) -> "Looks":
        """Of all accounts, or of the one that `account` numbers."""
        service = asked_accounts(request, key)
        return cls(service, find(service.key), history.known(service), timezone.now())

    @property
    def today(self) -> date:
        return history.day_of(self.now, settings.BILLING_ZONE)

    @property
    def earliest(self) -> date | None:
        """The day of the first look."""
        since = min((span.since for span in self.spans), default=None)
        return history.day_of(since, settings.BILLING_ZONE) if since else None

    @property
    def latest(self) -> date | None:
        """The day of the last look."""
        until = max((span.until for span in self.spans), default=None)
        return history.day_of(until, settings.BILLING_ZONE) if until else None

    def knows(self, day: date) -> bool:
        return self.earliest is not None and day >= self.earliest

    def is_behind(self, day: date) -> bool:
        """Whether an account that counted on that day was not looked at on it or later."""
        return any(told.until and told.until < day for told in self.told(day))

    def told(self, day: date) -> "list[Told]":
        """From when to when each account was looked at; `day` is the newest that is shown."""
        return [_told(span, day) for span in self.spans]

    def end_of(self, day: date) -> datetime:
        return history.end_of(day, settings.BILLING_ZONE)

    def role(self, word: str) -> RoleInfo:
        return role_info(self.connector, word)

    def context(self, here: str) -> dict[str, object]:
        """What the templates of all three pages need."""
        return {
            "service": self.service,
            "connection": self.service.connection,
            "connector": self.connector,
            "tab": "history",
            "here": here,
            "all_accounts": "?",
            "earliest": self.earliest,
            "latest": self.latest,
            "today": self.today,
            "spans": self.told(self.today) if len(self.spans) > 1 else [],
            "names_accounts": len(self.spans) > 1,
            "zone": settings.BILLING_ZONE.key,
        }


@dataclass(frozen=True, slots=True)
class Told:
    """From when to when an account was looked at: days of settings.BILLING_ZONE."""

    name: str
    since: date
    until: date | None  # the last look, where it is not as new as what is shown
    replaced: date | None  # it counts until then


def _told(span: history.Span, day: date) -> Told:
    since, until = (history.day_of(at, settings.BILLING_ZONE) for at in (span.since, span.until))
    replaced = history.day_of(span.ends, settings.BILLING_ZONE) if span.ends else None
    counted_to = min(day, replaced or day)
    return Told(span.account.account_name, since, until if until < counted_to else None, replaced)


def day_of(text: str) -> date | None:
    """A day as an address writes it, 2026-11-23; None where it is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2200 else None


def address(request: HttpRequest, **changes: object) -> str:
    """The query of this page with `changes`; what is "" is left out."""
    asked = {
        name: value
        for name, value in request.GET.items()
        if name not in {"format", "page", "place"}
    }
    return "?" + urlencode({name: v for name, v in (asked | changes).items() if v != ""})


def links(request: HttpRequest) -> dict[str, object]:
    """To the downloads, and to everything."""
    return {
        "exports": menu(address(request)),
        "cleared": address(request, q=""),
    }


@dataclass(frozen=True, slots=True)
class Bar:
    """One role or licence, and how many held it."""

    name: str
    title: str  # the vendor's raw word
    seats: int
    share: float  # per cent of the largest


@dataclass(frozen=True, slots=True)
class Row:
    """A member as they were then."""

    member: Member
    name: str
    email: str
    role: RoleInfo
    license: str
    invited: bool

    @property
    def label(self) -> str:
        return self.name or self.email or self.member.external_id


def _rows(looks: Looks, members: MemberQuerySet, keys: list[int]) -> list[Row]:
    """Those of one page, in the order of `keys`."""
    found = {member.pk: member for member in members.with_keys(keys).for_table()}
    return [_row(looks, found[key]) for key in keys if key in found]


def _row(looks: Looks, member: Member) -> Row:
    return Row(
        member,
        member.name_then,  # type: ignore[attr-defined]
        member.email_then,  # type: ignore[attr-defined]
        looks.role(member.role_then),  # type: ignore[attr-defined]
        member.license_then,  # type: ignore[attr-defined]
        member.invited_then,  # type: ignore[attr-defined]
    )


def _role_bars(looks: Looks, held: dict[tuple[str, str], int]) -> list[Bar]:
    """By role, the most powerful first."""
    seats: Counter[str] = Counter()
    for (role, _license), n in held.items():
        seats[role] += n
    words = sorted(seats, key=lambda word: (looks.role(word).rank, -seats[word], word))
    most = max(seats.values(), default=0)
    return [Bar(looks.role(w).name, w, seats[w], 100 * seats[w] / most) for w in words]


def _license_bars(held: dict[tuple[str, str], int]) -> list[Bar]:
    """By licence, the largest first and those without a known one last."""
    seats: Counter[str] = Counter()
    for (_role, name), n in held.items():
        seats[name] += n
    names = sorted(seats, key=lambda name: (not name, -seats[name], name))
    most = max(seats.values(), default=0)
    return [Bar(name or NO_LICENSE, "", seats[name], 100 * seats[name] / most) for name in names]


def _export(looks: Looks, on: date, found: MemberQuerySet, words: str) -> Export:
    return Export(
        file=f"{looks.service.key}-seats-{on}",
        what="seats on a day",
        title="Seats",
        says=f"One row for each seat that was held at the end of {on:%-d %B %Y}.",
        columns=COLUMNS,
        rows=_lines(looks, on, found),
        count=found.count(),
        service=looks.service,
        readings=("members", "licenses"),
        filters=[f"On {on}", *([f"Search: {words}"] if words else [])],
    )


def _lines(looks: Looks, on: date, found: MemberQuerySet) -> Iterator[list[Cell]]:
    if not looks.knows(on):
        return
    for member in found.sorted_by("name").for_table().iterator(chunk_size=1000):
        row = _row(looks, member)
        account = member.connection.account_name
        cells: list[Cell] = [on, member.external_id, row.name, row.email, row.role.word]
        yield [*cells, row.role.name, row.license or None, row.invited, account]
