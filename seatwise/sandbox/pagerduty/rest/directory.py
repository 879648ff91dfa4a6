"""The endpoints about what an account is made of: services, teams, members, policies."""

from functools import lru_cache
from typing import Final

from ..company.account import Account, Service
from ..company.codes import DAY
from ..company.duty import Level, Policy, Schedule
from ..company.people import Person, Team
from ..company.story import LONGEST, is_forgotten
from ..company.world import Company
from .answers import Body, Call, included, missing
from .filters import by_name, teams_asked, the
from .paging import page, stamp
from .references import reference
from .schedules import schedule
from .users import listed, team_row, user

SERVICE_PARTS: Final = frozenset(
    {"escalation_policies", "teams", "integrations", "auto_pause_notifications_parameters"}
)
POLICY_PARTS: Final = frozenset(
    {"services", "teams", "targets", "escalation_rule_assignment_strategies"}
)
TEAM_ROLES: Final = {
    **dict.fromkeys(("owner", "admin", "user"), "manager"),
    **dict.fromkeys(("limited_user", "restricted_access"), "responder"),
}
FOUNDED: Final = 1_546_300_800  # 2019-01-01, when everything was set up
SUPPORTED: Final = 3  # every so-manieth service has support hours, where the plan allows it
SEARCHED: Final = 15_000  # incidents that are looked through for a service's latest
TOOL: Final = "events_api_v2_inbound_integration"


def list_services(call: Call) -> bytes:
    """Every service by name."""
    include, teams, exact = (
        included(call, SERVICE_PARTS),
        teams_asked(call),
        call.params.get("name"),
    )
    found = [
        one
        for one in by_name(call, call.account.services)
        if (not teams or one.team.id in teams) and exact in (None, one.name)
    ]
    return page(call, "services", found, lambda one: service(call, one, include))


def one_service(call: Call) -> Body:
    """One service."""
    one, include = the(call.account.services, call.path["id"]), included(call, SERVICE_PARTS)
    if one is None:
        raise missing()
    return {"service": service(call, one, include)}


def list_teams(call: Call) -> bytes:
    """Every team by name."""
    return page(call, "teams", by_name(call, call.account.teams), lambda one: team(call, one))


def one_team(call: Call) -> Body:
    """One team."""
    included(call, frozenset({"privileges"}))
    return {"team": team(call, _team(call))}


def list_members(call: Call) -> bytes:
    """The people of a team by name, and what they may do there."""
    one, whole = _team(call), "users" in included(call, frozenset({"users"}))

    def shown(person: Person) -> Body:
        mentioned = reference(call.account, person)
        who = user(call.account, person, frozenset()) if whole else mentioned
        return {"user": who, "role": TEAM_ROLES.get(person.role, "observer")}

    found = [person for person in listed(call) if one in person.teams]
    return page(call, "members", found, shown)


def list_policies(call: Call) -> bytes:
    """Every escalation policy by name."""
    include, teams = included(call, POLICY_PARTS), teams_asked(call)
    people, found = set(call.params.getlist("user_ids[]")), by_name(call, call.account.policies)
    if teams:
        found = [one for one in found if one.team and one.team.id in teams]
    if people:
        found = [one for one in found if people & _called_directly(call, one)]
    return page(call, "escalation_policies", found, lambda one: policy(call, one, include))


def one_policy(call: Call) -> Body:
    """One escalation policy."""
    one, include = the(call.account.policies, call.path["id"]), included(call, POLICY_PARTS)
    if one is None:
        raise missing()
    return {"escalation_policy": policy(call, one, include)}


def service(call: Call, one: Service, include: frozenset[str] = frozenset()) -> Body:
    """A service as the API shows it. Its incidents' urgency follows their severity."""
    account = call.account
    shown = (
        reference(account, one)
        | {
            "type": "service",
            "name": one.name,
            "description": f"Looked after by {one.team.name}",
            "created_at": stamp(FOUNDED),
            "status": _statuses(call.company, call.now).get(one.id, "active"),
            "auto_resolve_timeout": None,
            "acknowledgement_timeout": None,
            "alert_creation": "create_alerts_and_incidents",
            "escalation_policy": reference(account, one.policy),
            "teams": [reference(account, one.team)],
            "integrations": [_integration(account, one, "integrations" in include)],
            "incident_urgency_rule": {"type": "constant", "urgency": "severity_based"},
            "support_hours": None,
            "scheduled_actions": [],
        }
        | _support(call, one)
    )
    latest = _latest(call, one)
    if latest is not None:
        shown["last_incident_timestamp"] = stamp(latest)
    if "escalation_policies" in include:
        shown["escalation_policy"] = policy(call, one.policy)
    if "teams" in include:
        shown["teams"] = [team(call, one.team)]
    if "auto_pause_notifications_parameters" in include:
        shown["auto_pause_notifications_parameters"] = {"enabled": False, "timeout": 0}
    return shown


def policy(call: Call, one: Policy, include: frozenset[str] = frozenset()) -> Body:
    """An escalation policy as the API shows it."""
    account = call.account
    theirs = _services(account).get(one.id, [])
    teams = [one.team] if one.team else []
    return reference(account, one) | {
        "type": "escalation_policy",
        "name": one.name,
        "description": "Whom to call first, and whom next",
        "num_loops": one.loops,
        "on_call_handoff_notifications": "if_has_services",
        "escalation_rules": [_rule(call, level, include) for level in one.levels],
        "services": [
            service(call, each) if "services" in include else reference(account, each)
            for each in theirs
        ],
        "teams": [
            team(call, each) if "teams" in include else reference(account, each) for each in teams
        ],
    }


def team(call: Call, one: Team) -> Body:
    """A team as the API shows it."""
    return team_row(call.account, one)


def _team(call: Call) -> Team:
    one = the(call.account.teams, call.path["id"])
    if one is None:
        raise missing()
    return one


def _rule(call: Call, level: Level, include: frozenset[str]) -> Body:
    """One step of a policy. People who have left are called no more."""
    whole, account = "targets" in include, call.account
    targets: list[Body] = []
    for target in level.targets:
        if isinstance(target, Schedule):
            targets.append(schedule(call, target) if whole else reference(account, target))
            continue
        holder = target.at(call.now)
        person = holder and call.company.person(holder.id)
        if person:
            targets.append(
                user(account, person, frozenset()) if whole else reference(account, person)
            )
    shown: Body = {
        "id": level.id,
        "escalation_delay_in_minutes": level.minutes,
        "targets": targets,
    }
    if "escalation_rule_assignment_strategies" in include:
        shown["escalation_rule_assignment_strategy"] = "assign_to_everyone"
    return shown


def _called_directly(call: Call, one: Policy) -> set[str]:
    """Whom a policy calls by name, not by a schedule."""
    return {
        person.id
        for level in one.levels
        for target in level.targets
        if not isinstance(target, Schedule) and (person := target.at(call.now)) is not None
    }


def _integration(account: Account, one: Service, whole: bool) -> Body:
    """The monitoring tool that reports to a service."""
    tool, place = one.integration, f"/services/{one.id}/integrations/{one.integration.id}"
    short: Body = {
        "id": tool.id,
        "type": f"{TOOL}_reference",
        "summary": tool.name,
        "self": account.api_url + place,
        "html_url": account.web_url + place,
    }
    if not whole:
        return short
    more = {"type": TOOL, "name": tool.name, "created_at": stamp(FOUNDED)}
    return short | more | {"service": reference(account, one)}


def _support(call: Call, one: Service) -> Body:
    """The hours in which a service is looked after at once, for those that have such hours."""
    name = "service_support_hours"
    has = name in call.account.abilities and name not in call.controls.lack_ability
    if not has or _place(call.account)[one.id] % SUPPORTED != SUPPORTED - 1:
        return {}
    rule = {"type": "constant", "urgency": "severity_based"}
    return {
        "incident_urgency_rule": {
            "type": "use_support_hours",
            "during_support_hours": rule,
            "outside_support_hours": rule,
        },
        "support_hours": {
            "type": "fixed_time_per_day",
            "time_zone": call.account.time_zone,
            "days_of_week": [1, 2, 3, 4, 5],
            "start_time": "09:00:00",
            "end_time": "17:00:00",
        },
    }


def _latest(call: Call, one: Service) -> int | None:
    """When the latest incident of a service began, searched backwards day by day."""
    company, seen = call.company, 0
    for day in range(call.now // DAY, company.start // DAY - 1, -1):
        if seen > SEARCHED:
            break
        seen += company.account.tempo.of_day(day)
        closed = day < call.now // DAY
        known = _closed_day(company, day) if closed else _began(company, day, call.now)
        if one.id in known:
            return known[one.id]
    return None


@lru_cache(maxsize=4096)
def _closed_day(company: Company, day: int) -> dict[str, int]:
    return _began(company, day, day * DAY + DAY)


@lru_cache(maxsize=64)
def _began(company: Company, day: int, now: int) -> dict[str, int]:
    """When each service's latest incident of a day began, as far as it has begun."""
    begun = company.incidents(max(day * DAY, company.start), min(day * DAY + DAY, now + 1))
    return {told.service.id: told.at for told in begun}


@lru_cache(maxsize=64)
def _statuses(company: Company, now: int) -> dict[str, str]:
    """The services with open incidents: critical while nobody has answered one, else warning."""
    recent = now - LONGEST
    still_open = company.unresolved(recent, now + 1, now)
    for day in range(company.start // DAY, recent // DAY + 1):  # older than that: only these
        told = company.begun(day, 0) if is_forgotten(day, 0) else None
        if told and told.at < recent and told.at >= company.start and told.end is None:
            still_open.append(told)
    found: dict[str, str] = {}
    for told in still_open:
        answered = told.standing(now)[0] == "acknowledged"
        if not answered or told.service.id not in found:
            found[told.service.id] = "warning" if answered else "critical"
    return found


@lru_cache(maxsize=64)
def _services(account: Account) -> dict[str, list[Service]]:
    """Which services each policy is for."""
    found: dict[str, list[Service]] = {}
    for one in account.services:
        found.setdefault(one.policy.id, []).append(one)
    return found


@lru_cache(maxsize=64)
def _place(account: Account) -> dict[str, int]:
    return {one.id: place for place, one in enumerate(account.services)}
