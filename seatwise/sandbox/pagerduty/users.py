"""The endpoints about people and seats: users, licences, allocations, abilities."""

from typing import Final

from .answers import Body, Call, RestError, invalid, missing, page, stamp
from .names import ABILITIES
from .people import Account, License, Person, Team, identifier

INCLUDES: Final = frozenset({"contact_methods", "notification_rules", "teams", "subdomains"})
KINDS: Final = {"email": "email", "sms": "sms", "phone": "phone", "push": "push_notification"}


def list_users(call: Call) -> Body:
    """Everybody with a seat or an invitation, by name."""
    include = _included(call)
    wanted = call.params.get("query", "").casefold()
    teams = set(call.params.getlist("team_ids[]"))
    found = [
        person
        for person in call.account.people
        if (wanted in person.name.casefold() or wanted in person.email)
        and (not teams or teams & {team.id for team in person.teams})
    ]
    return page(
        call,
        "users",
        len(found),
        lambda offset, limit: [
            user(call.account, person, include) for person in found[offset : offset + limit]
        ],
    )


def one_user(call: Call) -> Body:
    """One person; deleted people are not found."""
    person = call.account.person(call.path["id"])
    if person is None:
        raise missing()
    return {"user": user(call.account, person, _included(call))}


def me(call: Call) -> Body:
    """The person whose token it is."""
    if call.caller.person is None:
        raise RestError(400, 2001, "Invalid Input Provided", ["A user's token is needed."])
    shown = user(call.account, call.caller.person, _included(call))
    secret = identifier(call.account.seed, shown["id"], "calendar", length=20, prefix="")
    calendar = f"{call.account.subdomain}.pagerduty.com/private/{secret}/feed"
    # whoever knows these addresses reads the person's calendar: a product must not keep them
    addresses = {"web_cal_url": f"webcal://{calendar}", "http_cal_url": f"https://{calendar}"}
    return {"user": shown | addresses}


def list_licenses(call: Call) -> Body:
    """Every licence of the account, on one page."""
    return {"licenses": [_license(call.account, kind) for kind in call.account.licenses]}


def list_allocations(call: Call) -> Body:
    """Who holds which licence since when."""
    kinds = {kind.id: kind for kind in call.account.licenses}
    people = call.account.people
    return page(
        call,
        "license_allocations",
        len(people),
        lambda offset, limit: [
            {
                "license": _license(call.account, kinds[person.license_id]),
                "user": {"id": person.id, "type": "user_reference"},
                "allocated_at": stamp(person.allocated_at),
            }
            for person in people[offset : offset + limit]
        ],
    )


def list_abilities(call: Call) -> Body:
    """What the account's plan can do."""
    lacking = call.controls.lack_ability
    return {"abilities": [name for name in call.account.abilities if name not in lacking]}


def one_ability(call: Call) -> None:
    """Whether the plan has that ability: 204, 402, or 404 for a name nobody knows."""
    name = call.path["name"]
    if name not in ABILITIES:
        raise missing()
    if name not in call.account.abilities or name in call.controls.lack_ability:
        why = "Account does not have the abilities to perform the action."
        raise RestError(402, 2014, why, [name])


def user(account: Account, person: Person, include: frozenset[str]) -> Body:
    """A person as the API shows them."""
    return {
        "id": person.id,
        "type": "user",
        "summary": person.name,
        "self": f"{account.api_url}/users/{person.id}",
        "html_url": f"https://{account.subdomain}.pagerduty.com/users/{person.id}",
        "name": person.name,
        "email": person.email,
        "role": person.role,
        "job_title": person.job_title,
        "time_zone": person.time_zone,
        "color": "purple",
        "avatar_url": f"https://avatars.example/{person.id}.png",
        "billed": True,
        "description": None,
        "invitation_sent": person.invited,
        "created_via_sso": person.role not in ("owner", "admin"),
        "teams": [_team(account, team, "teams" in include) for team in person.teams],
        "contact_methods": [
            _contact(account, person, channel, "contact_methods" in include)
            for channel in person.channels
        ],
        "notification_rules": [],
        "coordinated_incidents": [],
    }


def address(person: Person, channel: str) -> str | None:
    """Where a person is reached by that channel; None for push."""
    if channel == "email":
        return person.email
    return None if channel == "push" else f"+{person.country_code}{person.number}"


def _included(call: Call) -> frozenset[str]:
    asked = frozenset(call.params.getlist("include[]"))
    if not asked <= INCLUDES:
        raise invalid(f"include[] must be one of {', '.join(sorted(INCLUDES))}.")
    return asked


def _team(account: Account, team: Team, whole: bool) -> Body:
    link = f"https://{account.subdomain}.pagerduty.com/teams/{team.id}"
    short = {"id": team.id, "summary": team.name, "html_url": link}
    if whole:
        return short | {"type": "team", "name": team.name, "description": None}
    return short | {"type": "team_reference"}


def _contact(account: Account, person: Person, channel: str, whole: bool) -> Body:
    kind = f"{KINDS[channel]}_contact_method"
    short: Body = {"id": identifier(account.id, person.id, channel), "summary": channel.title()}
    if not whole:
        return short | {"type": f"{kind}_reference"}
    if channel in ("sms", "phone"):
        short |= {"country_code": int(person.country_code), "address": person.number}
    else:
        short["address"] = person.email if channel == "email" else identifier(person.id, "device")
    return short | {"type": kind, "label": "Work"}


def _license(account: Account, kind: License) -> Body:
    return {
        "id": kind.id,
        "type": "license",
        "name": kind.name,
        "summary": kind.name,
        "description": kind.description,
        "valid_roles": list(kind.roles),
        "role_group": kind.role_group,
        "current_value": account.seats[kind.id],
        "allocations_available": kind.free,
        "self": None,
        "html_url": None,
    }
