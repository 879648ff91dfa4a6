"""How one thing mentions another in the API's answers."""

from functools import lru_cache
from typing import Any, Final

import orjson

from ..company.account import Account, Integration, Service
from ..company.duty import Policy, Schedule
from ..company.people import Person, Team
from ..company.story import Incident

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
    """A thing in short: id, type, summary and addresses. Nobody may change what comes back."""
    return _made(account, thing) if isinstance(thing, Incident) else _remembered(account, thing)


@lru_cache(maxsize=20_000)
def sealed(account: Account, thing: Thing) -> orjson.Fragment:
    """A reference as it is sent, for answers that nobody changes any more."""
    return orjson.Fragment(orjson.dumps(reference(account, thing)))


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


def _made(account: Account, thing: Thing) -> dict[str, Any]:
    word, place = WORDS[type(thing)]
    name = thing.id
    return {
        "id": name,
        "type": f"{word}_reference",
        "summary": summary(thing),
        "self": f"{account.api_url}/{place}/{name}",
        "html_url": f"{account.web_url}/{place}/{name}",
    }


_remembered = lru_cache(maxsize=20_000)(_made)
