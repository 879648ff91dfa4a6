"""The endpoints about what happened: incidents, alerts, the log, notifications."""

from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from .answers import Body, Call, invalid, missing, page, stamp, window, zone
from .history import Agent, Alert, Entry, Incident, Moment
from .people import Account, Person
from .users import address

STATUSES: Final = frozenset({"triggered", "acknowledged", "resolved"})
ORDERS: Final = {"asc": False, "desc": True}
FILTERS: Final = {f"{c}_notification": c for c in ("sms", "email", "phone", "push")}
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


def list_incidents(call: Call) -> Body:
    """Incidents created in a window of at most six months."""
    since, until = window(call, months=6)
    found = call.company.incidents(since, until)
    statuses = set(call.params.getlist("statuses[]"))
    if not statuses <= STATUSES:
        raise invalid("statuses[] must be triggered, acknowledged or resolved.")
    if statuses:
        found = [i for i in found if i.status_at(call.now)[0] in statuses]
    if _descending(call):
        found = found[::-1]
    where = zone(call)
    return page(
        call,
        "incidents",
        len(found),
        lambda offset, limit: [
            incident(call.account, each, call.now, where) for each in found[offset : offset + limit]
        ],
    )


def one_incident(call: Call) -> Body:
    """One incident as it stands now."""
    return {"incident": incident(call.account, _known(call), call.now, zone(call))}


def list_alerts(call: Call) -> Body:
    """The alerts grouped under one incident, oldest first."""
    parent = _known(call)
    found = parent.alerts_by(call.now)
    return page(
        call,
        "alerts",
        len(found),
        lambda offset, limit: [
            _alert(call.account, parent, alert, call.now)
            for alert in found[offset : offset + limit]
        ],
    )


def list_incident_log(call: Call) -> Body:
    """One incident's log, newest first."""
    parent, important = _known(call), call.params.get("is_overview") == "true"
    found = [
        (entry, parent)
        for entry in reversed(parent.entries_by(call.now))
        if not (important and entry.kind == "notify")
    ]
    return _log_page(call, len(found), lambda offset, limit: found[offset : offset + limit])


def list_log(call: Call) -> Body:
    """The account's log in a window (all of it by default), newest first."""
    asked = "since" in call.params or "until" in call.params
    since, until = window(call, months=None) if asked else (BEGINNING, call.now)
    kinds = "important" if call.params.get("is_overview") == "true" else ""
    found = call.company.moments(since, until, kinds)
    return _log_page(call, len(found), found.newest_first)


def list_notifications(call: Call) -> Body:
    """Every message sent to a person in a window of less than three months, oldest first."""
    since, until = window(call, months=3, default=False)
    channel = _channel(call)
    found: Any = call.company.moments(since, until, "notify")
    if channel:
        matching = [moment for moment in found if moment[0].channel == channel]
        return _notification_page(call, len(matching), lambda o, n: matching[o : o + n])
    return _notification_page(call, len(found), found.oldest_first)


def incident(account: Account, told: Incident, now: datetime, where: tzinfo | None) -> Body:
    """An incident as the API shows it at that moment."""
    status, cause = told.status_at(now)
    log, alerts = told.entries_by(now), told.alerts_by(now)
    gone = sum(alert.resolved_at is not None and alert.resolved_at <= now for alert in alerts)
    given = [e for e in log if e.kind in ("assign", "escalate") and e.person is not None]
    open_now, acknowledged = status != "resolved", status == "acknowledged"
    return _reference(account, told) | {
        "type": "incident",
        "incident_number": told.number,
        "title": told.title,
        "created_at": stamp(told.created_at, where),
        "updated_at": stamp(log[-1].at, where),
        "resolved_at": None if open_now else stamp(cause.at, where),
        "status": status,
        "urgency": told.urgency,
        "service": _agent(account, Agent("service", told.service.id, told.service.name)),
        "teams": [
            {
                "id": told.service.team.id,
                "type": "team_reference",
                "summary": told.service.team.name,
            }
        ],
        "assignments": [
            {"at": stamp(entry.at, where), "assignee": _person(account, entry.person)}
            for entry in given[-1:]
            if open_now and entry.person
        ],
        "acknowledgements": [
            {"at": stamp(entry.at, where), "acknowledger": _agent(account, entry.agent)}
            for entry in log
            if acknowledged and entry.kind == "acknowledge"
        ],
        "last_status_change_at": stamp(cause.at, where),
        "last_status_change_by": _agent(account, cause.agent),
        "alert_counts": {"all": len(alerts), "triggered": len(alerts) - gone, "resolved": gone},
        "is_mergeable": True,
        "pending_actions": [],
        "priority": None,
    }


def _known(call: Call) -> Incident:
    found = call.company.incident(call.path["id"])
    if found is None:
        raise missing()
    return found


def _descending(call: Call) -> bool:
    """Whether the newest is wanted first. Numbers grow with time, so both fields sort alike."""
    name, _, order = call.params.get("sort_by", "created_at:asc").partition(":")
    if name not in ("created_at", "incident_number") or (order or "asc") not in ORDERS:
        raise invalid("sort_by must be created_at or incident_number, then :asc or :desc.")
    return ORDERS[order or "asc"]


def _channel(call: Call) -> str:
    wanted = call.params.get("filter", "")
    if wanted and wanted not in FILTERS:
        raise invalid(f"filter must be one of {', '.join(FILTERS)}.")
    return FILTERS[wanted] if wanted else ""


def _log_page(call: Call, count: int, rows: Any) -> Body:
    where, channels = zone(call), "channels" in call.params.getlist("include[]")
    return page(
        call,
        "log_entries",
        count,
        lambda offset, limit: [
            _entry(call.account, moment, where, channels) for moment in rows(offset, limit)
        ],
    )


def _notification_page(call: Call, count: int, rows: Any) -> Body:
    where = zone(call)
    return page(
        call,
        "notifications",
        count,
        lambda offset, limit: [
            _notification(call.account, entry, where) for entry, _ in rows(offset, limit)
        ],
    )


def _notification(account: Account, entry: Entry, where: tzinfo | None) -> Body:
    assert entry.person is not None
    return {
        "id": "N" + entry.id[1:],
        "type": f"{entry.channel}_notification",
        "started_at": stamp(entry.at, where),
        "address": address(entry.person, entry.channel),
        "user": _person(account, entry.person),
    }


def _entry(account: Account, moment: Moment, where: tzinfo | None, channels: bool) -> Body:
    entry, told = moment
    shown: Body = {
        "id": entry.id,
        "type": f"{entry.kind}_log_entry",
        "summary": f"{entry.kind.capitalize()} by {entry.agent.name}",
        "self": None,
        "html_url": None,
        "created_at": stamp(entry.at, where),
        "agent": _agent(account, entry.agent),
        "channel": {"type": "auto" if entry.agent.type != "user" else "web_ui"},
        "service": _agent(account, Agent("service", told.service.id, told.service.name)),
        "incident": _reference(account, told),
        "teams": [],
        "contexts": [],
    }
    if entry.kind in ("assign", "escalate") and entry.person:
        shown["assignees"] = [_person(account, entry.person)]
    if entry.kind == "notify" and entry.person:
        shown["user"] = _person(account, entry.person)
        sent = {"type": entry.channel, "address": address(entry.person, entry.channel)}
        shown["channel"] = {"type": "auto", "notification": sent | {"status": "success"}}
    if entry.kind == "annotate" and channels:
        shown["channel"] = {"type": "note", "summary": entry.note}
    return shown


def _alert(account: Account, parent: Incident, alert: Alert, now: datetime) -> Body:
    gone = alert.resolved_at is not None and alert.resolved_at <= now
    service = parent.service
    return {
        "id": alert.id,
        "type": "alert",
        "summary": parent.title,
        "status": "resolved" if gone else "triggered",
        "severity": alert.severity,
        "created_at": stamp(alert.at),
        "alert_key": alert.id.lower(),
        "suppressed": False,
        "service": _agent(account, Agent("service", service.id, service.name)),
        "integration": _agent(
            account, Agent("integration", service.integration_id, f"{service.name} monitoring")
        ),
        "incident": {"id": parent.id, "type": "incident_reference"},
    }


def _reference(account: Account, told: Incident) -> Body:
    return {
        "id": told.id,
        "type": "incident_reference",
        "summary": f"[#{told.number}] {told.title}",
        "self": f"{account.api_url}/incidents/{told.id}",
        "html_url": f"https://{account.subdomain}.pagerduty.com/incidents/{told.id}",
    }


def _person(account: Account, person: Person) -> Body:
    return _agent(account, Agent("user", person.id, person.name))


def _agent(account: Account, agent: Agent) -> Body:
    place = {"user": "users", "service": "services", "integration": "integrations"}[agent.type]
    return {
        "id": agent.id,
        "type": f"{agent.type}_reference",
        "summary": agent.name,
        "self": f"{account.api_url}/{place}/{agent.id}",
        "html_url": f"https://{account.subdomain}.pagerduty.com/{place}/{agent.id}",
    }
