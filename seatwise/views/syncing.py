"""Sync now, and the live progress of what is being read."""

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from seatwise import tasks
from seatwise.models import SyncRun
from seatwise.views.shell import (
    asked_accounts,
    came_from,
    named_account,
    person,
    require_admin,
    service_or_404,
)

TABS = {
    "info": "info",
    "members": "members",
    "usage": "usage",
    "alerts": "alerts",
    "history": "history",
    "settings": "service_settings",
}


@require_POST
@require_admin("start a sync")
def sync_now(request: HttpRequest, key: str) -> HttpResponse:
    """Reads the account that is named, or every one of the service."""
    named = "account" in request.POST
    service = named_account(request, key) if named else service_or_404(key)
    alive = [each for each in service.shown_connections if each.is_alive]
    if not alive:
        messages.error(request, f"{service.name} is not connected. Integrate it first.")
        return redirect("service_settings", key=key)
    for connection in alive:
        tasks.request_sync(connection, by=person(request))
    return redirect(back(request, key))


@require_safe
def progress(request: HttpRequest, key: str) -> HttpResponse:
    """The fragment that pages ask for each second while a sync runs.

    Fires `run-stage-done` on the body when a stage is complete that was not (`?done=` says
    how many were) and `run-ended` at the end, so that a page can ask for its contents again.
    """
    service = asked_accounts(request, key)
    run = SyncRun.objects.of(service).foremost()
    running = run is not None and run.is_open
    known = request.GET.get("done", "0")
    news = run is not None and str(run.done_stages) != known
    tab = request.GET.get("tab", "")
    context = {
        "tab": tab if tab in TABS else "info",
        "service": service,
        "run": run,
        "out_of_band": True,
        "head": news or not running,
    }
    response = render(request, "progress_news.html", context)
    events = [name for name, fire in (("run-stage-done", news), ("run-ended", not running)) if fire]
    if events:
        response["HX-Trigger"] = json.dumps({name: {"target": "body"} for name in events})
    if not running:
        response["HX-Reswap"] = "outerHTML"
    return response


def back(request: HttpRequest, key: str) -> str:
    """The tab that a button was pressed on, with the filters or the month that it showed."""
    tab = request.POST.get("tab", "")
    address = reverse(TABS.get(tab, "info"), args=[key])
    there = came_from(request) or ""
    return there if there.partition("?")[0] == address else address
