"""Alerts and channels, and numbers that move."""

from datetime import date
from decimal import Decimal

from django.utils import timezone

from seatwise import alerts
from seatwise.models import Alert, Channel, Connection, Delivery, Service, UsagePoint, User
from tests.pages import rows


def alert(of: Service, **fields: object) -> Alert:
    limit = fields.pop("limit", None)
    given = {"limit": None if limit is None else Decimal(str(limit)), **fields}
    return Alert.objects.create(service=of, made_at=timezone.now(), **given)


def count(
    account: Connection, value: int, month: date | None = None, metric: str = "incidents"
) -> None:
    """So many there are of the month, this one if none is given."""
    at = month or rows.this_month()
    UsagePoint.objects.filter(connection=account, month=at, metric=metric).delete()
    rows.usage(account, at, final=False, **{metric: value})


def kinds() -> list[str]:
    """What was said, in its order."""
    return list(Delivery.objects.order_by("pk").values_list("kind", flat=True))


def webhook(url: str, by: User, name: str = "Ops bus") -> Channel:
    return alerts.add_channel("webhook", name, url, by=by)


def slack(url: str, by: User, name: str = "#seats") -> Channel:
    return alerts.add_channel("slack", name, url, by=by)


def failed(of: Alert, **fields: object) -> Delivery:
    """A message that was given up after two tries."""
    now = timezone.now()
    log = [{"at": now.isoformat(timespec="seconds"), "said": "No."} for _ in range(2)]
    given = {"kind": "alert", "subject": "Something – above 1", "text": "Something.", **fields}
    return Delivery.objects.create(
        service=of.service,
        alert=of,
        email="vic@example.com",
        state="failed",
        tries=2,
        log=log,
        error="The mail server said no.",
        made_at=now,
        **given,
    )
