"""What a visitor sees when a page could not be made: the database does not answer, or a defect."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from seatwise.sync.lasting import REMEDIES, SENTENCES, trouble_of

SECONDS = 15  # until the page tries again by itself
LONGEST_CHAIN = 10


def page(request: HttpRequest) -> HttpResponse:
    """Asks nothing of the database, and repeats nothing that it said."""
    trouble = _trouble(sys.exc_info()[1])
    if trouble is None:
        return server_error(request)
    if request.headers.get("HX-Request"):
        text, kind = f"{SENTENCES[trouble]} {REMEDIES[trouble]}\n", "text/plain; charset=utf-8"
    else:
        told = {
            "sentence": SENTENCES[trouble],
            "remedy": REMEDIES[trouble],
            "again_in": SECONDS if request.method in {"GET", "HEAD"} else None,
        }
        text, kind = render_to_string("503.html", told), "text/html; charset=utf-8"
    headers = {"Retry-After": str(SECONDS), "Cache-Control": "no-store, private"}
    return HttpResponse(text, status=503, content_type=kind, headers=headers)


def _trouble(error: BaseException | None) -> str | None:
    """Of the error or of one that it came from, such as one while a page was being made."""
    for _ in range(LONGEST_CHAIN):
        if error is None:
            break
        if trouble := trouble_of(error):
            return trouble
        error = error.__cause__ or error.__context__
    return None
