"""The endpoints about when people signed in: their sessions, and the delegations behind them."""

from typing import Final

from ..company.codes import identifier
from ..company.people import Person
from ..company.visits import SESSION, Visit, visits
from .answers import Body, Call, invalid, missing
from .contacts import known
from .paging import number, stamp

SESSIONS: Final = {"web": "browser", "mobile": "oauth"}
DELEGATIONS: Final = ("mobile", "web", "integration")
STATUSES: Final = ("issued", "revoked")
CLIENTS: Final = {"web": "web-sign-in", "mobile": "mobile-app"}


def list_sessions(call: Call) -> Body:
    """One person's sessions that have not ended, newest first, all on one page."""
    person = known(call)
    return {"user_sessions": [_session(person, visit) for visit in _active(call, person)]}


def one_session(call: Call) -> Body:
    """One session of a person that has not ended."""
    person, kind, name = known(call), call.path["type"], call.path["session_id"]
    for visit in _active(call, person):
        if (SESSIONS[visit.kind], _name(person, visit)) == (kind, name):
            return {"user_session": _session(person, visit)}
    raise missing()


def list_delegations(call: Call) -> Body:
    """What one person signed in with, newest first; those of ended sessions are revoked.

    Without filters all of them are listed, as far back as sign-ins are remembered.
    """
    person = known(call)
    kinds = _several(call, "delegation_type", DELEGATIONS)
    statuses = _several(call, "status", STATUSES)
    limit, before = min(number(call, "limit", 25, 1), 100), _before(call)
    found = [
        visit
        for visit in visits(call.account, person, call.now + 1)
        if visit.at < before and visit.kind in kinds and _status(call, visit) in statuses
    ]
    more = len(found) > limit
    body: Body = {
        "oauth_delegations": [_delegation(call, person, visit) for visit in found[:limit]],
        "limit": limit,
        "more": more,
    }
    return body | ({"next_cursor": f"{found[limit - 1].at:x}"} if more else {})


def one_delegation(call: Call) -> Body:
    """One thing a person signed in with."""
    person = known(call)
    for visit in visits(call.account, person, call.now + 1):
        if _name(person, visit) == call.path["delegation_id"]:
            return _delegation(call, person, visit)
    raise missing()


def _active(call: Call, person: Person) -> list[Visit]:
    found = visits(call.account, person, call.now + 1)
    return [visit for visit in found if _status(call, visit) == "issued"]


def _status(call: Call, visit: Visit) -> str:
    return "issued" if visit.at > call.now - SESSION else "revoked"


def _session(person: Person, visit: Visit) -> Body:
    return {
        "id": _name(person, visit),
        "user_id": person.id,
        "created_at": stamp(visit.at),
        "type": SESSIONS[visit.kind],
        "summary": "Website" if visit.kind == "web" else "Mobile app",
    }


def _delegation(call: Call, person: Person, visit: Visit) -> Body:
    name = _name(person, visit)
    return {
        "id": name,
        "type": visit.kind,
        "delegation_type": visit.kind,
        "client_id": CLIENTS[visit.kind],
        "scope": "openid profile",
        "status": _status(call, visit),
        "created_at": stamp(visit.at),
        "expires_at": stamp(visit.at + SESSION),
        "self": f"{call.account.api_url}/users/{person.id}/oauth_delegations/{name}",
    }


def _name(person: Person, visit: Visit) -> str:
    return identifier(person.id, "visit", visit.at, length=13)


def _several(call: Call, name: str, words: tuple[str, ...]) -> frozenset[str]:
    """Words separated by commas; all of them when nothing is asked for."""
    text = call.params.get(name)
    if not text:
        return frozenset(words)
    asked = frozenset(word.strip() for word in text.split(","))
    if not asked <= frozenset(words):
        raise invalid(f"{name} must be of {', '.join(words)}.")
    return asked


def _before(call: Call) -> int:
    """The moment before which the page begins: the cursor is that of the last one shown."""
    text = call.params.get("cursor")
    try:
        place = int(text, 16) if text else call.now + 1
    except ValueError:
        place = -1
    if not 0 <= place <= call.now + 1:
        raise invalid("The cursor is unknown.")
    return place
