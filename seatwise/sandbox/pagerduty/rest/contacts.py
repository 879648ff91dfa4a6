"""How people are reached: their contact methods, and the rules by which they are told."""

from functools import lru_cache
from typing import Final

from ..company.account import Account
from ..company.codes import identifier, identifiers
from ..company.people import Person
from ..company.story import RULES
from .answers import Body, Call, included, invalid, missing

KINDS: Final = {"email": "email", "sms": "sms", "phone": "phone", "push": "push_notification"}
STEPS: Final = tuple((urgency, *step) for urgency, steps in RULES.items() for step in steps)


def list_contact_methods(call: Call) -> Body:
    """The ways to reach one person."""
    person = known(call)
    methods = [contact(call.account, person, channel, True) for channel in person.channels]
    return {"contact_methods": methods}


def list_rules(call: Call) -> Body:
    """The rules by which one person is told, for urgent incidents unless asked otherwise."""
    person, urgency = known(call), call.params.get("urgency", "high")
    if urgency not in ("high", "low", "all"):
        raise invalid("urgency must be high, low or all.")
    whole = "contact_methods" in included(call, frozenset({"contact_methods"}))
    shown = []
    for each in rules_of(person):
        if urgency in ("all", STEPS[each][0]):
            made = rule(call.account, person, each, True)
            if whole:
                made["contact_method"] = contact(call.account, person, STEPS[each][1], True)
            shown.append(made)
    return {"notification_rules": shown}


def known(call: Call) -> Person:
    """The person whose id is in the address. Raises RestError when there is none any more."""
    person = call.company.person(call.path["id"])
    if person is None:
        raise missing()
    return person


def contact(account: Account, person: Person, channel: str, whole: bool) -> Body:
    """A contact method, in short or whole."""
    kind = f"{KINDS[channel]}_contact_method"
    name = _names(account, person)[list(KINDS).index(channel)]
    place = f"{account.api_url}/users/{person.id}/contact_methods/{name}"
    short: Body = {
        "id": name,
        "type": f"{kind}_reference",
        "summary": "Work" if channel in ("email", "phone") else channel.title(),
        "self": place,
        "html_url": None,
    }
    if not whole:
        return short
    short |= {"type": kind, "label": "Work"}
    if channel in ("sms", "phone"):
        number = {"country_code": int(person.country_code), "address": person.number}
        return short | number | {"blacklisted": False, "enabled": channel == "sms"}
    if channel == "email":
        return short | {"address": person.email, "send_short_email": False}
    device = identifier(person.id, "device", length=32, prefix="")
    return short | {"address": device, "device_type": "ios", "sounds": []}


def rule(account: Account, person: Person, step: int, whole: bool) -> Body:
    """A notification rule, in short or whole."""
    urgency, channel, minutes = STEPS[step]
    name = _names(account, person)[len(KINDS) + step]
    short: Body = {
        "id": name,
        "type": "assignment_notification_rule_reference",
        "summary": f"{minutes} minutes: channel {name}",
        "self": f"{account.api_url}/users/{person.id}/notification_rules/{name}",
        "html_url": None,
    }
    if not whole:
        return short
    return short | {
        "type": "assignment_notification_rule",
        "start_delay_in_minutes": minutes,
        "urgency": urgency,
        "contact_method": contact(account, person, channel, False),
    }


def rules_of(person: Person) -> list[int]:
    """Which of the account's usual steps are a person's rules, by the channels they have."""
    return [n for n, (_, channel, _) in enumerate(STEPS) if channel in person.channels]


def address(person: Person, channel: str) -> str | None:
    """Where a person is reached by that channel; None for push."""
    if channel == "email":
        return person.email
    return None if channel == "push" else f"+{person.country_code}{person.number}"


@lru_cache(maxsize=1000)
def _names(account: Account, person: Person) -> list[str]:
    """The ids of everything that is one person's: methods first, then rules."""
    return identifiers(len(KINDS) + len(STEPS), account.id, person.id, "contact")
