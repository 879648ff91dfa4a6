"""A few people of each account whom a visitor may be, for the announcement and the sign-in page."""

from typing import Final

from ..company.people import Person
from ..company.world import Company, World
from ..strings.controls import Controls

ROLE_NAMES: Final = {
    "owner": "Account Owner",
    "admin": "Global Admin",
    "user": "Manager",
    "limited_user": "Responder",
    "observer": "Observer",
    "restricted_access": "Restricted Access",
    "read_only_user": "Stakeholder",
    "read_only_limited_user": "Limited Stakeholder",
}
IN_FULL: Final = 4  # accounts


def role_name(role: str) -> str:
    """The vendor's name of a role; a word nobody knows is shown as it is."""
    return ROLE_NAMES.get(role, f"other ({role})")


class Examples:
    """Whom one can sign in as: of each of the first accounts one person a role.

    Large accounts are searched once; after that only the few that were found are asked for.
    """

    def __init__(self, world: World, controls: Controls) -> None:
        self.companies = tuple(world.companies.values())[:IN_FULL]
        self._controls = controls
        self._found: dict[str, tuple[str, ...]] = {}  # subdomain → ids

    def of(self, company: Company) -> list[Person]:
        """Those of one account who are there as of now, whoever may do most first."""
        name = company.account.subdomain
        if name not in self._found:
            self._found[name] = _search(company)
        known = (company.person(each) for each in self._found[name])
        return [person for person in known if person is not None]


def _search(company: Company) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for person in company.people():
        if not person.invited:
            first.setdefault(person.role, person.id)
            if len(first) == len(ROLE_NAMES):
                break
    return tuple(first[role] for role in ROLE_NAMES if role in first)
