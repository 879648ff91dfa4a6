"""The weekly mail: what changed, what could be saved, which alerts fire, what ends soon.

It is made on Monday morning for admins, of all services, and for owners, of theirs; or as soon as
a worker is there again. Whoever has nothing to read gets no mail.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from seatwise import history, pricing, spending
from seatwise.alerts import messages
from seatwise.alerts.deliveries import make
from seatwise.alerts.messages import Message
from seatwise.alerts.units import in_words, unit_of
from seatwise.models import Alert, Finding, Service, User

log = logging.getLogger(__name__)

AT = time(8)  # on Mondays, in the billing zone
A_WEEK = timedelta(days=7)
AHEAD = timedelta(days=90)  # how far renewals are told
MOVES = {"joined": "joined", "returned": "came back", "left": "left", "role": "changed role"}


def send_digests(now: datetime) -> int:
    """Makes those that are due; how many had something to say."""
    since = _last_monday(now)
    numbers = User.objects.digest_due(since)
    if not numbers:
        return 0
    services = list(Service.objects.for_table())
    parts = {service.pk: part for service, part in _parts(services, now)}
    made = 0
    for number in numbers:
        try:
            made += _made(number, since, services, parts, now)
        except Exception:  # one that cannot be made must not keep the others
            log.exception("the digest of user %s could not be made", number)
    return made


@transaction.atomic
def _made(
    number: int,
    since: datetime,
    services: Sequence[Service],
    parts: Mapping[int, list[str]],
    now: datetime,
) -> bool:
    person = User.objects.digest_of(number, since)
    if person is None:  # another worker was faster, or they turned it off
        return False
    theirs = [each for each in services if person.is_admin or each.owner_id == person.pk]
    told = [(each, parts[each.pk]) for each in theirs if parts[each.pk]]
    if told:
        make(_message(told, now), now, to=[person.email])
    person.digest_at = now
    person.save(update_fields=["digest_at"])
    return bool(told)


def _message(told: Sequence[tuple[Service, list[str]]], now: datetime) -> Message:
    day = history.day_of(now, settings.BILLING_ZONE)
    text = [f"What happened in the week until {day:%-d %B %Y}, of {_services(len(told))}."]
    for service, lines in told:
        listed = "\n".join(f"- {line}" for line in lines)
        text.append(f"{service.name}\n{listed}\n{messages.address('info', service)}")
    text.append(f"You can turn this mail off under Users & roles: {settings.BASE_URL}/users/")
    return Message(messages.DIGEST, f"Seatwise, week until {day:%-d %B}", "\n\n".join(text))


def _parts(services: Sequence[Service], now: datetime) -> "Sequence[tuple[Service, list[str]]]":
    """Of each service what there is to say, a line each."""
    today = history.day_of(now, settings.BILLING_ZONE)
    standings = spending.standings(services, today)
    money = Finding.objects.in_services(services).money()
    firing: dict[int, list[Alert]] = {}
    for alert in Alert.objects.in_services(services).firing():
        firing.setdefault(alert.service_id, []).append(alert)
    return [
        (
            service,
            [
                *_alarms(service, firing.get(service.pk, [])),
                *_changes(service, today),
                *_savings(money.get(service.pk, {})),
                *_renewal(standings[service.pk], today),
            ],
        )
        for service in services
    ]


def _alarms(service: Service, alerts: Sequence[Alert]) -> list[str]:
    found = []
    for alert in alerts:
        unit = unit_of(service, alert.unit)
        line = f"An alert fires: {unit.name}"
        if unit.is_number and alert.limit is not None:
            limit = in_words(unit, alert.limit)
            line += f" {alert.get_way_display()} {limit}, at {in_words(unit, alert.value)}"
        found.append(f"{line}.")
    return found


def _changes(service: Service, today: date) -> list[str]:
    counts = history.counted(service, today - A_WEEK, today)
    told = [f"{counts[what]:,} {words}" for what, words in MOVES.items() if counts[what]]
    return [f"{', '.join(told)}."] if told else []


def _savings(found: Mapping[str, tuple[int, Decimal | None]]) -> list[str]:
    """Of each currency, and of findings whose money nobody knows."""
    lines = []
    for currency, (count, amount) in sorted(found.items()):
        words = f"{count:,} finding{'' if count == 1 else 's'}"
        if currency and amount is not None:
            words += f", {pricing.words(amount, currency)} a month could be saved"
        lines.append(f"{words}.")
    return lines


def _renewal(standing: spending.Standing, today: date) -> list[str]:
    ends = standing.renewal
    if ends is None or ends.ends > today + AHEAD:
        return []
    line = f"The contract ends on {ends.ends:%-d %B %Y}"
    if ends.renews:
        line = f"The contract renews by itself after {ends.ends:%-d %B %Y}"
    if ends.notice_by is not None and not ends.missed:
        line += f"; notice is due by {ends.notice_by:%-d %B %Y}"
    elif ends.missed:
        line += "; the day of notice has passed"
    return [f"{line}."]


def _services(count: int) -> str:
    return f"{count:,} service{'' if count == 1 else 's'}"


def _last_monday(now: datetime) -> datetime:
    """The last Monday morning that is not ahead."""
    there = now.astimezone(settings.BILLING_ZONE)
    monday = there.date() - timedelta(days=there.weekday())
    due = datetime.combine(monday, AT, settings.BILLING_ZONE)
    if due > now:
        due = datetime.combine(monday - A_WEEK, AT, settings.BILLING_ZONE)
    return due
