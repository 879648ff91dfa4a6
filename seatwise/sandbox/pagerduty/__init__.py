"""A simulated PagerDuty: two accounts in two regions, OAuth and REST, in one application.

`/identity` is the identity host, `/us` and `/eu` are the REST hosts of the two regions. The
addresses that begin with two underscores belong to the sandbox itself and answer to this machine
only.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from . import faults, incidents, users
from .answers import Answer, Body, Call, Gate, missing
from .grants import CLASSIC, SCOPED, Grants
from .oauth import Identity
from .people import companies
from .signin import examples
from .truth import truth
from .world import World


def build(
    *, seed: int = 1, people: int = 250, months: int = 14, now: datetime | None = None
) -> Starlette:
    """The whole vendor as one application.

    `people` sizes the US account; `months` of history end with the present one. `now` stops the
    companies' clock at that moment; the lives of codes and tokens always run on the real one.
    """
    world = World(seed, people, months, now)
    controls, seen = faults.Controls(), list[dict[str, Any]]()
    grants = Grants(controls)
    return Starlette(
        routes=[
            Mount("/identity", routes=Identity(world, grants).routes()),
            Mount("/us", routes=_rest(Gate(world.of_region("us")[0], grants, controls))),
            Mount("/eu", routes=_rest(Gate(world.of_region("eu")[0], grants, controls))),
            *faults.routes(controls, seen),
            Route("/__truth", _truth(world)),
        ],
        middleware=[Middleware(faults.Witness, controls=controls, seen=seen)],
    )


def settings(base_url: str) -> dict[str, str]:
    """What a product must be told to use the sandbox at that address, with the scoped client."""
    return {
        "CLIENT_ID": SCOPED.id,
        "CLIENT_SECRET": SCOPED.secret,
        "IDENTITY_URL": f"{base_url}/identity",
        "API_URL": f"{base_url}/us",
        "API_URL_EU": f"{base_url}/eu",
    }


def announcement(base_url: str, *, seed: int = 1, people: int = 250) -> list[str]:
    """Lines that say where everything is and as whom one can sign in."""
    accounts = companies(seed, people)
    places = settings(base_url)
    return [
        f"PagerDuty sandbox: {base_url}",
        f"Identity: {places['IDENTITY_URL']}",
        f"REST US: {places['API_URL']}",
        f"REST EU: {places['API_URL_EU']}",
        f"Scoped OAuth client: {SCOPED.id}",
        f"Scoped OAuth secret: {SCOPED.secret}",
        f"Classic OAuth client: {CLASSIC.id}",
        f"Classic OAuth secret: {CLASSIC.secret}",
        *(f"API key of {account.subdomain}: {account.api_key}" for account in accounts),
        *(
            f"Sign in to {account.subdomain} as {person.email} ({person.role})"
            for account in accounts
            for person in examples(account)
        ),
    ]


def _rest(gate: Gate) -> list[BaseRoute]:
    read, seats, happened = "users.read", "licenses.read", "incidents.read"
    table: list[tuple[str, Answer, str | None]] = [
        ("/users", users.list_users, read),
        ("/users/me", users.me, None),
        ("/users/{id}", users.one_user, read),
        ("/licenses", users.list_licenses, seats),
        ("/license_allocations", users.list_allocations, seats),
        ("/abilities", users.list_abilities, "abilities.read"),
        ("/abilities/{name}", users.one_ability, "abilities.read"),
        ("/incidents", incidents.list_incidents, happened),
        ("/incidents/{id}", incidents.one_incident, happened),
        ("/incidents/{id}/alerts", incidents.list_alerts, happened),
        ("/incidents/{id}/log_entries", incidents.list_incident_log, happened),
        ("/log_entries", incidents.list_log, happened),
        ("/notifications", incidents.list_notifications, "users:notifications.read"),
        ("/{path:path}", _nothing, None),
    ]
    return [
        Route(path, gate.endpoint(answer, scope, leaders_only=scope == seats), methods=["GET"])
        for path, answer, scope in table
    ]


def _nothing(_call: Call) -> Body:
    raise missing()


def _truth(world: World) -> Callable[[Request], Awaitable[Response]]:
    async def tell(request: Request) -> Response:
        company = world.companies.get(request.query_params.get("account", "harbor-prod"))
        zone = request.query_params.get("zone", "UTC")
        if company is None or zone not in available_timezones():
            return JSONResponse({"error": "no such account or zone"}, 404)
        return JSONResponse(truth(company, zone))

    return tell
