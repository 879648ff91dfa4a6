"""The ways in to an account and back, with what came of it."""

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from seatwise import connections, tasks
from seatwise.connections import NoSuchWay, NotConfigured, NotYours, StateRejected
from seatwise.connectors.errors import VendorError
from seatwise.models import Authorization, Connection, Service
from seatwise.models.authorization import AuthorizationQuerySet, Outcome
from seatwise.templatetags.seatwise import at
from seatwise.views.shell import (
    is_admin,
    named_account,
    person,
    require_admin,
    service_or_404,
)

SESSION_ENDED = (
    "Your session ended while you were at {name}. Nothing was connected: press Integrate again."
)


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
            way=request.POST.get("way", ""),
            scopes=_scopes(request),
            renews=_renews(request, service),
        )
    except (NotConfigured, VendorError) as error:
        return _cannot(request, key, error)
    except NoSuchWay as error:
        raise BadRequest(str(error)) from None
    return redirect(url)


@sensitive_variables("given")
@sensitive_post_parameters("api_key", "client_secret")
@require_POST
@require_admin("integrate a service")
def let_in(request: HttpRequest, key: str) -> HttpResponse:
    """By an API key (`api_key`), or by a private app (`client_id`, `client_secret`, …)."""
    service = service_or_404(key)
    given = request.POST
    renews = _renews(request, service)
    try:
        if "api_key" in given:
            attempt = connections.let_in_by_key(
                service,
                user=person(request),
                api_key=given["api_key"],
                way=given.get("way", ""),
                renews=renews,
            )
        else:
            attempt = connections.let_in_by_machine(
                service,
                user=person(request),
                client_id=given.get("client_id", ""),
                client_secret=given.get("client_secret", ""),
                account_name=given.get("account_name", ""),
                scopes=_scopes(request),
                way=given.get("way", ""),
                renews=renews,
            )
    except NotConfigured as error:
        return _cannot(request, key, error)
    except NoSuchWay as error:
        raise BadRequest(str(error)) from None
    return _told_on_a_page(request, attempt)


@require_safe
def callback(request: HttpRequest, key: str) -> HttpResponse:
    """Where the vendor sends the person back to, with a code or an error."""
    service = service_or_404(key)
    if request.GET.dict() == {"session": "ended"}:  # from sign-in, see `seatwise.middleware`
        messages.warning(request, SESSION_ENDED.format(name=service.name))
        return redirect("service_settings", key=key)
    try:
        attempt = connections.finish(
            key, request.GET.dict(), user=person(request), session_key=_session_key(request)
        )
    except StateRejected as error:
        status = 409 if error.used else 403
        page = render(request, "rejected.html", {"service": service, "error": error}, status=status)
        # This page's own address holds the answer, which must not be told to the next one.
        page["Referrer-Policy"] = "strict-origin"
        return page
    except NotConfigured as error:
        return _cannot(request, key, error)
    return _told_on_a_page(request, attempt)


@require_safe
def outcome(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """How it went. In a popup window the page hands this to the window it came from."""
    service = service_or_404(key)
    attempt = _visible_or_404(request, service, pk)
    service.choose(str(attempt.connection_id or attempt.renews_id or ""))
    # Only admins begin: who reads of a refusal and is none has lost the right meanwhile.
    lost = attempt.outcome == Outcome.REFUSED and not is_admin(request)
    response = render(
        request,
        "outcome.html",
        {"service": service, "connector": service.connector, **told(attempt)},
        status=403 if lost else 200,
    )
    response._csp_update = {"form-action": connections.consent_origins()}  # type: ignore[attr-defined] # noqa: SLF001
    return response


@require_POST
@require_admin("decide about an authorization")
def decide(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """`choice` of "beside", "replace", "cancel": what becomes of another account's grant."""
    attempt = _visible_or_404(request, service_or_404(key), pk)
    try:
        attempt = connections.decide(attempt, request.POST.get("choice", ""), user=person(request))
    except ValueError as error:
        raise BadRequest(str(error)) from None
    except NotYours as error:
        if attempt.user_id != person(request).pk:
            raise PermissionDenied(str(error)) from None
        messages.info(request, str(error))
        return redirect("outcome", key=key, pk=pk)
    return _told_on_a_page(request, attempt)


@require_POST
@require_admin("check a connection")
def check(request: HttpRequest, key: str) -> HttpResponse:
    """Looks again at what the connection of `account` can read."""
    service = named_account(request, key)
    connection = service.connection
    back = redirect(at(service, "service_settings"))
    if connection is None or not connection.is_alive:
        messages.info(request, f"{service.name} is not connected; there is nothing to check.")
        return back
    try:
        connections.check(connection)
    except VendorError as error:
        messages.error(request, f"{error} {error.remedy}")
        return back
    messages.success(request, f"{connection.account_name} was checked.")
    return back


def told(attempt: Authorization | None) -> dict[str, object]:
    """What the outcome's template says: the attempt, and whether one press tries it again."""
    return {
        "outcome": attempt,
        "outcome_again": _again(attempt),
        "outcome_is_there": _is_there(attempt),
    }


def visible(request: HttpRequest, service: Service) -> AuthorizationQuerySet:
    """The attempts that this person may read about: their own; an admin, everybody's."""
    attempts = Authorization.objects.of(service)
    return attempts if is_admin(request) else attempts.begun_by(person(request))


def _is_there(attempt: Authorization | None) -> bool:
    """Whether the account that waits for a choice is connected already."""
    if attempt is None or attempt.account is None:
        return False
    chosen = attempt.account["account"]["name"]
    there = attempt.service.accounts
    return any(each.account_name == chosen and each.holds_a_grant for each in there)


def _again(attempt: Authorization | None) -> bool:
    """Whether one press begins the same consent anew; a key or an app has to be typed again."""
    connector = attempt.service.connector if attempt else None
    ways = connector.ways if connector else ()
    kinds = [way.kind for way in ways if attempt and attempt.way in (way.key, "")]
    return "consent" in kinds[:1]


def _visible_or_404(request: HttpRequest, service: Service, pk: int) -> Authorization:
    attempt = visible(request, service).numbered(pk)
    if attempt is None:
        raise Http404("There is no such authorization.")
    return attempt


def _told_on_a_page(request: HttpRequest, attempt: Authorization) -> HttpResponse:
    """A page of its own, whose address holds no secret; a new connection is read at once."""
    if attempt.outcome == Outcome.CONNECTED and attempt.connection is not None:
        tasks.request_sync(attempt.connection, by=person(request))
    return redirect("outcome", key=attempt.service.key, pk=attempt.pk)


def _cannot(request: HttpRequest, key: str, error: NotConfigured | VendorError) -> HttpResponse:
    messages.error(request, f"{error} {error.remedy}")
    return redirect("service_settings", key=key)


def _scopes(request: HttpRequest) -> list[str] | None:
    """What was ticked; None, which is all that is usual, where no way was chosen."""
    return request.POST.getlist("scope") if "way" in request.POST else None


def _renews(request: HttpRequest, service: Service) -> Connection | None:
    """The connection that `account` numbers; None for "new", or where nothing is connected."""
    wanted = request.POST.get("account", "")
    if wanted == "new":
        return None
    if not wanted:
        return service.connections.holding_a_grant().newest_first().first()
    found = service.connections.numbered(wanted)
    if found is None:
        raise Http404("There is no such account.")
    return found if found.holds_a_grant else None


def _session_key(request: HttpRequest) -> str:
    """What binds an attempt to this browser; signing in has made it."""
    return request.session.session_key or ""
