"""Members by file: upload, see what would change, apply; and a sample to begin with.

Which column is what is said in between, see `byfile_columns`.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from seatwise import audit, memberfile, sync, tasks
from seatwise.memberfile import MendFirst, Mistake
from seatwise.models.audit_event import Action
from seatwise.sync.byfile import NotByFile, NothingWaits
from seatwise.views.byfile_mend import context_of, csv_of, mend, number_of
from seatwise.views.shell import person, require_admin, service_or_404

SAMPLE_HEADER = ["name", "email", "role", "license", "last seen", "invited"]
SAMPLE = [  # and how many days ago
    (["Ada Lovelace", "ada@example.com", "admin", "Business"], 1, "no"),
    (["Grace Hopper", "grace@example.com", "member", "Business"], 45, "no"),
    (["Alan Turing", "alan@example.com", "guest", ""], None, "yes"),
]
WORDS = {
    "joined": "Joined",
    "returned": "Came back",
    "left": "Left",
    "changed": "Changed",
    "license": "Licence changed",
}
SEEN = {"seen": "Last seen changed"}


@require_POST
@require_admin("upload members")
def upload(request: HttpRequest, key: str) -> HttpResponse:
    """Takes a file that can be opened to where its columns are chosen; else says what is wrong."""
    service = service_or_404(key)
    try:
        name, data = _content(request.FILES.get("file"))
        memberfile.opened(data)
        sync.byfile.upload(service, data, name=name, by=person(request))
    except MendFirst as error:
        return mend(request, service, error)
    except NotByFile as error:
        messages.error(request, f"{error} Nothing was changed.")
        return redirect("service_settings", key=key)
    return redirect("member_columns", key=key)


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
    if sync.byfile.tells_seen(run):
        words = {**words, **({"seen": "Last seen told"} if found.is_first else SEEN)}
    changes = [
        (word, found.counts[kind], found.examples.get(kind, [])) for kind, word in words.items()
    ]
    context = context_of(service) | {"run": run, "review": found, "changes": changes}
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
    tasks.look_soon(service)
    messages.success(request, f"The members of {service.name} are now those of the file.")
    return redirect("members", key=key)


@require_POST
@require_admin("discard an uploaded file")
def put_aside(request: HttpRequest, key: str) -> HttpResponse:
    """One that waits to be applied, or an upload of which nobody said which column is what."""
    service = service_or_404(key)
    try:
        if "upload" in request.POST:
            sync.byfile.forget(service, number_of(request.POST["upload"]))
        else:
            sync.byfile.put_aside(service, _run_id(request))
        messages.info(request, "The file was discarded and is kept nowhere. Nothing was changed.")
    except (NothingWaits, NotByFile) as error:
        messages.error(request, str(error))
    return redirect("service_settings", key=key)


@require_safe
def sample(request: HttpRequest, key: str) -> HttpResponseBase:  # noqa: ARG001
    """A file to fill in."""
    service = service_or_404(key)
    today = timezone.now().astimezone(settings.BILLING_ZONE).date()
    rows = [
        [*who, "" if days is None else today - timedelta(days=days), invited]
        for who, days, invited in SAMPLE
    ]
    return csv_of(f"{service.key}-members-sample", SAMPLE_HEADER, rows)


def _content(given: "UploadedFile[Any] | None") -> tuple[str, bytes]:
    """The file's name and bytes; of one that is too large only so many as prove it."""
    if given is None:
        what = "No file was chosen."
        remedy = "Choose a CSV file or an Excel workbook and upload it again."
        raise MendFirst([Mistake(None, what, remedy)])
    return given.name or "", given.read(memberfile.MOST_BYTES + 1)


def _run_id(request: HttpRequest) -> int:
    return number_of(request.POST.get("file", ""))
