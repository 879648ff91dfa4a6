"""The configuration changes of an account, for its audit trail."""

from typing import NamedTuple

from .people import Person
from .world import Company


class Change(NamedTuple):
    """One change."""

    at: int
    actor: Person | None


def changes(company: Company, since: int, until: int) -> list[Change]:
    """What was changed in the window, oldest first."""
    return []
