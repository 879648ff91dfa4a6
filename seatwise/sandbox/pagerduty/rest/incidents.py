"""The endpoints about incidents and the alerts grouped under them."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final

from ..company.people import EVER
from ..company.sequences import Backwards, Without
from ..company.story import Incident
from .answers import Body, Call, among, included, invalid, missing
from .filters import able, teams_asked
from .paging import page, window, zone
from .shown import INCLUDES, alert, row, widened

STATUSES: Final = ("triggered", "acknowledged", "resolved")
URGENCIES: Final = ("low", "high")
FIELDS: Final = ("created_at", "incident_number", "resolved_at", "urgency")
MOST: Final = 2  # fields to sort by
ORDERS: Final = {"asc": False, "desc": True}
LAST: Final = "9"  # sorts after every time


def list_incidents(call: Call) -> bytes:
    """Incidents created in a window of at most six months, or of all times, oldest first."""
    if call.params.get("date_range", "") not in ("", "all"):
        raise invalid("date_range must be all.")
    always = call.params.get("date_range") == "all"
    since, until = (0, call.now + 1) if always else window(call, months=6)
    statuses = among(call, "statuses[]", STATUSES) or frozenset(STATUSES)
    people = set(call.params.getlist("user_ids[]"))
    everything = call.company.incidents(since, until)
    found: Sequence[Incident] = everything
    if people or statuses != frozenset(STATUSES):
        still_open = call.company.unresolved(since, until, call.now)
        standings = [told.standing(call.now)[0] for told in still_open]
        pairs = list(zip(still_open, standings, strict=True))
        found = [told for told, standing in pairs if standing in statuses]
        if people:  # only an open incident is assigned to anybody
            found = [told for told in found if people & _assigned(told, call.now)]
        elif "resolved" in statuses:
            others = [told for told, standing in pairs if standing not in statuses]
            found = Without(everything, _places(everything, others))
    found = _ordered(_filtered(call, found), _fields(call, FIELDS), call.now)
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
    for name, down in reversed(_fields(call, ("created_at", "resolved_at"))):
        shown.sort(key=lambda each: each[name] or LAST, reverse=down)
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
    """Those of the wanted services, teams and urgencies."""
    services, teams = set(call.params.getlist("service_ids[]")), teams_asked(call)
    urgencies = among(call, "urgencies[]", URGENCIES)
    key = call.params.get("incident_key")
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
    """Whose business an open incident is."""
    given = [entry for entry in told.steps if entry.to and entry.at <= now]
    return {person.id for entry in given[-1:] for person in entry.to}


def _fields(call: Call, known: tuple[str, ...]) -> list[tuple[str, bool]]:
    """At most two fields to sort by, and whether downwards; by default the time of creation."""
    wanted = []
    for text in call.params.get("sort_by", known[0]).split(","):
        name, _, order = text.partition(":")
        if name not in known or (order or "asc") not in ORDERS:
            raise invalid(f"sort_by must be one of {', '.join(known)}, then :asc or :desc.")
        if name == "urgency":
            able(call, "urgencies")
        wanted.append((name, ORDERS[order or "asc"]))
    if len(wanted) > MOST:
        raise invalid(f"sort_by must be at most {MOST} fields.")
    return wanted


def _ordered(
    found: Sequence[Incident], fields: list[tuple[str, bool]], now: int
) -> Sequence[Incident]:
    """A list, which is in order of numbers, in the order of these fields.

    Low before high, and those that are open after all that are resolved.
    """
    (name, down), *others = fields
    if name == "incident_number" or (name == "created_at" and not others):
        return Backwards(found) if down else found

    def key(told: Incident, name: str) -> int:
        if name == "urgency":
            return URGENCIES.index(told.urgency)
        if name == "resolved_at":
            return told.end if told.end is not None and told.end <= now else EVER
        return told.at if name == "created_at" else told.number

    # only these numbers are kept of each: the stories of all would be too many
    keys = [tuple(key(told, name) for name, _ in fields) for told in found]
    places = list(range(len(keys)))
    for n, (_, down) in reversed(list(enumerate(fields))):
        places.sort(key=lambda place: keys[place][n], reverse=down)
    return _Placed(found, places)


class _Placed(Sequence[Incident]):
    """A list in another order of its places."""

    def __init__(self, rows: Sequence[Incident], places: list[int]) -> None:
        self._rows, self._places = rows, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._rows[place] for place in self._places[index]]
        return self._rows[self._places[index]]
