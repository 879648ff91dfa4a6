"""The endpoints about schedules: who takes turns, whose turns they are, who stands in for whom.

Rendered entries are cut at the window unless `overflow` is wanted. Nobody who has yet to join is
shown on a schedule of the future. The time one may ask for at once is not documented by the
vendor; here it is as long as for on-calls.
"""

from collections.abc import Iterable
from datetime import timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from ..company.account import Account
from ..company.codes import DAY, identifier
from ..company.duty import Layer, Policy, Schedule, Shift
from ..company.people import EVER
from .answers import Body, Call, included, missing, yes
from .filters import by_name, teams_asked, the
from .paging import bounds, moment, page, seconds, stamp, window, zone
from .references import deleted, reference
from .users import user

PARTS: Final = frozenset({"schedule_layers", "overrides_subschedule", "final_schedule"})
LONGEST: Final = 90  # days
FORTNIGHT: Final = timedelta(days=14)
FLAWED: Final = 6  # on every so-manieth schedule somebody stands who no longer exists
Window = tuple[int, int]


def list_schedules(call: Call) -> bytes:
    """Every schedule by name, with those of its parts that are wanted."""
    parts, where = included(call, PARTS), _wide_zone(call)
    asked, teams = _asked(call), teams_asked(call)
    found = [s for s in by_name(call, call.account.schedules) if not teams or s.team.id in teams]
    return page(call, "schedules", found, lambda one: _drawn(call, one, parts, asked, where))


def one_schedule(call: Call) -> Body:
    """One schedule with all its parts."""
    one = _known(call)
    where = zone(call) or ZoneInfo(one.time_zone)
    return {"schedule": _drawn(call, one, PARTS, _asked(call), where)}


def list_schedule_users(call: Call) -> Body:
    """The people who are on call by that schedule in the window, or now."""
    one, (since, until) = _known(call), _asked(call) or (call.now, call.now)
    found = {shift.person.id for shift in one.shifts(since, max(until, since + 1))}
    there = (call.company.person(name) for name in sorted(found))
    return {"users": [user(call.account, person, frozenset()) for person in there if person]}


def list_overrides(call: Call) -> Body:
    """Who stands in for whom in the window. Ids are told for those one can still change."""
    one, whole = _known(call), yes(call, "overflow")
    asked, where = window(call, days=LONGEST, required=True), zone(call) or ZoneInfo(one.time_zone)
    editable = "editable" in call.params
    shown = []
    for shift in one.overrides(*asked):
        for entry in _entries(call, [shift], asked, where, whole):
            named = {"id": identifier(one.id, "override", shift.start)} if editable else {}
            if not editable or shift.start > call.now:
                shown.append(named | entry)
    return {"overrides": shown}


def schedule(call: Call, one: Schedule) -> Body:
    """A schedule as the API shows it, without its parts."""
    account = call.account
    there = (
        call.company.person(person.id)
        for layer in one.layers
        for seat in layer.seats
        if (person := seat.at(call.now)) is not None
    )
    people = {person.id: person for person in there if person}
    return reference(account, one) | {
        "type": "schedule",
        "name": one.name,
        "description": f"Who is called when something of {one.team.name} fails",
        "time_zone": one.time_zone,
        "escalation_policies": [reference(account, p) for p in _policies(account).get(one.id, ())],
        "users": [reference(account, person) for person in people.values()],
        "teams": [reference(account, one.team)],
    }


def _drawn(
    call: Call, one: Schedule, parts: frozenset[str], asked: Window | None, where: tzinfo
) -> Body:
    """A schedule with some of its parts, each with its entries if a window was asked for."""
    shown, whole = schedule(call, one), yes(call, "overflow")
    if "schedule_layers" in parts:
        shown["schedule_layers"] = []
        for layer in one.layers:
            turns = one.turns(layer, *asked) if asked else None
            drawn = _layer(call, one, layer, where) | _part(call, turns, asked, where, whole)
            shown["schedule_layers"].append(drawn)
    if "overrides_subschedule" in parts:
        shifts = one.overrides(*asked) if asked else None
        shown["overrides_subschedule"] = {"name": "Overrides"}
        shown["overrides_subschedule"] |= _part(call, shifts, asked, where, whole)
    if "final_schedule" in parts:
        shifts = one.shifts(*asked) if asked else None
        shown["final_schedule"] = {"name": "Final Schedule"}
        shown["final_schedule"] |= _part(call, shifts, asked, where, whole)
    somebody = call.params.get("include_next_oncall_for_user")
    if somebody:
        shown["next_oncall_for_user"] = _next(call, one, somebody, where)
    return shown


def _layer(call: Call, one: Schedule, layer: Layer, where: tzinfo) -> Body:
    """A layer as the API shows it. Some still list somebody who has long left."""
    start = stamp(layer.start, where)
    holders = (seat.at(call.now) for seat in layer.seats)
    names = [person.id for person in holders if person]
    left = _left_behind(call.account, one, call.now) if layer is one.layers[0] else None
    hours = layer.hours
    return {
        "id": layer.id,
        "name": layer.name,
        "start": start,
        "end": None,
        "rotation_virtual_start": start,
        "rotation_turn_length_seconds": layer.turn,
        "users": [{"user": _mention(call, name)} for name in (*names, *((left,) if left else ()))],
        "restrictions": [
            {
                "type": "daily_restriction",
                "start_time_of_day": _clock(hours.start),
                "duration_seconds": hours.seconds,
            }
        ]
        if hours
        else [],
    }


def _part(
    call: Call, shifts: list[Shift] | None, asked: Window | None, where: tzinfo, whole: bool
) -> Body:
    """The entries of a part of a schedule, and how much of the window they cover."""
    if shifts is None or asked is None:
        return {"rendered_schedule_entries": [], "rendered_coverage_percentage": None}
    since, until = asked
    covered = sum(min(s.end, until) - max(s.start, since) for s in _visible(call, shifts))
    return {
        "rendered_schedule_entries": _entries(call, shifts, asked, where, whole),
        "rendered_coverage_percentage": round(100 * covered / max(1, until - since), 1),
    }


def _entries(
    call: Call, shifts: Iterable[Shift], asked: Window, where: tzinfo, whole: bool
) -> list[Body]:
    since, until = (0, EVER) if whole else asked
    return [
        {
            "start": stamp(max(shift.start, since), where),
            "end": stamp(min(shift.end, until), where),
            "user": _mention(call, shift.person.id),
        }
        for shift in _visible(call, shifts)
    ]


def _visible(call: Call, shifts: Iterable[Shift]) -> list[Shift]:
    return [shift for shift in shifts if shift.person.joined_at <= call.now]


def _next(call: Call, one: Schedule, user_id: str, where: tzinfo) -> Body | None:
    """When somebody is on call next by that schedule, if it is soon enough."""
    if call.company.person(user_id) is None:
        return None
    for shift in one.shifts(call.now, call.now + LONGEST * DAY):
        if shift.person.id == user_id:
            when = {"start": stamp(shift.start, where), "end": stamp(shift.end, where)}
            return when | {"user": _mention(call, user_id)}
    return None


def _mention(call: Call, user_id: str) -> Body:
    person = call.company.person(user_id)
    return reference(call.account, person) if person else deleted(user_id)


def _asked(call: Call) -> Window | None:
    """The window with `since` and `until`; two weeks where one is missing, none without both."""
    since, until = moment(call, "since"), moment(call, "until")
    if since is None and until is None:
        return None
    if since is None:
        assert until is not None
        since = until - FORTNIGHT
    until = until or since + FORTNIGHT
    bounds(since, until, None, LONGEST)
    return seconds(since), seconds(until)


def _wide_zone(call: Call) -> tzinfo:
    """The zone for answers about many schedules: the one asked for, the reader's, the account's."""
    reader = call.caller.person
    return zone(call) or ZoneInfo(reader.time_zone if reader else call.account.time_zone)


def _known(call: Call) -> Schedule:
    one = the(call.account.schedules, call.path["id"])
    if one is None:
        raise missing()
    return one


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _left_behind(account: Account, one: Schedule, now: int) -> str | None:
    """Who left and was forgotten on that schedule: a former holder, or else anybody who left."""
    place = _places(account)[one.id]
    if place % FLAWED != FLAWED - 1:
        return None
    departures = _departures(account, account.roster.version)
    own = {person.id for layer in one.layers for seat in layer.seats for person in seat.holders}
    gone = [name for at, name in departures if at <= now]
    mine = [name for name in gone if name in own]
    if mine:
        return mine[0]
    return gone[min(place // FLAWED, len(gone) - 1)] if gone else None


@lru_cache(maxsize=64)
def _departures(account: Account, _version: int) -> list[tuple[int, str]]:
    """When each person leaves for good, in order of time."""
    last: dict[str, int] = {}
    for person in account.roster.ever():
        last[person.id] = max(person.until, last.get(person.id, 0))
    return sorted((at, name) for name, at in last.items() if at < EVER)


@lru_cache(maxsize=64)
def _places(account: Account) -> dict[str, int]:
    return {one.id: place for place, one in enumerate(account.schedules)}


@lru_cache(maxsize=64)
def _policies(account: Account) -> dict[str, list[Policy]]:
    """Which policies call whom by each schedule."""
    found: dict[str, list[Policy]] = {}
    for policy in account.policies:
        for target in (target for level in policy.levels for target in level.targets):
            if isinstance(target, Schedule):
                found.setdefault(target.id, []).append(policy)
    return found
