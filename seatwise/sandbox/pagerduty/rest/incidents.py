"""The endpoints about incidents and the alerts grouped under them."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from ..company.sequences import Backwards, Without
from ..company.story import Incident
from .answers import Body, Call, among, included, invalid, missing
from .paging import page, window, zone
from .shown import INCLUDES, alert, row, widened

STATUSES: Final = ("triggered", "acknowledged", "resolved")
ORDERS: Final = {"asc": False, "desc": True}


def list_incidents(call: Call) -> bytes:
    """Incidents created in a window of at most six months, or of all times, oldest first."""
    if call.params.get("date_range", "") not in ("", "all"):
        raise invalid("date_range must be all.")
    always = call.params.get("date_range") == "all"
    since, until = (0, call.now + 1) if always else window(call, months=6)
    statuses = among(call, "statuses[]", STATUSES) or frozenset(STATUSES)
    everything = call.company.incidents(since, until)
    found: Sequence[Incident] = everything
    if statuses != frozenset(STATUSES):
        still_open = call.company.unresolved(since, until, call.now)
        wanted = [told for told in still_open if told.standing(call.now)[0] in statuses]
        found = wanted
        if "resolved" in statuses:
            others = [told for told in still_open if told not in wanted]
            found = Without(everything, _places(everything, others))
    found = _filtered(call, found)
    if _descending(call):
        found = Backwards(found)
    include, where = included(call, INCLUDES), zone(call)
    if include or where:
        return page(call, "incidents", found, lambda told: widened(call, told, include, where))
    return page(call, "incidents", found, lambda told: row(call.company, told, call.now))


def one_incident(call: Call) -> Body:
    """One incident as it stands now, found by its id or its number."""
    return {
        "incident": widened(
            call, known(call), included(call, INCLUDES | {"custom_fields"}), zone(call)
        )
    }


def list_alerts(call: Call) -> bytes:
    """The alerts grouped under one incident, oldest first."""
    told, statuses = known(call), among(call, "statuses[]", ("triggered", "resolved"))
    key = call.params.get("alert_key")
    shown = [alert(told, each, call.now) for each in told.alerts() if each.at <= call.now]
    shown = [
        each
        for each in shown
        if (not statuses or each["status"] in statuses) and key in (None, each["alert_key"])
    ]
    if _descending(call, ("created_at", "resolved_at")):
        shown.reverse()
    return page(call, "alerts", shown, lambda row: row)


def one_alert(call: Call) -> Body:
    """One of an incident's alerts."""
    told = known(call)
    for each in told.alerts():
        if each.at <= call.now and told.alert_id(each) == call.path["alert_id"]:
            return {"alert": alert(told, each, call.now)}
    raise missing()


def known(call: Call) -> Incident:
    """The incident whose id or number is in the address. Raises RestError when there is none."""
    name = call.path["id"]
    found = call.company.incident(name)
    if found is None and name.isascii() and name.isdigit() and len(name) < 12:
        found = call.company.numbered(int(name))
    if found is None:
        raise missing()
    return found


def _filtered(call: Call, found: Sequence[Incident]) -> Sequence[Incident]:
    """Those of the wanted services, teams, urgencies and people."""
    services, teams = (set(call.params.getlist(name)) for name in ("service_ids[]", "team_ids[]"))
    urgencies = among(call, "urgencies[]", ("high", "low"))
    people, key = set(call.params.getlist("user_ids[]")), call.params.get("incident_key")
    if people:  # only an open incident is assigned to anybody
        found = [told for told in found if people & _assigned(told, call.now)]
    if services or teams or urgencies or key:
        found = [
            told
            for told in found
            if (not services or told.service.id in services)
            and (not teams or told.service.team.id in teams)
            and (not urgencies or told.urgency in urgencies)
            and key in (None, "", told.id.lower())
        ]
    return found


def _places(found: Sequence[Incident], some: list[Incident]) -> list[int]:
    """Where in a list, which is in order of numbers, some of its incidents stand."""
    return [bisect_left(found, told.number, key=lambda each: each.number) for told in some]


def _assigned(told: Incident, now: int) -> set[str]:
    if told.standing(now)[0] == "resolved":
        return set()
    given = [entry for entry in told.steps if entry.to and entry.at <= now]
    return {person.id for entry in given[-1:] for person in entry.to}


def _descending(
    call: Call, known: tuple[str, ...] = ("created_at", "incident_number", "resolved_at", "urgency")
) -> bool:
    """Whether the newest is wanted first. Numbers grow with time, so both fields sort alike."""
    fields = call.params.get("sort_by", f"{known[0]}:asc").split(",")
    name, _, order = fields[0].partition(":")
    if name not in known[:2] or (order or "asc") not in ORDERS:
        raise invalid(f"sort_by must be {' or '.join(known[:2])}, then :asc or :desc.")
    return ORDERS[order or "asc"]
