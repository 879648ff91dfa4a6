"""What is really so at a simulated company, told straight from its history.

Tests compare what the product shows with this. It shares no code with the REST endpoints.
"""

from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from .world import Company


def truth(company: Company, zone: str = "UTC") -> dict[str, Any]:
    """Members, months (in that zone), latest activity and licences as of now."""
    account, now = company.account, company.clock()
    licenses = {kind.id: kind.name for kind in account.licenses}
    return {
        "account": account.subdomain,
        "as_of": now.isoformat(),
        "members": [
            {
                "id": person.id,
                "email": person.email,
                "name": person.name,
                "role": person.role,
                "license": licenses[person.license_id],
                "invited": person.invited,
            }
            for person in account.people
        ],
        "months": _months(company, now, ZoneInfo(zone)),
        "last_activity": _last_activity(company, now),
        "deleted_users": sorted(company.deleted()),
        "licenses": [
            {
                "id": kind.id,
                "name": kind.name,
                "role_group": kind.role_group,
                "used": sum(person.license_id == kind.id for person in account.people),
                "available": kind.free,
            }
            for kind in account.licenses
        ],
    }


def _months(company: Company, now: datetime, zone: ZoneInfo) -> list[dict[str, Any]]:
    counts: Counter[tuple[str, str]] = Counter()
    months: set[str] = set()
    for incident in company.incidents(company.start, now):
        month = f"{incident.created_at.astimezone(zone):%Y-%m}"
        months.add(month)
        counts[month, "incidents"] += 1
        counts[month, "alerts"] += sum(alert.at <= now for alert in incident.alerts)
        counts[month, "open"] += not any(
            entry.kind == "resolve" and entry.at <= now for entry in incident.entries
        )
        for entry in incident.entries:
            if entry.kind == "notify" and entry.at <= now:
                sent = f"{entry.at.astimezone(zone):%Y-%m}"
                months.add(sent)
                counts[sent, f"notifications_{entry.channel}"] += 1
    numbers = ("incidents", "alerts", *(f"notifications_{c}" for c in _CHANNELS))
    return [
        {
            "month": month,
            **{number: counts[month, number] for number in numbers},
            "closed": counts[month, "open"] == 0,
        }
        for month in sorted(months)
    ]


def _last_activity(company: Company, now: datetime) -> dict[str, str]:
    members = {person.id for person in company.account.people}
    latest: dict[str, datetime] = {}
    for incident in company.incidents(company.start, now):
        for entry in incident.entries:
            who = entry.agent.id
            if who in members and entry.kind != "notify" and entry.at <= now:
                latest[who] = max(entry.at, latest.get(who, entry.at))
    return {who: at.isoformat() for who, at in sorted(latest.items())}


_CHANNELS = ("sms", "phone", "email", "push")
