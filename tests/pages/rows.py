"""A connected service with rows in it, written straight into the tables."""

from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from seatwise.models import (
    Connection,
    LicensePool,
    Member,
    MemberEvent,
    Service,
    Signal,
    UsagePoint,
)


def service(key: str = "pagerduty", name: str = "PagerDuty") -> Service:
    return Service.objects.create(key=key, name=name)


def connection(of: Service, **fields: object) -> Connection:
    """Connected fifty days ago and read a moment ago."""
    now = timezone.now()
    given: dict[str, object] = {
        "account_id": "P1",
        "account_name": "acme-prod",
        "region": "US",
        "api_url": "https://api.example.com",
        "connected_at": now - timedelta(days=400),
        "members_as_of": now,
        "usage_as_of": now,
        "activity_as_of": now,
        "activity_since": now - timedelta(days=120),
        **fields,
    }
    return Connection.objects.create(service=of, **given)


def member(of: Connection, name: str, role: str = "user", **fields: object) -> Member:
    """Somebody who is listed; `seen` is how many days ago, and no `seen` is no evidence."""
    now = timezone.now()
    seen = fields.pop("seen", None)
    at = now - timedelta(days=seen) if isinstance(seen, int) else None
    number = Member.objects.count()
    given: dict[str, object] = {
        "external_id": f"U{number}",
        "name": name,
        "email": f"user{number}@acme.example",
        "role": role,
        "first_listed_at": now,
        "last_seen_at": at,
        "last_seen_source": "acknowledged" if at else "",
        "last_seen_proof": f"acknowledged incident #{number}" if at else "",
        **fields,
    }
    created = Member.objects.create(connection=of, **given)
    if at:
        Signal.objects.create(
            member=created,
            source="acknowledged",
            at=at,
            proof=f"acknowledged incident #{number}",
            read_at=now,
        )
    return created


def license_pool(of: Connection, name: str, kind: str = "full", **fields: object) -> LicensePool:
    given: dict[str, object] = {"external_id": name, "as_of": timezone.now(), **fields}
    return LicensePool.objects.create(connection=of, name=name, kind=kind, **given)


def event(of: Member, kind: str, **fields: object) -> MemberEvent:
    given: dict[str, object] = {"at": timezone.now(), **fields}
    return MemberEvent.objects.create(member=of, kind=kind, **given)


def this_month() -> date:
    """In UTC, which is the billing zone of the tests."""
    return datetime.now(UTC).date().replace(day=1)


def last_month() -> date:
    return (this_month() - timedelta(days=1)).replace(day=1)


def usage(of: Connection, month: date, final: bool = True, **values: int) -> None:
    for metric, value in values.items():
        UsagePoint.objects.create(
            connection=of,
            month=month,
            metric=metric,
            value=value,
            final=final,
            source="GET /incidents",
            as_of=timezone.now(),
        )
