"""The History tab: every sync of the accounts that are shown, and how each one ended."""

from collections.abc import Mapping

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from seatwise.models import SyncRun
from seatwise.models.sync_run import RunState, SyncRunQuerySet
from seatwise.templatetags.seatwise import at
from seatwise.views import history_export
from seatwise.views.export import download, menu, wanted
from seatwise.views.shell import asked_accounts

PAGE_SIZE = 25
LONGEST_NUMBER = 18  # digits that the database can compare
# What can stand in the address, in words, and the states it means.
ENDINGS: Mapping[str, tuple[str, tuple[RunState, ...]]] = {
    "done": ("Done", (RunState.DONE,)),
    "done_with_notes": ("Done, with notes", (RunState.DONE_WITH_NOTES,)),
    "retry_at": ("Trying again", (RunState.RETRY_AT,)),
    "action_needed": ("Action needed", (RunState.ACTION_NEEDED,)),
    "cancelled": ("Stopped or cancelled", (RunState.CANCELLED,)),
    "superseded": ("Superseded", (RunState.SUPERSEDED,)),
    "running": ("Waiting or reading", (RunState.QUEUED, RunState.RUNNING)),
}


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """Newest first, a page of 25 from the sync on that `before` or `after` numbers; or a file."""
    service = asked_accounts(request, key)
    asked = request.GET.get("ending", "")
    ending = asked if asked in ENDINGS else ""
    found = SyncRun.objects.of(service).for_page()
    if ending:
        found = found.in_states(ENDINGS[ending][1])
    if wanted(request):
        return download(request, history_export.export(service, found, _ending_words(ending)))
    runs, newer, older = _page(found, request.GET)
    context = {
        "service": service,
        "connection": service.connection,
        "connector": service.connector,
        "tab": "history",
        "all_accounts": reverse("history", args=[service.key]),
        "runs": runs,
        "ending": ending,
        "endings": [(name, words) for name, (words, _states) in ENDINGS.items()],
        "names_accounts": service.has_several and not service.account_query,
        "exports": menu(at(service, "history", ending=ending)),
        "newest": at(service, "history", ending=ending),
        "newer": at(service, "history", ending=ending, after=runs[0].pk) if newer and runs else "",
        "older": at(service, "history", ending=ending, before=runs[-1].pk) if older else "",
    }
    return render(request, "history.html", context)


def _ending_words(ending: str) -> list[str]:
    return [f"How they ended: {ENDINGS[ending][0]}"] if ending else []


def _page(found: SyncRunQuerySet, query: QueryDict) -> tuple[list[SyncRun], bool, bool]:
    """The syncs of one page, and whether there are newer and older ones.

    Pages hang on a sync and not on a number, so that one that begins meanwhile moves none of them.
    """
    after, before = _number(query.get("after", "")), _number(query.get("before", ""))
    if after:
        runs = found.newer_than(after, PAGE_SIZE + 1)
        return runs[-PAGE_SIZE:], len(runs) > PAGE_SIZE, bool(runs)
    runs = found.older_than(before, PAGE_SIZE + 1)
    return runs[:PAGE_SIZE], bool(before), len(runs) > PAGE_SIZE


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else 0
