"""A service's settings: what is read and why, who authorizes, how it is going, how it ends."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from seatwise import connections
from seatwise.connectors.base import Connector, Scope, Way, role_info
from seatwise.models import Authorization, Connection, Revocation, Service, SyncRun, User
from seatwise.models.connection import State
from seatwise.models.sync_run import RunState
from seatwise.templatetags.seatwise import ago, at
from seatwise.views import schedule_form
from seatwise.views.authorizing import told, visible
from seatwise.views.shell import (
    named_account,
    one_account,
    person,
    require_admin,
    service_or_404,
)

WITHOUT_AUTHORIZATION = {State.DISCONNECTED, State.BY_FILE}
REVOCATIONS_SHOWN = 3
NAME_AND_ADDRESS = re.compile(r"(?P<name>.+) <(?P<address>[^<>]+)>")


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
class WayShown:
    """A way in: the settings without which it cannot be gone, and what it can ask for."""

    way: Way
    missing: list[str]
    opened: bool
    usual: list[Step]
    extra: list[Step]  # asked for only when somebody chose it


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponse:
    """`?integrate=again` (or `new`) and `?revoke` open the dialogs without JavaScript, too."""
    service = one_account(request, key)
    outcome = _outcome(request, service)
    if outcome and (concerned := outcome.connection_id or outcome.renews_id):
        service.choose(str(concerned))
    return shown(request, service, told(outcome))


def shown(
    request: HttpRequest, service: Service, more: Mapping[str, Any], status: int = 200
) -> HttpResponse:
    """The page with what else there is to say, also as the answer to a form with a mistake."""
    context = _context(service) | {"tab": "settings", **more}
    wished = request.GET.get("integrate")
    again = bool(context["renews"]) and wished != "new"
    context |= {
        "asks_to_integrate": wished is not None and again,
        "asks_for_another": wished is not None and not again,
        "asks_to_revoke": "revoke" in request.GET,
        "asks_to_erase": request.GET.get("erase", ""),
    }
    response = render(request, "settings.html", context, status=status)
    # Chrome applies form-action to where a form's answer redirects: the consent page.
    response._csp_update = {"form-action": connections.consent_origins()}  # type: ignore[attr-defined] # noqa: SLF001
    return response


@require_POST
@require_admin("revoke an authorization")
def revoke(request: HttpRequest, key: str) -> HttpResponse:
    service = named_account(request, key)
    connection = service.connection
    back = redirect(at(service, "service_settings"))
    if connection is None or connection.state in WITHOUT_AUTHORIZATION:
        messages.info(request, f"{service.name} is not connected; nothing was changed.")
        return back
    erase = request.POST.get("data") == "erase"
    connections.revoke(connection, by=person(request), erase=erase)
    kept = "was erased" if erase else "is kept and no longer grows"
    messages.success(
        request,
        f"The authorization of {connection.account_name} is revoked: its tokens are erased and "
        f"the schedule is stopped. What was collected {kept}.",
    )
    return back


@require_POST
@require_admin("erase what was collected")
def erase(request: HttpRequest, key: str) -> HttpResponse:
    """What was collected of one account that holds no authorization, also of a hidden one."""
    service = service_or_404(key)
    number = request.POST.get("account", "")
    connection = next((each for each in service.with_data if str(each.pk) == number), None)
    if connection is None:
        raise Http404("There is nothing collected of this account. Nothing was changed.")
    name = connection.account_name or service.name
    if connections.erase(connection):
        messages.success(request, f"What was collected of {name} is erased.")
    else:
        messages.info(request, f"{name} is connected: revoke first. Nothing was erased.")
    service.choose(number)
    return redirect(at(service, "service_settings"))


def _context(service: Service) -> dict[str, Any]:
    connection, connector = service.connection, service.connector
    alive = connection is not None and connection.state not in WITHOUT_AUTHORIZATION
    runs = SyncRun.objects.of(service)
    last_run = runs.newest()
    return {
        "service": service,
        "connection": connection,
        "connector": connector,
        "is_connected": alive,
        "renews": connection.pk if connection and alive else None,
        "dialog_for_new": "integrate-new" if alive else "integrate",
        "kept": [each for each in service.with_data if not each.holds_a_grant],
        "granted_by": _person(connection.granted_by if connection else ""),
        "granted_role": role_info(connector, connection.granted_role).name
        if connection and connection.granted_role
        else "",
        "permissions": _permissions(connector, connection if alive else None),
        "ways_again": _ways(connector, connection) if alive else [],
        "ways_new": _ways(connector, None),
        "missing": connections.missing_settings(service.key),
        "callback_url": connections.callback_url(service.key),
        **(schedule_form.of(connection) if connection and alive else {}),
        "revocations": list(Revocation.objects.concerning(service)[:REVOCATIONS_SHOWN]),
        "confirmed": connections.confirmed(connector.name if connector else service.name),
        "asked_for_hours": round(connections.ASKED_FOR / timedelta(hours=1)),
        "people": list(User.objects.active().by_name()),
        "last_run": last_run,
        "read_as_of": _read_as_of(connection) if connection else [],
        "tells_attention": connection is not None and _tells_attention(connection, last_run),
        "last_file": runs.ended().newest() if connection and connection.is_by_file else None,
    }


def _person(granted_by: str) -> dict[str, str]:
    """Name and address of `Ada Lovelace <ada@example.com>`; what is written otherwise is a name."""
    found = NAME_AND_ADDRESS.fullmatch(granted_by)
    return found.groupdict() if found else {"name": granted_by, "address": ""}


def _read_as_of(connection: Connection) -> list[tuple[str, datetime | None]]:
    """When each part was read; one line for all where it would be said three times."""
    parts = [
        ("Members", connection.members_as_of),
        ("Usage", connection.usage_as_of),
        ("Activity", connection.activity_as_of),
    ]
    now = timezone.now()
    known = [at for _, at in parts if at is not None]
    if len({ago(at, now) if at else "" for _, at in parts}) == 1:
        return [("All data", min(known, default=None))]
    return parts


def _tells_attention(connection: Connection, last_run: SyncRun | None) -> bool:
    """Whether the card says what is wrong: not where the top of the page has said the same."""
    if last_run is None or not (last_run.is_open or last_run.state == RunState.ACTION_NEEDED):
        return False  # `progress_end.html` says it
    return bool(connection.attention) and connection.attention != last_run.reason


def _permissions(connector: Connector | None, connection: Connection | None) -> list[Permission]:
    """What is read, scope by scope; of one scope for everything nobody can tell them apart."""
    way = connection.way_in if connection else None
    granted = set(connection.scopes) if connection and way and way.picks_scopes else None
    return [
        Permission(scope, None if granted is None else scope.name in granted)
        for scope in (connector.scopes if connector else ())
        if (not scope.optional or scope.name in (granted or ()))
        and (way is None or way.may_ask(scope))
    ]


def _ways(connector: Connector | None, connection: Connection | None) -> list[WayShown]:
    """The ways in to renew a connection, or to a new account.

    Open is the one that is in use, else the recommended one. Ticked is what was asked for last
    time, else what is usual.
    """
    if connector is None:
        return []
    used = (connection.way_in if connection else None) or connector.ways[0]
    asked = Authorization.objects.asked_for(connection.pk) if connection else []
    return [_way(connector, way, used, set(asked)) for way in connector.ways]


def _way(connector: Connector, way: Way, used: Way, asked: Collection[str]) -> WayShown:
    known = [scope for scope in connector.scopes if way.may_ask(scope)]
    before = {scope.name for scope in known} & set(asked)
    steps = [Step(s, s.required or (s.name in before if before else not s.optional)) for s in known]
    return WayShown(
        way,
        connections.missing_settings(connector.key, way.key),
        opened=way == used,
        usual=[step for step in steps if not step.scope.optional],
        extra=[step for step in steps if step.scope.optional],
    )


def _outcome(request: HttpRequest, service: Service) -> Authorization | None:
    """What the popup window has just brought home, if it concerns this person."""
    given = request.GET.get("authorization", "")
    if not given.isdecimal():
        return None
    return visible(request, service).ended().numbered(int(given))
