"""The renewals as a calendar that a program subscribes to, at an address with a secret in it."""

import hmac
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from icalendar import Alarm, Calendar, Event

from seatwise import accounts, history
from seatwise.models import Installation, User
from seatwise.pricing import words
from seatwise.views.renewals_rows import Day, days, stakes

TYPE = "text/calendar; charset=utf-8"
BEFORE_NOTICE = (timedelta(days=30), timedelta(days=7), timedelta(days=1))
BEFORE_END = (timedelta(days=7),)
AGAIN = timedelta(hours=12)  # so often a program need ask


def address_of(secret: str) -> str:
    """The whole address that a calendar program is given."""
    return f"{settings.BASE_URL}{reverse('renewals_feed', args=[secret])}"


@login_not_required
@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponse:  # noqa: ARG001
    """Days of notice and ends of terms, for whoever has the address. Never who anybody is."""
    digest = accounts.calendar_hash(secret)
    owner = User.objects.with_calendar(digest)
    # The database was asked by the digest, so how long that took tells nothing about the secret.
    if owner is None or not hmac.compare_digest(owner.calendar_hash or "", digest):
        raise Http404("There is no such calendar.")
    now = timezone.now()
    today = history.day_of(now, settings.BILLING_ZONE)
    response = HttpResponse(calendar(today, now).to_ical(), content_type=TYPE)
    response["Content-Disposition"] = 'inline; filename="seatwise-renewals.ics"'
    return response


def calendar(today: date, now: datetime) -> Calendar:
    """`now`: when it was written, which programs want to know."""
    found = Calendar()
    found.add("prodid", "-//Seatwise//Renewals//EN")
    found.add("version", "2.0")
    found.add("method", "PUBLISH")
    found.add("x-wr-calname", "Seatwise renewals")
    found.add("refresh-interval", AGAIN, parameters={"VALUE": "DURATION"})
    found.add("x-published-ttl", AGAIN)
    installation = Installation.objects.first()
    home = str(installation.uid) if installation else "here"
    for day in days(stakes(today), today):
        found.add_component(_event(day, home, now))
    return found


def _event(day: Day, home: str, now: datetime) -> Event:
    service = day.stake.service
    kind = "notice" if day.is_notice else "end"
    event = Event()
    # The same for as long as it is about the same term of the same service, whatever it is called.
    ends = day.stake.renewal.ends if day.stake.renewal else day.at
    event.add("uid", f"{kind}-{service.pk}-{ends:%Y-%m}-{home}@seatwise")
    event.add("dtstamp", now)
    event.add("dtstart", day.at)
    event.add("dtend", day.at + timedelta(days=1))
    event.add("summary", _title(day))
    event.add("description", "\n".join(_told(day)))
    event.add("url", f"{settings.BASE_URL}{reverse('renewals')}")
    event.add("transp", "TRANSPARENT")  # nobody is busy for it
    event.add("class", "CONFIDENTIAL")
    for before in BEFORE_NOTICE if day.is_notice else BEFORE_END:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", _title(day))
        alarm.add("trigger", -before)
        event.add_component(alarm)
    return event


def _title(day: Day) -> str:
    name = day.stake.service.name
    return f"{name}: last day to give notice" if day.is_notice else f"{name}: the term ends"


def _told(day: Day) -> Iterator[str]:
    standing, renewal = day.stake.standing, day.stake.renewal
    if renewal is not None:
        if day.is_notice:
            yield f"The term ends on {renewal.ends:%-d %B %Y}."
        goes_on = {True: "It renews by itself.", False: "It does not renew by itself."}
        if renewal.renews is not None:
            yield goes_on[renewal.renews]
    if standing.value is not None:
        yield f"Contract value of a term: {words(standing.value, standing.currency)}."
    if standing.committed is not None:
        held = "" if standing.held is None else f", {standing.held:,} held"
        yield f"Seats: {standing.committed:,} committed{held}."
    if day.stake.savable:
        yield f"Savable a month: {words(day.stake.savable, standing.currency)}."
