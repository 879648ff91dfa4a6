"""What is really so at a simulated company, told straight from its history.

Tests compare what the product shows with this. It shares no code with the REST endpoints.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ..company.changes import changes
from ..company.licenses import left
from ..company.people import Person
from ..company.visits import last_visit
from ..company.world import Company

CHANNELS: Final = ("sms", "phone", "email", "push")
RESPONSES: Final = ("acknowledge", "resolve")


def truth(
    company: Company,
    zone: str = "UTC",
    at: datetime | None = None,
) -> dict[str, Any]:
    """Members, months (in that zone), everybody's latest activity and the licences.

    All of it as of `at`, the present moment unless an earlier one is asked for.
    """
    account = company.account
    now = min(company.now(), int(at.timestamp())) if at else company.now()
    people = company.people(now)
    here = {person.id for person in people}
    licenses = {kind.id: kind for kind in account.licenses}
    held = Counter(person.license_id for person in people)
    pools = Counter(licenses[person.license_id].pool for person in people)
    return {
        "account": account.subdomain,
        "region": account.region,
        "plan": account.plan,
        "as_of": _iso(now),
        "members": [
            {
                "id": person.id,
                "email": person.email,
                "name": person.name,
                "role": person.role,
                "license": licenses[person.license_id].name,
                "invited": person.invited,
            }
            for person in people
        ],
        "joined": {person.id: _iso(person.joined_at) for person in people},
        "months": _months(company, now, ZoneInfo(zone)),
        **_activity(company, now, people),
        "deleted_users": sorted(company.deleted(now)),
        "licenses": [
            {
                "id": kind.id,
                "name": kind.name,
                "role_group": kind.role_group,
                "used": held[kind.id],
                "available": left(kind, pools[kind.pool]),
            }
            for kind in account.licenses
        ],
        "on_call": [
            {"policy": policy.name, "level": level + 1, "user": person.id}
            for policy in account.policies
            for level in range(len(policy.levels))
            for person in policy.called(level, now)
            if person.id in here
        ],
    }


def _months(company: Company, now: int, zone: ZoneInfo) -> list[dict[str, Any]]:
    counts: Counter[tuple[str, str]] = Counter()
    months: set[str] = set()
    for told in company.incidents(company.start, now + 1):
        month = _month(told.at, zone)
        months.add(month)
        counts[month, "incidents"] += 1
        counts[month, "alerts"] += told.alert_counts(now)[0]
        counts[month, "open"] += told.end is None or told.end > now
        for notice in told.notices():
            if notice.at <= now:
                sent = _month(notice.at, zone)
                months.add(sent)
                counts[sent, f"notifications_{notice.detail}"] += 1
    numbers = ("incidents", "alerts", *(f"notifications_{channel}" for channel in CHANNELS))
    return [
        {
            "month": month,
            **{number: counts[month, number] for number in numbers},
            "closed": counts[month, "open"] == 0,
        }
        for month in sorted(months)
    ]


def _activity(company: Company, now: int, people: Sequence[Person]) -> dict[str, Any]:
    """Everybody's newest deed in the log, and the newest of each source of evidence."""
    here = {person.id for person in people}
    acted: dict[str, int] = {}
    responded: dict[str, int] = {}
    told_of: dict[str, int] = {}
    for told in company.incidents(company.start, now + 1):
        for entry in told.steps:
            who = entry.by.id
            if who in here and entry.at <= now and entry.at > acted.get(who, 0):
                acted[who] = entry.at
            if who in here and entry.at <= now and entry.kind in RESPONSES:
                responded[who] = max(entry.at, responded.get(who, 0))
        for notice in told.notices():
            who = notice.to[0].id
            if notice.at <= now and notice.at > told_of.get(who, 0):
                told_of[who] = notice.at
    changed: dict[str, int] = {}
    for change in changes(company, company.start, now + 1):
        if change.actor is not None and change.actor.id in here:
            changed[change.actor.id] = max(change.at, changed.get(change.actor.id, 0))
    visited = {
        person.id: visit.at
        for person in people
        if (visit := last_visit(company.account, person, now))
    }
    sources = {
        "log_entries": acted,
        "responded": responded,
        "audit": changed,
        "sign_in": visited,
        "notified": told_of,
    }
    return {
        "last_activity": {who: _iso(at) for who, at in sorted(acted.items())},
        "activity": {
            who: {name: _iso(times[who]) for name, times in sources.items() if who in times}
            for who in sorted(here)
        },
    }


def _month(at: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m}"


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
