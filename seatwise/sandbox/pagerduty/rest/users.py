"""The endpoints about people and seats: users, licences, allocations, abilities."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import orjson

from ..company.account import Account
from ..company.codes import identifier
from ..company.licenses import KNOWN, License, left
from ..company.people import LEADING, Person, Team
from .answers import Body, Call, RestError, included, lacks, missing
from .contacts import contact, known, rule, rules_of
from .filters import teams_asked
from .paging import page, stamp
from .references import reference

INCLUDES: Final = frozenset({"contact_methods", "notification_rules", "teams", "subdomains"})


def list_users(call: Call) -> bytes:
    """Everybody with a seat or an invitation, by name."""
    include = included(call, INCLUDES)
    found = _searched(call, call.params.get("query", "").casefold(), teams_asked(call))
    answer = page(call, "users", found, lambda person: _row(call.account, person, include))
    call.company.churn.happen(call.controls.churn)
    return answer


def one_user(call: Call) -> Body:
    """One person; deleted people are not found."""
    include = included(call, INCLUDES | {"calendar_urls"})
    person = known(call)
    secret = _calendar(call.account, person.id) if "calendar_urls" in include else {}
    return {"user": user(call.account, person, include) | secret}


def me(call: Call) -> Body:
    """The person whose token it is."""
    if call.caller.person is None:
        refusal = RestError(400, 2001, "Invalid Input Provided")
        # here the vendor's error is a text; its own client looks for these three words
        why = "A user's token is needed, and this is an account-level access token."
        refusal.body = {"error": why}
        raise refusal
    include = included(call, INCLUDES | {"calendar_urls"})
    shown = user(call.account, call.caller.person, include)
    return {"user": shown | _calendar(call.account, shown["id"])}


def list_licenses(call: Call) -> Body:
    """Every licence of the account, on one page."""
    held = _held(call)
    account = call.account
    return {"licenses": [license_row(account, kind, held) for kind in account.licenses]}


def list_allocations(call: Call) -> bytes:
    """Who holds which licence since when."""
    kinds = {kind.id: kind for kind in call.account.licenses}
    return page(
        call,
        "license_allocations",
        listed(call),
        lambda person: {
            "license": plain(kinds[person.license_id]),
            "user": {"id": person.id, "type": "user_reference"},
            "allocated_at": stamp(person.allocated_at),
        },
    )


def user_license(call: Call) -> Body:
    """The licence that one person holds."""
    person = known(call)
    kind = next(k for k in call.account.licenses if k.id == person.license_id)
    return {"license": plain(kind)}


def list_abilities(call: Call) -> Body:
    """What the account's plan can do."""
    lacking = call.controls.lack_ability
    return {"abilities": [name for name in call.account.abilities if name not in lacking]}


def one_ability(call: Call) -> None:
    """Whether the plan has that ability: 204, 402, or 404 for a name nobody knows."""
    name = call.path["name"]
    if name not in KNOWN:
        raise missing()
    if name not in call.account.abilities or name in call.controls.lack_ability:
        raise lacks(name)


def listed(call: Call) -> Sequence[Person]:
    """Everybody whom the lists show just now: all, unless a script says otherwise."""
    people, shown = call.company.people(), call.controls.lists
    if shown == "all":
        return people
    return people[::2] if shown == "half" else ()


def user(account: Account, person: Person, include: frozenset[str]) -> Body:
    """A person as the API shows them."""
    shown = reference(account, person) | {
        "type": "user",
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
        "created_via_sso": "sso" in account.abilities and person.role not in LEADING,
        "teams": [
            team_row(account, team) if "teams" in include else reference(account, team)
            for team in person.teams
        ],
        "contact_methods": [
            contact(account, person, channel, "contact_methods" in include)
            for channel in person.channels
        ],
        "notification_rules": [
            rule(account, person, each, "notification_rules" in include)
            for each in rules_of(person)
        ],
        "coordinated_incidents": [],
    }
    if "subdomains" in include:
        shown["subdomains"] = [account.subdomain]
    return shown


def team_row(account: Account, team: Team) -> Body:
    """A team as the API shows it."""
    return reference(account, team) | {
        "type": "team",
        "name": team.name,
        "description": f"Everybody who looks after {team.name}",
        "default_role": "manager",
    }


def license_row(account: Account, kind: License, held: Counter[str]) -> Body:
    """A licence with its counts. Those of one pool repeat how many of it are left."""
    taken = sum(held[each.id] for each in account.licenses if each.pool == kind.pool)
    counts = {"current_value": held[kind.id], "allocations_available": left(kind, taken)}
    return plain(kind) | counts


def plain(kind: License) -> Body:
    """A licence as the API shows it where somebody holds it."""
    return {
        "id": kind.id,
        "type": "license",
        "name": kind.name,
        "summary": kind.name,
        "description": kind.description,
        "valid_roles": list(kind.roles),
        "role_group": kind.role_group,
        "self": None,
        "html_url": None,
    }


def _searched(call: Call, wanted: str, teams: frozenset[str]) -> Sequence[Person]:
    """Those whose name or address has that text in it and who belong to one of the teams."""
    if not wanted and not teams:
        return listed(call)

    def search() -> Sequence[Person]:
        found = listed(call)
        if wanted:
            found = [p for p in found if wanted in p.name.casefold() or wanted in p.email]
        if teams:
            found = [p for p in found if any(team.id in teams for team in p.teams)]
        return found

    company, asked = call.company, (call.controls.lists, wanted, teams)
    return company.searches.found(company.people(), asked, search)


def _held(call: Call) -> Counter[str]:
    """How many people hold each licence, by its id."""
    people = listed(call)
    if people is call.company.people():
        return call.company.held()
    return Counter(person.license_id for person in people)


@lru_cache(maxsize=12_000)  # as many as the cap lets one list
def _row(account: Account, person: Person, include: frozenset[str]) -> bytes:
    """A person as they are sent in a list; each version of somebody is made once."""
    return orjson.dumps(user(account, person, include))


def _calendar(account: Account, user_id: str) -> Body:
    """Addresses that are secrets: whoever knows them reads the person's calendar."""
    secret = identifier(account.seed, user_id, "calendar", length=20, prefix="")
    calendar = f"{account.subdomain}.pagerduty.com/private/{secret}/feed"
    return {"web_cal_url": f"webcal://{calendar}", "http_cal_url": f"https://{calendar}"}
