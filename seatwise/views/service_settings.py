"""A service's settings: what is read and why, who authorizes, how it is going, how it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from seatwise import connections
from seatwise.connectors.base import Scope, role_info
from seatwise.models import Authorization, Connection, Service, SyncRun
from seatwise.models.connection import State
from seatwise.views.authorizing import told, visible
from seatwise.views.shell import person, require_admin, service_or_404

WITHOUT_AUTHORIZATION = {State.DISCONNECTED, State.BY_FILE}


@dataclass(frozen=True, slots=True)
class Permission:
    """A scope, and whether the vendor granted it; None before there is a connection."""

    scope: Scope
    granted: bool | None


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponse:
    """`?integrate` and `?revoke` open the dialogs without JavaScript, too."""
    service = service_or_404(key)
    context = _context(service) | {
        "tab": "settings",
        **told(_outcome(request, service)),
        "asks_to_integrate": "integrate" in request.GET,
        "asks_to_revoke": "revoke" in request.GET,
        "asks_to_erase": "erase" in request.GET,
    }
    response = render(request, "settings.html", context)
    # Chrome applies form-action to where a form's answer redirects: the consent page.
    response._csp_update = {"form-action": connections.consent_origins()}  # type: ignore[attr-defined] # noqa: SLF001
    return response


@require_POST
@require_admin("revoke an authorization")
def revoke(request: HttpRequest, key: str) -> HttpResponse:
    service = service_or_404(key)
    connection = service.connection
    if connection is None or connection.state in WITHOUT_AUTHORIZATION:
        messages.info(request, f"{service.name} is not connected; nothing was changed.")
        return redirect("service_settings", key=key)
    erase = request.POST.get("data") == "erase"
    connections.revoke(connection, by=person(request), erase=erase)
    kept = "was erased" if erase else "is kept and no longer grows"
    messages.success(
        request,
        f"The authorization is revoked: its tokens are erased and the schedule is stopped. "
        f"What was collected {kept}.",
    )
    return redirect("service_settings", key=key)


@require_POST
@require_admin("erase what was collected")
def erase(request: HttpRequest, key: str) -> HttpResponse:
    """Members, history and usage of a service that nothing is connected to any more."""
    service = service_or_404(key)
    if connections.erase(service):
        messages.success(request, f"What was collected of {service.name} is erased.")
    else:
        messages.info(request, f"{service.name} is connected: revoke first. Nothing was erased.")
    return redirect("service_settings", key=key)


def _context(service: Service) -> dict[str, Any]:
    connection, connector = service.connection, service.connector
    alive = connection is not None and connection.state not in WITHOUT_AUTHORIZATION
    runs = SyncRun.objects.of(service)
    return {
        "service": service,
        "connection": connection,
        "connector": connector,
        "is_connected": alive,
        "has_collected": any(each.members_as_of for each in service.connections.all()),
        "granted_role": role_info(connector, connection.granted_role).name
        if connection and connection.granted_role
        else "",
        "permissions": _permissions(connector.scopes if connector else (), connection, alive),
        "missing": connections.missing_settings(service.key),
        "callback_url": connections.callback_url(service.key),
        "last_run": runs.newest(),
        "last_file": runs.ended().newest() if connection and connection.is_by_file else None,
    }


def _permissions(
    scopes: Sequence[Scope], connection: Connection | None, alive: bool
) -> list[Permission]:
    granted = set(connection.scopes) if connection and alive and connection.scopes else None
    return [
        Permission(scope, None if granted is None else scope.name in granted)
        for scope in scopes
        if not scope.optional or scope.name in (granted or ())
    ]


def _outcome(request: HttpRequest, service: Service) -> Authorization | None:
    """What the popup window has just brought home, if it concerns this person."""
    given = request.GET.get("authorization", "")
    if not given.isdecimal():
        return None
    return visible(request, service).ended().numbered(int(given))
