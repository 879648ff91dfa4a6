"""What is said: a subject and a text for people, and the same as data for programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.urls import reverse

from seatwise.alerts.units import Unit, in_words
from seatwise.models import Alert, Channel, Service

ALERT, OVER, TEST, DIGEST = "alert", "over", "test", "digest"
TYPES = {ALERT: "alert.firing", OVER: "alert.over", TEST: "test"}  # of a webhook's payload


@dataclass(frozen=True, slots=True)
class Message:
    kind: str
    subject: str
    text: str
    payload: Mapping[str, object] = field(default_factory=dict)


def of_alert(kind: str, alert: Alert, unit: Unit, now: datetime) -> Message:
    """That a limit was passed, that this is over, or a test of who is told, with today's value."""
    service, value = alert.service, in_words(unit, alert.value)
    if kind == TEST:
        subject = f"Test: {service.name} – {unit.name}"
        first = f"This is a test: nothing happened. {unit.name} of {service.name}: {value}."
    elif kind == OVER:
        subject = f"Over: {service.name} – {unit.name}{_figure(alert, unit, 'no longer ')}"
        first = f"This is over. {unit.name} of {service.name}: {value}."
    else:
        subject = f"{service.name} – {unit.name}{_figure(alert, unit)}"
        first = f"{unit.name} of {service.name}: {value}."
    about = [first, _rule(alert, unit), alert.why, unit.what]
    url = address("alerts", service)
    text = "\n\n".join([*(each for each in about if each), f"The alert and its switch: {url}"])
    payload = {
        "type": TYPES[kind],
        "timestamp": now.isoformat(timespec="seconds"),
        "data": {
            "service": {"key": service.key, "name": service.name},
            "alert": {
                "id": alert.pk,
                "unit": alert.unit,
                "name": unit.name,
                "way": alert.way if unit.is_number else None,
                "limit": _json(alert.limit),
            },
            "value": _json(alert.value),
            "since": alert.firing_since.isoformat(timespec="seconds")
            if alert.firing_since
            else None,
            "text": first,
            "url": url,
        },
    }
    return Message(kind, _one_line(subject), text, payload)


def of_channel(channel: Channel, now: datetime) -> Message:
    """A test of a channel by itself."""
    text = f"This is a test of the channel {channel.name}: messages of Seatwise arrive here."
    url = settings.BASE_URL + reverse("channels")
    data = {"channel": {"id": channel.pk, "name": channel.name}, "text": text, "url": url}
    payload = {"type": TYPES[TEST], "timestamp": now.isoformat(timespec="seconds"), "data": data}
    return Message(TEST, _one_line(f"Test of {channel.name}"), text, payload)


def address(name: str, service: Service) -> str:
    """A page of the service, as people reach it from outside."""
    return settings.BASE_URL + reverse(name, args=[service.key])


def _rule(alert: Alert, unit: Unit) -> str:
    if not unit.is_number or alert.limit is None:
        return ""
    return f"The alert fires when it {alert.get_way_display()} {in_words(unit, alert.limit)}."


def _figure(alert: Alert, unit: Unit, still: str = "") -> str:
    if not unit.is_number or alert.limit is None:
        return ""
    limit = in_words(unit, alert.limit)
    return f": {in_words(unit, alert.value)}, {still}{alert.way} {limit}"


def _json(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
