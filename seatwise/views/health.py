"""For the operator's monitor: whether a process answers, and whether it can do its work."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from seatwise import readiness

PROBED = {"/healthz", "/readyz", "/metrics"}


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
    text = "".join(f"{name} {word}\n" for name, word in found.items())
    status = 200 if readiness.is_ready(found) else 503
    return HttpResponse(text, status=status, content_type="text/plain")


alive.before_first_run = True  # type: ignore[attr-defined]
ready.before_first_run = True  # type: ignore[attr-defined]


def for_any_host(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Lets a probe ask by whatever name it has for this machine; a middleware.

    A probe has no session either, so nobody looks into the database for one.
    """
    own = urlsplit(settings.BASE_URL).netloc

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PROBED:
            request.META["HTTP_HOST"] = own
            request.META.pop("HTTP_COOKIE", None)
        return get_response(request)

    return middleware
