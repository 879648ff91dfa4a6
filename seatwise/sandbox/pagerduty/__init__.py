"""A simulated PagerDuty: its accounts in two regions, OAuth and REST, in one application.

`/identity` is the identity host, `/us` and `/eu` are the REST hosts of the two regions. What
belongs to the sandbox itself answers on a port of its own.
"""

from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from ..options import Options
from ..simulation import Simulation
from .announcement import announcement, settings
from .company.world import World
from .identity.grants import Grants
from .identity.oauth import Identity
from .rest.answers import Gate
from .rest.endpoints import ENDPOINTS, NOTHING
from .strings.control import Strings
from .strings.controls import Controls
from .strings.routes import Templates
from .strings.witness import Record, Witness

__all__ = ["build", "settings"]


def build(options: Options) -> Simulation:
    """The whole vendor, and the strings behind it."""
    world = World(options)
    controls = Controls(options)
    grants = Grants(controls)
    identity = Identity(world, grants)
    app = Starlette(
        routes=[
            Mount("/identity", routes=identity.routes()),
            Mount("/us", routes=_rest(Gate(world.of_region("us"), grants, controls))),
            Mount("/eu", routes=_rest(Gate(world.of_region("eu"), grants, controls))),
        ]
    )
    record = Record(Templates(app.routes))

    def script(posted: Any) -> None:
        controls.script(posted)
        world.amend(controls.remove, controls.demote)

    return Simulation(
        app=Witness(app, controls, record),
        control=Strings(world, controls, record).app(),
        script=script,
        announcement=lambda base_url: announcement(base_url, world, identity.examples),
    )


def _rest(gate: Gate) -> list[BaseRoute]:
    return [
        Route(path, gate.endpoint(answer, need), methods=[method])
        for method, path, answer, need in (*ENDPOINTS, *NOTHING)
    ]
