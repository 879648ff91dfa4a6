"""One sync: what it read and what it changed, who worked at it, and how it is stopped."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from seatwise import history, sync, tasks
from seatwise.connectors.base import Connector, role_info
from seatwise.models import MemberEvent, Service, SyncRun
from seatwise.models.sync_run import DEATHS, Coverage, How, RunState
from seatwise.templatetags.seatwise import at
from seatwise.views.shell import came_from, person, require_admin, service_or_404
from seatwise.views.syncing import back

EVENTS_SHOWN = 50
COVERAGE_TONES = {"read": "ok", "in part": "warn", "not read": "bad", "not to its end": "warn"}
IN_A_FILE = {"members", "licences"}  # stages


@dataclass(frozen=True, slots=True)
class Stage:
    """How far one part of the account was read, and what stands in the way of the rest."""

    progress: dict[str, Any]
    word: str
    tone: str
    gaps: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One worker's try at a sync."""

    number: int
    worker: str
    began: datetime | None
    ended: datetime | None
    how: str  # "": it goes on


@dataclass(frozen=True, slots=True)
class Moved:
    """One line of what a sync changed."""

    event: MemberEvent
    words: str


@require_safe
def page(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """`?believe` opens the dialog about a held drop without JavaScript, too."""
    service, run = _service_and_run(key, pk)
    changes = run.changes
    count = changes.count()
    stages = _stages(run)
    told = [gap for stage in stages if stage.word != "read" for gap in stage.gaps]
    context = {
        "service": service,
        "connection": service.connection,
        "tab": "history",
        "run": run,
        "stages": stages,
        "other_notes": [gap for gap in run.gaps if gap not in told],
        "requests": sorted(run.requests.items(), key=lambda each: (-each[1], each[0])),
        "attempts": [_attempt(each, run) for each in run.attempts],
        "changes": [
            Moved(event, _words(event, service.connector))
            for event in changes.newest_first()[:EVENTS_SHOWN]
        ],
        "changes_count": count,
        "around": _around(service, run) if count > EVENTS_SHOWN else "",
        "asks_to_believe": "believe" in request.GET,
    }
    return render(request, "run.html", context)


@require_POST
@require_admin("stop a sync")
def stop(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """A sync that reads notices it at its next page."""
    service, run = _service_and_run(key, pk)
    if sync.stop(run, by=person(request)):
        messages.success(
            request,
            "The sync was stopped. What was complete stays; what was read only in part is put "
            "aside, and the next sync reads it anew.",
        )
    else:
        messages.info(request, "This sync had ended already; nothing was changed.")
    return redirect(_came_from(request, service, run))


@require_POST
@require_admin("confirm an unusual drop")
def believe(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """What is held is applied at the next look, which begins at once."""
    service, run = _service_and_run(key, pk)
    if sync.believe(run, by=person(request), shown=request.POST.get("shown", "")):
        tasks.request_sync(run.connection, by=person(request))
        messages.success(
            request,
            f"Confirmed. {service.name} is read once more now; who is missing then counts as left.",
        )
    else:
        messages.info(
            request,
            "What you saw is not what is held back by now. Nothing was changed; look again.",
        )
    return redirect(_came_from(request, service, run))


def _service_and_run(key: str, pk: int) -> tuple[Service, SyncRun]:
    """The service, showing the account of the sync. Raises Http404."""
    service = service_or_404(key)
    run = SyncRun.objects.of(service).for_page().numbered(pk)
    if run is None:
        raise Http404("There is no such sync of this service.")
    service.choose(str(run.connection_id))
    return service, run


def _came_from(request: HttpRequest, service: Service, run: SyncRun) -> str:
    """The sync's own page, or the tab on which the button was pressed."""
    here = reverse("run", args=[service.key, run.pk])
    if (came_from(request) or "").partition("?")[0] == here or "tab" not in request.POST:
        return here
    return back(request, service.key)


def _stages(run: SyncRun) -> list[Stage]:
    return [
        Stage(progress, *_how_far(covered, run), covered.gaps)
        for progress, covered in zip(run.progress, run.coverage, strict=True)
    ]


def _how_far(covered: Coverage, run: SyncRun) -> tuple[str, str]:
    """In words, and their tone."""
    if run.connection.is_by_file and covered.word != "read":
        waits = "not applied yet" if run.is_open else "not applied"
        return (waits if covered.name in IN_A_FILE else "not in a file"), "neutral"
    if run.is_open and covered.word == "not to its end":
        return ("being read", "info") if run.state == RunState.RUNNING else ("begun", "neutral")
    return covered.word, COVERAGE_TONES.get(covered.word, "neutral")


def _around(service: Service, run: SyncRun) -> str:
    """Where the days before and after a sync are compared; "" where the one before is unknown."""
    zone = settings.BILLING_ZONE
    first = history.day_of(run.started_at or run.created_at, zone) - timedelta(days=1)
    last = history.day_of(run.finished_at or timezone.now(), zone)
    spans = history.known(service)
    if not any(history.day_of(span.since, zone) <= first for span in spans):
        return ""
    return at(service, "seat_changes", **{"from": first, "to": last})


def _attempt(told: Mapping[str, Any], run: SyncRun) -> Attempt:
    how = str(told.get("how") or "")
    is_last = told.get("number") == run.attempt
    unknown = "" if run.is_open and is_last else "It is not known how"
    words = str(How(how).label) if how in How.values else how.capitalize() or unknown
    return Attempt(
        number=told["number"],
        worker=told.get("worker") or "unknown",
        began=_moment(told.get("began")),
        ended=_moment(told.get("ended")),
        how=words if how not in DEATHS or is_last else f"{words}; the next attempt took over",
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _words(event: MemberEvent, connector: Connector | None) -> str:
    """What happened to a member."""
    if event.kind != MemberEvent.Kind.CHANGED:
        return str(MemberEvent.Kind(event.kind).label)
    before, after = event.before, event.after
    if event.field == "role":
        before, after = (role_info(connector, word).name for word in (before, after))
        return f"went from {before} to {after}"
    if event.field == "license":
        none = "no known licence"
        return f"went from the licence {before or none} to {after or none}"
    if event.field == "invited":
        return "was invited anew" if after == "yes" else "accepted the invitation"
    what = {"email": "the e-mail address", "name": "the name"}.get(event.field, event.field)
    return f"changed {what} from {before or '–'} to {after or '–'}"
