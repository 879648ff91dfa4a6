"""How the lists of what an account is made of are narrowed and put in order."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from .answers import Call, invalid, lacks

ORDERS = {"name": False, "name:asc": False, "name:desc": True}


class Named(Protocol):
    """Anything with a name and an id."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def name(self) -> str:
        """What people call it."""


Thing = TypeVar("Thing", bound=Named)


def by_name(call: Call, things: Iterable[Thing]) -> list[Thing]:
    """Those whose name contains the `query`, in the order of names that `sort_by` asks for."""
    order, wanted = call.params.get("sort_by", "name"), call.params.get("query", "").casefold()
    if order not in ORDERS:
        raise invalid(f"sort_by must be one of {', '.join(ORDERS)}.")
    found = [thing for thing in things if wanted in thing.name.casefold()]
    found.sort(key=lambda thing: (thing.name.casefold(), thing.id), reverse=ORDERS[order])
    return found


def teams_asked(call: Call) -> frozenset[str]:
    """The ids in `team_ids[]`. Raises RestError where the account cannot have teams."""
    asked = frozenset(call.params.getlist("team_ids[]"))
    if asked:
        able(call, "teams")
    return asked


def able(call: Call, ability: str) -> None:
    """Raises RestError where the account cannot do that."""
    if ability not in call.account.abilities or ability in call.controls.lack_ability:
        raise lacks(ability)


def the(things: Sequence[Thing], name: str) -> Thing | None:
    """The one with that id."""
    return next((thing for thing in things if thing.id == name), None)
