"""Members by file: upload, see what would change, apply; and a sample to begin with."""

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from seatwise import audit, memberfile, sync
from seatwise.memberfile import MendFirst, Mistake
from seatwise.models import Service
from seatwise.models.audit_event import Action
from seatwise.spreadsheet import Cell
from seatwise.sync.byfile import NotByFile, NothingWaits
from seatwise.views.export import csv_response
from seatwise.views.shell import person, require_admin, service_or_404

MISTAKES_SHOWN = 1000
SAMPLE: list[list[Cell]] = [
    ["Ada Lovelace", "ada@example.com", "admin", "Business"],
    ["Grace Hopper", "grace@example.com", "member", "Business"],
    ["Alan Turing", "alan@example.com", "guest", None],
]
WORDS = {
    "joined": "Joined",
    "returned": "Came back",
    "left": "Left",
    "changed": "Changed",
    "license": "Licence changed",
}


@require_POST
@require_admin("upload members")
def upload(request: HttpRequest, key: str) -> HttpResponse:
    """Takes a good file to the page that reviews it; of any other, shows what to mend."""
    service = service_or_404(key)
    try:
        name, data = _content(request.FILES.get("file"))
        sync.byfile.accept(service, memberfile.read(data), name=name, by=person(request))
    except MendFirst as error:
        return _mend(request, service, error)
    except NotByFile as error:
        messages.error(request, f"{error} Nothing was changed.")
        return redirect("service_settings", key=key)
    return redirect("review_members", key=key)


@require_safe
@require_admin("review an uploaded file")
def review(request: HttpRequest, key: str) -> HttpResponseBase:
    service = service_or_404(key)
    run = sync.byfile.waiting(service)
    if run is None:
        messages.info(request, "No file waits to be applied.")
        return redirect("service_settings", key=key)
    found = sync.byfile.review(run)
    words = {"joined": "Listed"} if found.is_first else WORDS
    changes = [
        (word, found.counts[kind], found.examples.get(kind, [])) for kind, word in words.items()
    ]
    context = _context(service) | {"run": run, "review": found, "changes": changes}
    return render(request, "byfile_review.html", context)


@require_POST
@require_admin("apply an uploaded file")
def apply(request: HttpRequest, key: str) -> HttpResponse:
    service = service_or_404(key)
    try:
        with transaction.atomic():
            run = sync.byfile.apply(service, _run_id(request), by=person(request))
            listed = f"{run.stages['members']['total']} members"
            audit.record(
                Action.FILE_APPLIED, service=key, about=service.name, said=f"{listed}. {run.reason}"
            )
    except (NothingWaits, NotByFile) as error:
        messages.error(request, f"{error} Nothing was changed.")
        return redirect("service_settings", key=key)
    messages.success(request, f"The members of {service.name} are now those of the file.")
    return redirect("members", key=key)


@require_POST
@require_admin("put an uploaded file aside")
def put_aside(request: HttpRequest, key: str) -> HttpResponse:
    service = service_or_404(key)
    try:
        sync.byfile.put_aside(service, _run_id(request))
        messages.info(request, "The file was put aside and is kept nowhere. Nothing was changed.")
    except (NothingWaits, NotByFile) as error:
        messages.error(request, str(error))
    return redirect("service_settings", key=key)


@require_safe
def sample(request: HttpRequest, key: str) -> HttpResponseBase:  # noqa: ARG001
    """A file to fill in."""
    service = service_or_404(key)
    return csv_response(f"{service.key}-members-sample", list(memberfile.COLUMNS), SAMPLE)


def _content(given: "UploadedFile[Any] | None") -> tuple[str, bytes]:
    """The file's name and bytes; of one that is too large only so many as prove it."""
    if given is None:
        what = "No file was chosen."
        raise MendFirst([Mistake(None, what, "Choose a CSV file and upload it again.")])
    return (given.name or "without a name")[:100], given.read(memberfile.MOST_BYTES + 1)


def _mend(request: HttpRequest, service: Service, error: MendFirst) -> HttpResponse:
    context = _context(service) | {
        "mistakes": error.mistakes[:MISTAKES_SHOWN],
        "found": len(error.mistakes),
        "more": max(0, len(error.mistakes) - MISTAKES_SHOWN),
    }
    return render(request, "byfile_mend.html", context, status=400)


def _context(service: Service) -> dict[str, Any]:
    return {"service": service, "connection": service.connection, "tab": "settings"}


def _run_id(request: HttpRequest) -> int:
    given = request.POST.get("file", "")
    return int(given) if given.isdecimal() and len(given) < 19 else 0
