"""Alerts as people want them: made, changed, switched and deleted, each on the audit trail."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from seatwise import audit
from seatwise.alerts.units import Unit, in_words, unit_of, units_of
from seatwise.models import Alert, Channel, Service, User
from seatwise.models.audit_event import Action

ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+")
MOST_ADDRESSES = 20
NUMBER = re.compile(r"\d{1,12}(\.\d{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """An alert as a form says it."""

    unit: str = ""
    way: str = ""  # "": what is usual for the unit
    limit: str = ""  # "1,000" or "12.5"; "" where the unit needs none
    to_owner: bool = True
    people: Collection[int] = field(default_factory=tuple)  # numbers of users
    addresses: str = ""  # separated by commas, spaces or lines
    channels: Collection[int] = field(default_factory=tuple)

    @classmethod
    def of(cls, alert: Alert) -> "Wish":
        """What the alert is now."""
        return cls(
            unit=alert.unit,
            way=alert.way,
            limit="" if alert.limit is None else f"{alert.limit:f}".rstrip("0").rstrip("."),
            to_owner=alert.to_owner,
            people={person.pk for person in alert.people.all()},
            addresses=", ".join(alert.addresses),
            channels={channel.pk for channel in alert.channels.all()},
        )

    def unit_in(self, service: Service) -> Unit:
        """Raises ValueError, with a sentence for the form."""
        found = next((unit for unit in units_of(service) if unit.key == self.unit), None)
        if found is None:
            raise ValueError("Choose what is to be watched.")
        return found

    def limit_of(self, unit: Unit) -> Decimal | None:
        """Raises ValueError, with a sentence for the form."""
        if not unit.is_number:
            return None
        told = self.limit.replace(",", "").replace("%", "").replace(" ", "")
        if not NUMBER.fullmatch(told):
            raise ValueError("Write the limit as a number such as 1000 or 12.5.")
        return Decimal(told)

    @property
    def emails(self) -> list[str]:
        """Each once. Raises ValueError, with a sentence for the form."""
        told = dict.fromkeys(part for part in re.split(r"[\s,;]+", self.addresses) if part)
        wrong = next((each for each in told if not _is_address(each)), None)
        if wrong is not None:
            raise ValueError(f"“{wrong[:80]}” is no e-mail address.")
        if len(told) > MOST_ADDRESSES:
            raise ValueError(f"At most {MOST_ADDRESSES} further addresses: use a list’s address.")
        return list(told)


def save(service: Service, wish: Wish, alert: Alert | None = None, *, by: User) -> Alert:
    """A new alert, or the given one changed. Watching something else begins anew.

    Raises ValueError, with a sentence for the form.
    """
    unit = wish.unit_in(service)
    way = wish.way or unit.way
    if way not in Alert.Way.values:
        raise ValueError("Choose above or below.")
    limit, emails = wish.limit_of(unit), wish.emails
    people = list(User.objects.active().of_numbers(wish.people))
    channels = list(Channel.objects.of_numbers(wish.channels))
    if not (wish.to_owner or people or emails or channels):
        raise ValueError("Choose somebody who is told.")
    is_new = alert is None
    with transaction.atomic():
        held = alert or Alert(service=service, made_at=timezone.now(), made_by=by)
        if is_new or (held.unit, held.way, held.limit) != (unit.key, way, limit):
            held.firing_since, held.value, held.looked_at, held.why = None, None, None, ""
        held.unit, held.way, held.limit = unit.key, way, limit
        held.to_owner, held.addresses = wish.to_owner, emails
        held.save()
        held.people.set(people)
        held.channels.set(channels)
        _record(held, f"It was {'added' if is_new else 'changed'}.")
    return held


def switch(alert: Alert, *, on: bool) -> None:
    """Off it says nothing, also not that it is over; on it begins anew."""
    with transaction.atomic():
        alert.is_on, alert.firing_since = on, None
        alert.value, alert.looked_at, alert.why = None, None, ""
        alert.save(update_fields=["is_on", "firing_since", "value", "looked_at", "why"])
        _record(alert, f"It was switched {'on' if on else 'off'}.")


def delete(alert: Alert) -> None:
    """What it said before stays listed."""
    with transaction.atomic():
        _record(alert, "It was deleted.")
        alert.delete()


def _record(alert: Alert, said: str) -> None:
    unit = unit_of(alert.service, alert.unit)
    rule = unit.name
    if alert.limit is not None:
        rule += f" {alert.get_way_display()} {in_words(unit, alert.limit)}"
    audit.record(Action.ALERT_CHANGED, service=alert.service.key, about=rule, said=said)


def _is_address(text: str) -> bool:
    return ADDRESS.fullmatch(text) is not None and len(text) <= 320 and text.isprintable()
