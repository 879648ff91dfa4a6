"""A service's settings: what is read and why, who authorizes, how it is going, how it ends."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from seatwise import connections
from seatwise.connectors.base import Connector, Scope, Way, role_info
from seatwise.models import Authorization, Connection, Revocation, Service, SyncRun
from seatwise.models.connection import State
from seatwise.views.authorizing import told, visible
from seatwise.views.shell import one_account, person, require_admin, service_or_404

WITHOUT_AUTHORIZATION = {State.DISCONNECTED, State.BY_FILE}
REVOCATIONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Permission:
    """A scope, and whether the vendor granted it; None where nobody knows."""

    scope: Scope
    granted: bool | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder: a scope, and whether it is ticked to begin with."""

    scope: Scope
    ticked: bool


@dataclass(frozen=True, slots=True)
class Ladder:
    """What may be asked for: the usual, and what is only asked for when somebody chose it."""

    usual: list[Step]
    extra: list[Step]


@dataclass(frozen=True, slots=True)
class WayShown:
    """A way in, and the settings without which it cannot be gone."""

    way: Way
    missing: list[str]
    opened: bool


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponse:
    """`?integrate=again` (or `new`) and `?revoke` open the dialogs without JavaScript, too."""
    service = one_account(request, key)
    outcome = _outcome(request, service)
    if outcome and outcome.connection_id:
        service.choose(str(outcome.connection_id))
    context = _context(service) | {"tab": "settings", **told(outcome)}
    wished = request.GET.get("integrate")
    again = bool(context["renews"]) and wished != "new"
    context |= {
        "asks_to_integrate": wished is not None and again,
        "asks_for_another": wished is not None and not again,
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
    service = one_account(request, key)
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
    granted = set(connection.scopes) if connection and alive else None
    return {
        "service": service,
        "connection": connection,
        "connector": connector,
        "is_connected": alive,
        "renews": connection.pk if connection and alive else None,
        "dialog_for_new": "integrate-new" if alive else "integrate",
        "has_collected": any(each.members_as_of for each in service.connections.all()),
        "granted_role": role_info(connector, connection.granted_role).name
        if connection and connection.granted_role
        else "",
        "permissions": _permissions(connector, connection if alive else None),
        "ways": _ways(connector, connection if alive else None),
        "ladder": _ladder(connector, granted or ()),
        "missing": connections.missing_settings(service.key),
        "callback_url": connections.callback_url(service.key),
        "revocations": list(Revocation.objects.of_connection(connection)[:REVOCATIONS_SHOWN]),
        "last_run": runs.newest(),
        "last_file": runs.ended().newest() if connection and connection.is_by_file else None,
    }


def _permissions(connector: Connector | None, connection: Connection | None) -> list[Permission]:
    """What is read, scope by scope; of one scope for everything nobody can tell them apart."""
    way = connection.way_in if connection else None
    granted = set(connection.scopes) if connection and way and way.picks_scopes else None
    return [
        Permission(scope, None if granted is None else scope.name in granted)
        for scope in (connector.scopes if connector else ())
        if not scope.optional or scope.name in (granted or ())
    ]


def _ways(connector: Connector | None, connection: Connection | None) -> list[WayShown]:
    """The connector's ways in; open is the one that is in use, else the first."""
    if connector is None:
        return []
    used = connection.way_in if connection else None
    return [
        WayShown(
            way,
            connections.missing_settings(connector.key, way.key),
            opened=way == (used or connector.ways[0]),
        )
        for way in connector.ways
    ]


def _ladder(connector: Connector | None, granted: Collection[str]) -> Ladder:
    """Ticked is what is usual, and of the rest what was granted before."""
    scopes = connector.scopes if connector else ()
    return Ladder(
        usual=[Step(scope, ticked=True) for scope in scopes if not scope.optional],
        extra=[Step(scope, scope.name in granted) for scope in scopes if scope.optional],
    )


def _outcome(request: HttpRequest, service: Service) -> Authorization | None:
    """What the popup window has just brought home, if it concerns this person."""
    given = request.GET.get("authorization", "")
    if not given.isdecimal():
        return None
    return visible(request, service).ended().numbered(int(given))
