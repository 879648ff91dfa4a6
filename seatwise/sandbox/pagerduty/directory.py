"""The endpoints about what an account is made of: services, teams and their members."""

from .account import Service
from .answers import Body, Call
from .duty import Policy
from .people import Team
from .references import reference


def service(call: Call, one: Service) -> Body:
    """A service as the API shows it."""
    return reference(call.account, one) | {"type": "service", "name": one.name}


def policy(call: Call, one: Policy) -> Body:
    """An escalation policy as the API shows it."""
    return reference(call.account, one) | {"type": "escalation_policy", "name": one.name}


def team(call: Call, one: Team) -> Body:
    """A team as the API shows it."""
    return reference(call.account, one) | {"type": "team", "name": one.name}
