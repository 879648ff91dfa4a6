"""The audit trail: who did what, when and from where, for admins to read and take along."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Self
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from seatwise.models import AuditEvent, Service
from seatwise.models.audit_event import Action, AuditEventQuerySet, TrailChoice
from seatwise.spreadsheet import Cell, Column
from seatwise.views.export import Export, download, menu, wanted
from seatwise.views.shell import require_admin

PAGE_SIZE = 100
MOST_WORDS = 8  # each word of a search is one more condition
LONGEST_NUMBER = 18  # digits that the database can compare
COLUMNS = (
    Column("at", "At", "time", "When it happened."),
    Column("action", "Action (raw)", "text", "The word that never changes, for programs."),
    Column("action_name", "Action", "text", "What happened, as the page names it."),
    Column("who", "Who", "text", "Who did it, by the name they had then."),
    Column("from", "Address", "text", "From where: an IP address, the command line, a worker."),
    Column("service", "Service", "text", "The key of the service it was about."),
    Column("about", "About", "text", "What exactly it was about."),
    Column("said", "Said", "text", "What the trail says of it, in words."),
    Column("detail", "Detail", "text", "The particulars, as JSON."),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as they stand in the address; the field names are its parameters."""

    q: str = ""
    action: str = ""
    person: str = ""
    service: str = ""
    security: str = ""  # "1": only what somebody who looks after security wants to see first
    since: str = ""  # a day in the billing zone, "2026-11-23"
    until: str = ""  # the last day of it

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """What can be understood of an address; the rest is as if it was not there."""

        def one(name: str, most: int = 200) -> str:
            return query.get(name, "").replace("\x00", "").strip()[:most]

        action = one("action")
        return cls(
            q=" ".join(one("q").split()[:MOST_WORDS]),
            action=action if action in Action.values else "",
            person=one("person", 320),
            service=one("service"),
            security="1" if one("security") == "1" else "",
            since=one("since") if _day(one("since")) else "",
            until=one("until") if _day(one("until")) else "",
        )

    @property
    def choice(self) -> TrailChoice:
        until = _day(self.until)
        return TrailChoice(
            text=self.q,
            action=self.action,
            person=self.person,
            service=self.service,
            security=self.security == "1",
            since=_midnight(_day(self.since)),
            until=_midnight(until + timedelta(days=1) if until else None),
        )

    @property
    def is_filtered(self) -> bool:
        return self != type(self)()

    def address(self, **more: object) -> str:
        """The query of these filters, and of `more`."""
        given = {name: value for name, value in (asdict(self) | more).items() if value}
        return f"?{urlencode(given)}"

    def chips(self) -> list[tuple[str, str]]:
        """The filters that are on, in words, each with the address without it."""
        words = {
            "q": f"Search: {self.q}",
            "action": f"What: {Action(self.action).label if self.action else ''}",
            "person": f"Who: {self.person}",
            "service": f"Service: {self.service}",
            "security": "Security only",
            "since": f"From {_said(self.since)}",
            "until": f"To {_said(self.until)}",
        }
        given = [name for name, value in asdict(self).items() if value]
        return [(words[name], replace(self, **{name: ""}).address()) for name in given]


@require_safe
@require_admin("read the audit trail")
def page(request: HttpRequest) -> HttpResponseBase:
    """Newest first, a page of 100 from the event on that `before` or `after` numbers; or a file."""
    asked = Asked.from_query(request.GET)
    found = AuditEvent.objects.matching(asked.choice)
    count = found.count()
    if wanted(request):
        return download(request, _export(found, count, asked))
    events, newer, older = _page(found, request.GET)
    names = {service.key: service.name for service in Service.objects.by_name()}
    context = {
        "asked": asked,
        "events": events,
        "count": count,
        "total": AuditEvent.objects.count() if asked.is_filtered else count,
        "names": names,
        "chips": asked.chips(),
        "exports": menu(asked.address()),
        "newer": asked.address(after=events[0].pk) if newer and events else "",
        "older": asked.address(before=events[-1].pk) if older and events else "",
        "newest": asked.address(),
        "actions": Action.choices,
        "people": _with(asked.person, AuditEvent.objects.people()),
        "services": [
            (key, names.get(key, key))
            for key in _with(asked.service, AuditEvent.objects.services())
        ],
        "zone": settings.BILLING_ZONE.key,
    }
    return render(request, "audit.html", context)


def _with(chosen: str, offered: list[str]) -> list[str]:
    """What is offered, and what is chosen, for a form must not lose that at the next Apply."""
    return [*([chosen] if chosen and chosen not in offered else []), *offered]


def _page(found: AuditEventQuerySet, query: QueryDict) -> tuple[list[AuditEvent], bool, bool]:
    """The events of one page, and whether there are newer and older ones.

    Pages hang on an event and not on a number, so that what arrives meanwhile moves none of them.
    """
    after, before = _number(query.get("after", "")), _number(query.get("before", ""))
    if after:
        events = found.newer_than(after, PAGE_SIZE + 1)
        return events[-PAGE_SIZE:], len(events) > PAGE_SIZE, True
    events = found.older_than(before, PAGE_SIZE + 1)
    return events[:PAGE_SIZE], bool(before), len(events) > PAGE_SIZE


def _export(found: AuditEventQuerySet, count: int, asked: Asked) -> Export:
    """What is filtered, up to the moment of asking: the export itself is the next event."""
    now = timezone.now()
    return Export(
        file=f"audit-trail-{now.astimezone(settings.BILLING_ZONE).date()}",
        what="audit trail",
        title="Audit trail",
        says="One row for each event that the filters leave, newest first.",
        columns=COLUMNS,
        rows=_lines(found.until(now)),
        count=count,
        as_of=now,
        filters=[words for words, _url in asked.chips()],
    )


def _lines(events: AuditEventQuerySet) -> Iterator[list[Cell]]:
    for event in events.newest_first().iterator(chunk_size=1000):
        yield [
            event.at,
            event.action,
            event.get_action_display(),
            event.actor,
            event.origin,
            event.service,
            event.about,
            event.said,
            event.detail_text,
        ]


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= LONGEST_NUMBER else 0


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2200 else None


def _said(text: str) -> str:
    """A day of an address as pages write it: "23 November 2026"."""
    day = _day(text)
    return f"{day.day} {day:%B %Y}" if day else ""


def _midnight(day: date | None) -> datetime | None:
    """When that day begins, in the billing zone."""
    return datetime(day.year, day.month, day.day, tzinfo=settings.BILLING_ZONE) if day else None
