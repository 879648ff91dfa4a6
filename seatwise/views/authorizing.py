"""The way to the vendor's consent page and back, with what came of it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from seatwise import connections, tasks
from seatwise.connections import NotConfigured, StateRejected
from seatwise.models import Authorization, Service
from seatwise.models.authorization import AuthorizationQuerySet, Outcome
from seatwise.views.shell import is_admin, person, require_admin, service_or_404


@require_POST
@require_admin("integrate a service")
def authorize(request: HttpRequest, key: str) -> HttpResponse:
    """Leads to the vendor. `popup=1` when it happens in a window of its own."""
    service = service_or_404(key)
    try:
        url = connections.begin(
            service,
            user=person(request),
            session_key=_session_key(request),
            popup=request.POST.get("popup") == "1",
        )
    except NotConfigured as error:
        messages.error(request, f"{error} {error.remedy}")
        return redirect("service_settings", key=key)
    return redirect(url)


@require_safe
def callback(request: HttpRequest, key: str) -> HttpResponse:
    """Where the vendor sends the person back to, with a code or an error."""
    service = service_or_404(key)
    try:
        attempt = connections.finish(
            key, request.GET.dict(), user=person(request), session_key=_session_key(request)
        )
    except StateRejected as error:
        status = 409 if error.used else 403
        return render(request, "rejected.html", {"service": service, "error": error}, status=status)
    except NotConfigured as error:
        messages.error(request, f"{error} {error.remedy}")
        return redirect("service_settings", key=key)
    if attempt.outcome == Outcome.CONNECTED and attempt.connection is not None:
        tasks.request_sync(attempt.connection, by=person(request))
    return redirect("outcome", key=key, pk=attempt.pk)


@require_safe
def outcome(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """How it went. In a popup window the page hands this to the window it came from."""
    service = service_or_404(key)
    attempt = visible(request, service).numbered(pk)
    if attempt is None:
        raise Http404("There is no such authorization.")
    response = render(
        request,
        "outcome.html",
        {"service": service, "connector": service.connector, **told(attempt)},
    )
    response._csp_update = {"form-action": connections.consent_origins()}  # type: ignore[attr-defined] # noqa: SLF001
    return response


def told(attempt: Authorization | None) -> dict[str, object]:
    """What the outcome's template says: the attempt, and what can be read now."""
    connection = attempt.connection if attempt else None
    connector = connection.connector if connection else None
    granted = set(connection.scopes) if connection else set()
    scopes = connector.scopes if connector else ()
    reads = [scope.reads for scope in scopes if scope.name in granted]
    return {"outcome": attempt, "outcome_reads": reads}


def visible(request: HttpRequest, service: Service) -> AuthorizationQuerySet:
    """The attempts that this person may read about: their own; an admin, everybody's."""
    attempts = Authorization.objects.of(service)
    return attempts if is_admin(request) else attempts.begun_by(person(request))


def _session_key(request: HttpRequest) -> str:
    """What binds an attempt to this browser; signing in has made it."""
    return request.session.session_key or ""
