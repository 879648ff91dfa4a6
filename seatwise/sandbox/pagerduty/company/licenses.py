"""The kinds of seat of a plan, and what a plan can and cannot do."""

from dataclasses import dataclass
from typing import Final

from .codes import identifier

FULL: Final = ("owner", "admin", "user", "limited_user", "observer", "restricted_access")
READING: Final = {"read_only_user": "Stakeholder", "read_only_limited_user": "Limited Stakeholder"}
EVERY_PLAN: Final = ("manage_schedules", "manage_api_keys", "using_alerts_on_any_service")
ABILITIES: Final = {  # by the lowest plan that has them; PagerDuty publishes no such list
    "free": EVERY_PLAN,
    "professional": ("sso", "teams", "read_only_users", "urgencies", "event_rules"),
    "business": (
        *("advanced_reports", "service_support_hours", "coordinated_responding"),
        *("permissions_service", "team_responders", "audit_trail_reporting"),
    ),
    "enterprise": ("preview_intelligent_alert_grouping", "custom_fields_on_incidents"),
}
KNOWN: Final = frozenset(name for names in ABILITIES.values() for name in names)


@dataclass(frozen=True, slots=True)
class License:
    """A kind of seat. The seats that were `bought` are shared by all licences of one `pool`.

    None were bought where the contract knows no limit.
    """

    id: str
    name: str
    description: str
    roles: tuple[str, ...]
    role_group: str
    pool: str
    bought: int | None


def abilities(plan: str, lacking: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """What an account on that plan can do."""
    plans = list(ABILITIES)
    reached = plans[: plans.index(plan) + 1]
    return tuple(n for name in reached for n in ABILITIES[name] if n not in lacking)


def left(kind: License, taken: int) -> int | None:
    """How many seats of a licence's pool are left when so many are taken; None: no limit."""
    return None if kind.bought is None else max(0, kind.bought - taken)


def licenses(place: tuple[object, ...], plan: str, roles: list[str]) -> tuple[License, ...]:
    """The kinds of seat an account needs for people in those roles, with some to spare.

    Stakeholders are sold in packs of fifty. The free plan has full users only.
    """
    held = sum(role in FULL for role in roles)
    readers = len(roles) - held
    spare = None if plan == "enterprise" else held + held // 20 + 10
    pack = 50 * -(-(readers + readers // 10 + 5) // 50)
    name = plan.title()
    made: list[tuple[str, str, tuple[str, ...], str, int | None]] = [
        (name, f"Full users on the {name} plan", FULL, "FullUser", spare)
    ]
    if plan != "free":
        texts = {"read_only_user": "Reads and subscribes"}
        made += [
            (name, texts.get(role, "Reads status pages only"), (role,), "Stakeholder", pack)
            for role, name in READING.items()
        ]
    return tuple(
        License(identifier(*place, "license", name), name, text, valid, group, group, bought)
        for name, text, valid, group, bought in made
    )
