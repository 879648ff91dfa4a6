"""For the operator's monitor: whether a process answers, and whether it can do its work."""

import logging
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from seatwise import readiness

log = logging.getLogger(__name__)

_known: dict[str, str] = {}  # what the last probe of this process found


@login_not_required
@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 from any process that answers at all; asks nobody, not even the database."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 when pages and syncs can be served, else 503; a line a check, each with one word."""
    found = readiness.checks()
    _note_change(found)
    text = "".join(f"{name} {word}\n" for name, word in found.items())
    status = 200 if readiness.is_ready(found) else 503
    return HttpResponse(text, status=status, content_type="text/plain")


alive.before_first_run = True  # type: ignore[attr-defined]
ready.before_first_run = True  # type: ignore[attr-defined]


def _note_change(found: Mapping[str, str]) -> None:
    """Once in the log of each process, however often it is asked."""
    if found == _known:
        return
    if not readiness.is_ready(found):
        wrong = [f"{name} {word}" for name, word in found.items() if word != readiness.OK]
        log.warning("not ready: %s", ", ".join(wrong))
    elif _known:
        log.warning("ready again")
    _known.clear()
    _known.update(found)


def for_any_host(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Lets a probe ask by whatever name it has for this machine; a middleware.

    A probe has no session either, so nobody looks into the database for one.
    """
    own = urlsplit(settings.BASE_URL).netloc

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info in settings.PROBED:
            request.META["HTTP_HOST"] = own
            request.META.pop("HTTP_COOKIE", None)
        return get_response(request)

    return middleware
