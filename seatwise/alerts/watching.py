"""Looks at every alert, and tells once when its limit is passed and once when that is over."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from seatwise import history
from seatwise.alerts import messages
from seatwise.alerts.deliveries import make
from seatwise.alerts.units import Unit, Units, Value, unit_of
from seatwise.models import Alert, Channel, Service, User

log = logging.getLogger(__name__)


def watch(now: datetime, services: Sequence[Service] | None = None) -> int:
    """Looks at the alerts of these services, or of all; how many had something to tell."""
    alerts = Alert.objects.switched_on()
    if services is not None:
        alerts = alerts.in_services(services)
    wanted = list(alerts)
    concerned = Service.objects.numbered({alert.service_id for alert in wanted}).for_table()
    by_number = {service.pk: service for service in concerned}
    units, told = Units(list(by_number.values()), now), 0
    for alert in wanted:
        service = by_number.get(alert.service_id)
        if service is not None:
            try:
                value = units.value(service, alert.unit)
                told += _looked_at(alert, unit_of(service, alert.unit), value, now)
            except Exception:  # one that cannot be looked at must not keep the others
                log.exception("alert %s could not be looked at", alert.pk)
    return told


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom an alert tells."""

    emails: tuple[str, ...]
    channels: tuple[Channel, ...]
    instead: bool = False  # the admins, for the owner that there is not

    @property
    def count(self) -> int:
        return len(self.emails) + len(self.channels)


def recipients(alert: Alert, admins: Sequence[str] | None = None) -> Recipients:
    """Each address once. Whoever cannot sign in any more is not told.

    Where the owner is to be told and there is none, the admins are: an alert that nobody hears is
    none. `admins`: their addresses, where they are known already.
    """
    told = [person.email for person in alert.people.all() if person.is_active]
    owner, instead = alert.service.owner, False
    if alert.to_owner and owner is not None and owner.is_active:
        told.insert(0, owner.email)
    elif alert.to_owner:
        told += admin_addresses() if admins is None else admins
        instead = True
    emails = {email.lower(): email for email in (*told, *alert.addresses)}
    return Recipients(tuple(emails.values()), tuple(alert.channels.all()), instead)


def admin_addresses() -> list[str]:
    return [admin.email for admin in User.objects.admins().by_name()]


def passes(alert: Alert, unit: Unit, value: Decimal) -> bool:
    """Whether a value is beyond the limit."""
    if not unit.is_number or alert.limit is None:
        return value > 0
    return value > alert.limit if alert.way == Alert.Way.ABOVE else value < alert.limit


@transaction.atomic
def _looked_at(seen: Alert, unit: Unit, found: Value, now: datetime) -> bool:
    """The alert and its messages change together or not at all; whether there was one."""
    alert = Alert.objects.locked(seen.pk)
    if alert is None or not alert.is_on or alert.unit != seen.unit:
        return False
    if alert.looked_at is not None and alert.looked_at > now:  # somebody looked later
        return False
    if alert.firing_since and unit.monthly and _month(alert.firing_since) < _month(now):
        alert.firing_since = None  # that month is over, and with it all there was to say
    kind = ""
    if found.value is not None:
        beyond = passes(alert, unit, found.value)
        if beyond and alert.firing_since is None:
            kind, alert.firing_since = messages.ALERT, now
        elif not beyond and alert.firing_since is not None:
            kind = messages.OVER
    alert.value, alert.why, alert.looked_at = found.value, found.why, now
    if kind:
        message = messages.of_alert(kind, alert, unit, now)
        told = recipients(alert)
        make(message, now, service=alert.service, alert=alert, to=told.emails, by=told.channels)
    if kind == messages.OVER:
        alert.firing_since = None
    alert.save(update_fields=["firing_since", "value", "why", "looked_at"])
    return bool(kind)


def _month(moment: datetime) -> tuple[int, int]:
    day = history.day_of(moment, settings.BILLING_ZONE)
    return day.year, day.month
