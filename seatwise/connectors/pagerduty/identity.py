"""Which account a grant opens, in which region, and who gave it."""

from dataclasses import dataclass

from seatwise.connectors.base import Config
from seatwise.connectors.errors import REFUSALS, BrokenAnswer, CredentialsRejected
from seatwise.connectors.http import FixedToken
from seatwise.connectors.pagerduty import facts
from seatwise.connectors.pagerduty.api import API_KEY, Api
from seatwise.connectors.pagerduty.fields import Doc, Link, subdomain
from seatwise.connectors.pagerduty.machine import named_by
from seatwise.connectors.pagerduty.person import find_me
from seatwise.connectors.pagerduty.proof import ClaimsDoc, read_proof
from seatwise.connectors.patience import Patience
from seatwise.connectors.records import Account, Grant


async def identify(config: Config, grant: Grant, patience: Patience | None) -> Account:
    """The account behind a grant; without an ID token it is known by its name.

    Raises CredentialsRejected when no region takes the token, BrokenAnswer when the ID token
    is not PagerDuty's or not for us or nothing tells which account it is, TryAgainLater also
    while the keys that prove the ID token cannot be read.
    """
    place = await _place(config, grant, patience)
    regions = [place.region] if place.region else list(facts.REGIONS)
    for region in regions:
        api_url = facts.base_url(config, facts.REGIONS[region])
        try:
            async with Api(api_url, FixedToken(grant.access_token), patience) as api:
                return await _describe(api, api_url, region, place, grant)
        except CredentialsRejected:
            if len(regions) == 1:
                raise
    raise _in_no_region(grant)


@dataclass(frozen=True, slots=True)
class _Place:
    """What is known of the account before the API is asked. Each may be ""."""

    account_id: str = ""
    name: str = ""
    region: str = ""
    is_proved: bool = False  # by an ID token


async def _place(config: Config, grant: Grant, patience: Patience | None) -> _Place:
    named = named_by(grant)
    if grant.id_token is not None:
        of_machine = named is not None
        claims = await read_proof(config, grant.id_token, patience, of_machine=of_machine)
        return _Place(claims.account_id, claims.subdomain, _region(config, claims), True)
    return _Place(region=named[0], name=named[1]) if named else _Place()


def _region(config: Config, claims: ClaimsDoc) -> str:
    audience = claims.aud if isinstance(claims.aud, list) else [claims.aud]
    addresses = [value.rstrip("/") for value in audience if isinstance(value, str)]
    for region, name in facts.REGIONS.items():
        if facts.base_url(config, name) in addresses:
            return region
    said = claims.region.upper()
    return said if said in facts.REGIONS else ""


async def _describe(api: Api, api_url: str, region: str, place: _Place, grant: Grant) -> Account:
    me = await find_me(api)
    name = place.name or subdomain(me.html_url) or await _name_from_users(api)
    external_id = place.account_id if place.is_proved else name
    if not external_id:
        raise BrokenAnswer(
            "PagerDuty does not say which account was chosen.",
            remedy="Make an API key that may read users, and enter that one."
            if _is_key(grant)
            else "Press Integrate to start again, and allow openid and users.read.",
        )
    return Account(
        external_id=external_id,
        name=name,
        region=region,
        api_url=api_url,
        granted_by=me.who,
        granted_role=me.role,
        scopes=grant.scopes,
    )


class FirstUserDoc(Doc):
    html_url: Link = ""


class FirstUsersDoc(Doc):
    users: list[FirstUserDoc]


async def _name_from_users(api: Api) -> str:
    try:
        found = await api.get("/users", FirstUsersDoc, (("limit", "1"),))
    except REFUSALS:
        return ""
    return subdomain(found.users[0].html_url) if found.users else ""


def _in_no_region(grant: Grant) -> CredentialsRejected:
    if _is_key(grant):
        return CredentialsRejected(
            "PagerDuty accepts this API key in none of its regions.",
            status=401,
            remedy="Copy the key again from PagerDuty, or have an Account Owner or Global Admin"
            " make a new one there.",
        )
    return CredentialsRejected(
        "PagerDuty accepts the access token in none of its regions.", status=401
    )


def _is_key(grant: Grant) -> bool:
    return grant.access_token.startswith(API_KEY)
