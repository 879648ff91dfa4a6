"""How one thing mentions another in the API's answers."""

from typing import Any, Final

from .account import Account, Integration, Service
from .duty import Policy, Schedule
from .people import Person, Team
from .story import Incident

Thing = Person | Team | Service | Integration | Policy | Schedule | Incident
WORDS: Final[dict[type, tuple[str, str]]] = {  # the vendor's word, and where it is found
    Person: ("user", "users"),
    Team: ("team", "teams"),
    Service: ("service", "services"),
    Integration: ("integration", "integrations"),
    Policy: ("escalation_policy", "escalation_policies"),
    Schedule: ("schedule", "schedules"),
    Incident: ("incident", "incidents"),
}


def reference(account: Account, thing: Thing) -> dict[str, Any]:
    """A thing in short: id, type, summary and addresses."""
    word, place = WORDS[type(thing)]
    return {
        "id": thing.id,
        "type": f"{word}_reference",
        "summary": summary(thing),
        "self": f"{account.api_url}/{place}/{thing.id}",
        "html_url": f"{account.web_url}/{place}/{thing.id}",
    }


def deleted(user_id: str) -> dict[str, Any]:
    """A person who no longer exists but is still mentioned."""
    return {
        "id": user_id,
        "type": "user_reference",
        "summary": "Deleted user",
        "self": None,
        "html_url": None,
    }


def summary(thing: Thing) -> str:
    """A thing in a few words."""
    if isinstance(thing, Incident):
        return f"[#{thing.number}] {thing.title}"
    return thing.name
