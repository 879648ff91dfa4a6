"""The endpoints about configuration changes: who changed what, and how.

Records are kept for twelve months and come newest first. A cursor holds the window and the record
it stands at, so that nothing is lost or repeated while new ones are made.
"""

import base64
from datetime import timedelta
from typing import Any, Final

from ..company.account import Account
from ..company.changes import Change, Value, changes, order
from ..company.codes import identifier
from .answers import Body, Call, RestError, among, invalid, missing
from .paging import bounds, moment, months_after, number, seconds, stamp
from .references import WORDS, reference, summary

KINDS: Final = ("users", "teams", "schedules", "escalation_policies", "services", "ip_allow_lists")
ACTIONS: Final = ("create", "update", "delete")
ACTORS: Final = ("user_reference", "api_key_reference", "app_reference")
METHODS: Final = ("browser", "oauth", "api_token", "identity_provider", "other")
LONGEST: Final = 31  # days of a window
KEPT: Final = 12  # months


def list_records(call: Call) -> Body:
    """The account's audit records in a window of at most 31 days, by default the last day's."""
    kinds = among(call, "root_resource_types[]", KINDS)
    actions = among(call, "actions[]", ACTIONS)
    methods = among(call, "method_type", METHODS)
    actors, actor = among(call, "actor_type", ACTORS), call.params.get("actor_id")
    token = call.params.get("method_truncated_token")
    if actor is not None and not actors:
        raise invalid("actor_id needs actor_type.")
    if token is not None and not methods:
        raise invalid("method_truncated_token needs method_type.")

    def fits(change: Change) -> bool:
        made = _actor(call.account, change)
        return (
            (not kinds or WORDS[type(change.thing)][1] in kinds)
            and (not actions or change.action in actions)
            and (not methods or change.method in methods)
            and (not actors or (made is not None and made["type"] in actors))
            and (actor is None or (made is not None and made["id"] == actor))
            and (token is None or _token(call.account, change) == token)
        )

    filtered = kinds or actions or methods or actors
    return _page(call, [c for c in _found(call) if fits(c)] if filtered else _found(call))


def list_user_records(call: Call) -> Body:
    """The audit records about one person, who may have been deleted since."""
    name = call.path["id"]
    if not any(version.since <= call.now for version in call.account.roster.versions(name)):
        raise missing()
    return _page(call, [change for change in _found(call) if change.thing.id == name])


def _found(call: Call) -> list[Change]:
    since, until = _window(call)
    kept = int(months_after(call.clock, -KEPT).timestamp())
    return changes(call.company, max(since, kept), until)


def _window(call: Call) -> tuple[int, int]:
    """The window asked for, by default the day before `until` or now.

    The pages after the first keep to that of the first.
    """
    place = _place(call)
    if place is not None:
        return place[0], place[1]
    since, until = moment(call, "since"), moment(call, "until")
    last = until or call.clock
    since = since or last - timedelta(days=1)
    bounds(since, last, None, LONGEST)
    # without an end, the present second is part of it
    return seconds(since), seconds(until or last + timedelta(seconds=1))


def _page(call: Call, found: list[Change]) -> Body:
    limit = min(number(call, "limit", 25, 1), 100)
    place = _place(call)
    rows = found[::-1]
    if place is not None:
        rows = [change for change in rows if order(change) < place[2:]]
    shown, rest = rows[:limit], rows[limit:]
    following = None
    if rest:
        since, until = _window(call)
        text = ":".join(map(str, (since, until, *order(shown[-1]))))
        following = base64.urlsafe_b64encode(text.encode()).decode()
    return {
        "records": [record(call.account, change) for change in shown],
        "response_metadata": None,
        "next_cursor": following,
        "limit": limit,
    }


def _place(call: Call) -> tuple[int, int, int, int, str] | None:
    """Window, moment and record that the cursor stands at."""
    cursor = call.params.get("cursor")
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor).decode("ascii")
        since, until, at, rank, name = text.split(":")
        place = int(since), int(until), int(at), int(rank), name
    except ValueError:
        raise invalid("The cursor is unknown.") from None
    if not 0 <= place[0] <= place[1] <= place[0] + (LONGEST + 1) * 86_400 < 1 << 40:
        raise RestError(400, 2001, "Invalid Input Provided", ["The cursor is unknown."])
    return place


def record(account: Account, change: Change) -> Body:
    """A change as the API shows it. Nobody is named for what the company's directory did."""
    thing = _short(reference(account, change.thing))
    details: Body = {
        "resource": thing,
        "fields": [_field(*field) for field in change.fields],
        "references": [],
    }
    if change.added is not None:
        name, person = change.added
        details["references"] = [{"name": name, "added": [_short(reference(account, person))]}]
    shown: Body = {
        "id": change.id,
        "self": None,
        "execution_time": f"{stamp(change.at)[:-1]}.000Z",
        "execution_context": {
            "request_id": identifier(change.id, "request", length=20, prefix=""),
            "remote_address": None if change.actor is None else "203.0.113.7",
        },
        "method": {
            "type": change.method,
            "description": None,
            "truncated_token": _token(account, change),
        },
        "root_resource": thing,
        "action": change.action,
        "details": details,
    }
    actor = _actor(account, change)
    return shown if actor is None else shown | {"actors": [actor]}


def _actor(account: Account, change: Change) -> dict[str, Any] | None:
    if change.actor is not None:
        return {
            "id": change.actor.id,
            "type": "user_reference",
            "summary": summary(change.actor),
        }
    if change.method == "api_token":
        name = identifier(account.id, "api key")
        return {"id": name, "type": "api_key_reference", "summary": "Automation"}
    return None


def _token(account: Account, change: Change) -> str | None:
    if change.method == "api_token":
        return account.api_key[-4:]
    return identifier(change.id, length=4, prefix="") if change.method == "oauth" else None


def _short(whole: dict[str, Any]) -> dict[str, Any]:
    return {key: whole[key] for key in ("id", "type", "summary")}


def _field(name: str, before: Value, after: Value) -> dict[str, str]:
    values = {"before_value": before, "value": after}
    return {"name": name} | {
        key: stamp(value) if isinstance(value, int) else value
        for key, value in values.items()
        if value is not None
    }
