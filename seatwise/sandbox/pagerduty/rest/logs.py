"""The endpoints about the log and the notifications that went to people."""

from collections.abc import Sequence
from typing import Final

from ..company.sequences import Backwards
from ..company.story import ENTRY
from ..company.world import Moment, Sort
from .answers import Body, Call, included, invalid, missing, yes
from .contacts import address
from .filters import teams_asked
from .incidents import known
from .paging import page, stamp, window, zone
from .references import reference
from .shown import entry
from .users import user

FILTERS: Final[dict[str, Sort]] = {
    "sms_notification": "sms",
    "email_notification": "email",
    "phone_notification": "phone",
    "push_notification": "push",
}
LOG_INCLUDES: Final = frozenset({"incidents", "services", "channels", "teams"})


def list_incident_log(call: Call) -> bytes:
    """One incident's log, newest first."""
    told, important = known(call), yes(call, "is_overview")
    log = reversed(told.log(call.now))
    found = [(line, told) for line in log if line.important or not important]
    return _log_page(call, found)


def list_log(call: Call) -> bytes:
    """The account's log in a window (all of it by default), newest first."""
    asked = "since" in call.params or "until" in call.params
    since, until = window(call) if asked else (0, call.now + 1)
    sort: Sort = "important" if yes(call, "is_overview") else ""
    found: Sequence[Moment] = Backwards(call.company.log(since, until, sort))
    teams = teams_asked(call)
    if teams:
        found = [moment for moment in found if moment[1].service.team.id in teams]
    return _log_page(call, found)


def list_notifications(call: Call) -> bytes:
    """Every message sent to a person in a window of less than three months, oldest first."""
    since, until = window(call, months=3, required=True, less=True)
    wanted = call.params.get("filter", "")
    if wanted and wanted not in FILTERS:
        raise invalid(f"filter must be one of {', '.join(FILTERS)}.")
    found = call.company.log(since, until, FILTERS[wanted] if wanted else "notify")
    where, whole = zone(call), "users" in included(call, frozenset({"users"}))

    def shown(row: Moment) -> Body:
        sent, told = row
        person = sent.to[0]
        there = call.company.person(person.id) if whole else None
        return {
            "id": "N" + told.entry_id(sent)[1:],
            "type": f"{sent.detail}_notification",
            "started_at": stamp(sent.at, where),
            "address": address(person, sent.detail),
            "user": user(call.account, there, frozenset())
            if there
            else reference(call.account, person),
        }

    return page(call, "notifications", found, shown)


def one_log_entry(call: Call) -> Body:
    """One line of the log."""
    name = call.path["id"]
    place = call.account.chance.read(name)
    if place is None or place[0] != ENTRY or not name.startswith("R"):
        raise missing()
    told = call.company.begun(place[1], place[2])
    line = next((e for e in told.log(call.now) if e.ordinal == place[3]), None) if told else None
    if told is None or line is None:
        raise missing()
    return {"log_entry": entry(call.company, (line, told), zone(call), _log_includes(call))}


def _log_page(call: Call, found: Sequence[Moment]) -> bytes:
    where, include = zone(call), _log_includes(call)
    return page(call, "log_entries", found, lambda row: entry(call.company, row, where, include))


def _log_includes(call: Call) -> frozenset[str]:
    return included(call, LOG_INCLUDES)
