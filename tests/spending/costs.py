"""A service with a contract and a past, written straight into the tables."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from seatwise import spending
from seatwise.models import Connection, Contract, Invoice, Member, Service
from seatwise.pricing import Alerts, Line, Pack, Terms
from tests.pages import rows

FULL = Line("full", "Business", "full", price=Decimal(41))
STAKEHOLDERS = Line("stakeholder", "Stakeholders", "stakeholder", packs=(Pack(50, Decimal(150)),))


def first_of(months_ago: int) -> date:
    """The first day of the month so many before this one."""
    today = timezone.now().date()
    at = today.year * 12 + today.month - 1 - months_ago
    return date(at // 12, at % 12 + 1, 1)


def on(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def account(of: Service, since: date, **fields: object) -> Connection:
    """Looked at from that day on until now."""
    return rows.connection(of, connected_at=on(since), licenses_as_of=timezone.now(), **fields)


def people(
    of: Connection, count: int, since: date, left: date | None = None, role: str = "user",
    **fields: object,
) -> list[Member]:  # fmt: skip
    """So many who held a seat from that day on, with the events that tell so."""
    number = Member.objects.count()
    made = Member.objects.bulk_create(
        Member(
            connection=of, external_id=f"U{number + n}", name=f"Person {number + n}",
            email=f"p{number + n}@acme.example", role=role, first_listed_at=on(since),
            left_at=on(left) if left else None, **fields,
        )
        for n in range(count)
    )  # fmt: skip
    for each in made:
        rows.event(each, "listed", at=on(since))
        if left:
            rows.event(each, "left", at=on(left))
    return made


def contract(
    of: Service, since: date, *lines: Line, term: str = "month", alerts: Alerts | None = None,
    **fields: object,
) -> Contract:  # fmt: skip
    terms = Terms("USD", term, lines or (FULL,), alerts=alerts or Alerts(), **fields)  # type: ignore[arg-type]
    return Contract.objects.create(
        service=of, since=since, data=terms.as_json(), made_at=timezone.now()
    )


def invoice(of: Service, number: str, starts: date, ends: date, amount: str,
            **fields: object) -> Invoice:  # fmt: skip
    given: dict[str, object] = {"currency": "USD", "made_at": timezone.now(), **fields}
    return Invoice.objects.create(
        service=of, number=number, starts=starts, ends=ends, amount=Decimal(amount), **given
    )


def refreshed(of: Service) -> Service:
    """The same service as the database has it, with its costs worked out."""
    fresh = Service.objects.for_table().get(pk=of.pk)
    spending.refresh(fresh, timezone.now())
    return Service.objects.for_table().get(pk=of.pk)


def month_end(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
