"""Incidents, alerts and log entries as the API shows them at a moment."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Final

import orjson

from ..company.account import Account
from ..company.people import Person
from ..company.story import Alert, Entry, Incident
from ..company.visits import signed_in
from ..company.world import Company, Moment
from .answers import Body, Call
from .contacts import address
from .directory import policy, service, team
from .paging import stamp
from .references import Thing, reference, sealed
from .users import user

INCLUDES: Final = frozenset(
    {
        *("acknowledgers", "agents", "assignees", "conference_bridge", "escalation_policies"),
        *("first_trigger_log_entries", "priorities", "services", "teams", "users"),
    }
)
INBOUND: Final = "inbound_integration_reference"  # as agents they go by another word
PEOPLE: Final = {"acknowledgers", "agents", "assignees", "users"}


def row(company: Company, told: Incident, now: int) -> bytes:
    """An incident as it is sent in a list. One that can change no more is made only once."""
    if told.end is None or told.end > now:
        return orjson.dumps(incident(told, now, None, sealed))
    made = company.day(told.day).shown
    if told.n not in made:
        made[told.n] = orjson.dumps(incident(told, now, None, sealed))
    return made[told.n]


def incident(
    told: Incident,
    now: int,
    where: tzinfo | None,
    mention: Callable[[Account, Thing], Any] = reference,
) -> Body:
    """An incident as the API shows it at that moment. `mention` makes the references in it."""
    account, (status, cause) = told.account, told.standing(now)
    steps = told.steps
    if steps[-1].at > now:
        steps = [entry for entry in steps if entry.at <= now]
    alerts, gone = told.alert_counts(now)
    is_open = status != "resolved"
    given = [entry for entry in steps if entry.to][-1:] if is_open else []
    answered = [e for e in steps if e.kind == "acknowledge"] if status == "acknowledged" else []
    changed = stamp(cause.at, where)
    short, first = reference(account, told), told.entry_id(steps[0])
    return short | {
        "type": "incident",
        "incident_number": told.number,
        "title": told.title,
        "description": told.title,
        "created_at": stamp(told.at, where),
        "updated_at": changed if steps[-1] is cause else stamp(steps[-1].at, where),
        "resolved_at": None if is_open else changed,
        "status": status,
        "urgency": told.urgency,
        "incident_key": short["id"].lower(),
        "incident_type": {"name": "incident_default"},
        "service": mention(account, told.service),
        "escalation_policy": mention(account, told.service.policy),
        "teams": [mention(account, told.service.team)],
        "assignments": [
            {"at": stamp(entry.at, where), "assignee": mention(account, person)}
            for entry in given
            for person in entry.to
        ],
        "acknowledgements": [
            {"at": stamp(entry.at, where), "acknowledger": mention(account, entry.by)}
            for entry in answered
        ],
        "assigned_via": "escalation_policy",
        "last_status_change_at": changed,
        "last_status_change_by": mention(account, cause.by),
        "first_trigger_log_entry": {
            "id": first,
            "type": "trigger_log_entry_reference",
            "summary": f"Trigger by {steps[0].by.name}",
            "self": f"{account.api_url}/log_entries/{first}",
            "html_url": None,
        },
        "alert_counts": {"all": alerts, "triggered": alerts - gone, "resolved": gone},
        "is_mergeable": True,
        "pending_actions": [],
        "priority": None,
        "resolve_reason": None,
    }


def widened(call: Call, told: Incident, include: frozenset[str], where: tzinfo | None) -> Body:
    """An incident with the things it mentions shown whole, as far as that is wanted."""
    shown, account = incident(told, call.now, where), told.account
    if "services" in include:
        shown["service"] = service(call, told.service)
    if "escalation_policies" in include:
        shown["escalation_policy"] = policy(call, told.service.policy)
    if "teams" in include:
        shown["teams"] = [team(call, told.service.team)]
    if "first_trigger_log_entries" in include:
        first = (told.steps[0], told)
        shown["first_trigger_log_entry"] = entry(call.company, first, where, frozenset())
    if include & PEOPLE:
        for each in shown["assignments"]:
            each["assignee"] = _whole(call, each["assignee"])
        for each in shown["acknowledgements"]:
            each["acknowledger"] = _whole(call, each["acknowledger"])
        shown["last_status_change_by"] = _whole(call, shown["last_status_change_by"])
    assert account is call.account
    return shown


def entry(company: Company, moment: Moment, where: tzinfo | None, include: frozenset[str]) -> Body:
    """One line of a log as the API shows it."""
    line, told = moment
    account = told.account
    shown: Body = {
        "id": told.entry_id(line),
        "type": f"{line.kind}_log_entry",
        "summary": f"{line.kind.capitalize()} by {line.by.name}",
        "self": f"{account.api_url}/log_entries/{told.entry_id(line)}",
        "html_url": None,
        "created_at": stamp(line.at, where),
        "agent": reference(account, line.by),
        "channel": {"type": _channel(company, line)},
        "service": reference(account, told.service),
        "incident": reference(account, told),
        "teams": [reference(account, told.service.team)],
        "contexts": [],
        "event_details": {},
    }
    if line.kind in ("assign", "escalate"):
        shown["assignees"] = [reference(account, person) for person in line.to]
    if line.kind == "notify":
        shown["user"] = reference(account, line.to[0])
        sent = {"type": line.detail, "address": address(line.to[0], line.detail)}
        shown["channel"]["notification"] = sent | {"status": "success"}
    if line.kind == "annotate" and "channels" in include:
        shown["channel"]["summary"] = line.detail
    return shown


def alert(told: Incident, one: Alert, now: int) -> Body:
    """An alert as the API shows it at that moment."""
    account, name = told.account, told.alert_id(one)
    gone = one.resolved_at is not None and one.resolved_at <= now
    return {
        "id": name,
        "type": "alert",
        "summary": told.title,
        "self": f"{account.api_url}/incidents/{told.id}/alerts/{name}",
        "html_url": f"{account.web_url}/alerts/{name}",
        "status": "resolved" if gone else "triggered",
        "severity": one.severity,
        "created_at": stamp(one.at),
        "resolved_at": stamp(one.resolved_at) if gone and one.resolved_at else None,
        "alert_key": name.lower(),
        "suppressed": False,
        "service": reference(account, told.service),
        "integration": reference(account, told.service.integration) | {"type": INBOUND},
        "incident": reference(account, told),
        "body": {"type": "alert_body", "contexts": [], "details": {}},
    }


def _whole(call: Call, mentioned: Body) -> Body:
    """The person who is mentioned, whole; whoever or whatever else it is stays as it is."""
    person = call.company.person(mentioned["id"])
    return user(call.account, person, frozenset()) if person else mentioned


def _channel(company: Company, line: Entry) -> str:
    """By which way somebody did something: only who has signed in can have used the website."""
    if not isinstance(line.by, Person):
        return "auto"
    if signed_in(company.account, line.by, line.at):
        return "web_ui"
    return next((way for way in ("sms", "phone") if way in line.by.channels), "email")
