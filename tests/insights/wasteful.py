"""A service that wastes seats in every way that a page tells of, written into the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from seatwise import insights, spending
from seatwise.models import Connection, Contract, Finding, Member, Service
from seatwise.pricing import Line, Pack, Terms
from tests.pages import rows

PRICE = Decimal("41.00")
FULL = Line("full", "Full seats", "full", price=PRICE, ratchet=True)
STAKEHOLDERS = Line("stakeholder", "Stakeholders", "stakeholder", packs=(Pack(50, Decimal(150)),))
LONG_AGO = timedelta(days=200)


@dataclass(frozen=True)
class Wasteful:
    """Two idle, one invited and one unknown among `active` who are seen every day."""

    service: Service
    account: Connection
    idle: Sequence[Member]
    invited: Member
    unknown: Member

    def looked(self, now: datetime | None = None) -> None:
        """As after a sync: costs and findings are up to date."""
        look(self.service, now)


def look(service: Service, now: datetime | None = None) -> None:
    fresh = Service.objects.for_table().get(pk=service.pk)
    spending.refresh(fresh, now or timezone.now())
    insights.run(Service.objects.for_table().get(pk=service.pk), now or timezone.now())


def contract(
    of: Service, *lines: Line, term: str = "month", ago: timedelta = LONG_AGO, **fields: Any
) -> Contract:
    terms = Terms("USD", term, lines or (FULL, STAKEHOLDERS), **fields)  # type: ignore[arg-type]
    since = (timezone.now() - ago).date().replace(day=1)
    return Contract.objects.create(
        service=of, since=since, data=terms.as_json(), made_at=timezone.now()
    )


def member(of: Connection, name: str, role: str = "user", **fields: object) -> Member:
    """Somebody who has held the seat for long; `seen` is how many days ago."""
    at = timezone.now() - LONG_AGO
    made = rows.member(of, name, role, **{"first_listed_at": at, **fields})
    rows.event(made, "listed", at=at)
    return made


def leave(members: Sequence[Member]) -> None:
    """They are gone at the vendor, as a sync found a moment ago."""
    now = timezone.now()
    for each in members:
        Member.objects.filter(pk=each.pk).update(left_at=now)
        rows.event(each, "left", at=now)


def wasteful(active: int = 6, **fields: object) -> Wasteful:
    service = rows.service()
    account = rows.connection(service, duty_as_of=timezone.now(), **fields)
    for number in range(active):
        member(account, f"Busy {number}", seen=1)
    only_looked: dict[str, Any] = {"seen": 100, "last_seen_source": "signed_in"}
    idle = [member(account, "Ida Idle", **only_looked), member(account, "Ivo Idle", seen=45)]
    invited = member(account, "Inga Invited", invited=True)
    unknown = member(account, "Una Unknown")
    account.members_as_of = account.activity_as_of = timezone.now()
    account.save()
    return Wasteful(service, account, idle, invited, unknown)


def finding(about: Member, **fields: Any) -> Finding:
    """As a rule found it a moment ago, worth a seat."""
    now = timezone.now()
    given: dict[str, Any] = {
        "service": about.connection.service,
        "rule": "idle_full_seat",
        "subject": f"member:{about.pk}",
        "member": about,
        "connection": about.connection,
        "text": f"{about} was not seen for 100 days.",
        "evidence": [{"what": "Last seen", "value": "never", "source": "words", "at": None}],
        "confidence": "certain",
        "reversible": False,
        "line": "full",
        "counts": True,
        "seats": 1,
        "waste": PRICE,
        "realisable": PRICE,
        "currency": "USD",
        "realisable_from": now.date() + timedelta(days=20),
        "why": "Until the vendor confirms it.",
        "first_at": now,
        "last_at": now,
    }
    return Finding.objects.create(**(given | fields))
