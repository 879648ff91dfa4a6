"""Which account a grant opens, who gave it, and what it will not let us read."""

from collections.abc import Iterable
from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry
from pydantic import ValidationError

from seatwise.connectors.base import Config, Scope
from seatwise.connectors.errors import (
    REFUSALS,
    BrokenAnswer,
    CredentialsRejected,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.http import FixedToken, Http
from seatwise.connectors.pagerduty import facts
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.fields import (
    Doc,
    Email,
    IdOrNone,
    Link,
    Name,
    Word,
    subdomain,
)
from seatwise.connectors.patience import Patience
from seatwise.connectors.records import Account, Gap, Grant

LEEWAY = 600  # seconds our clock and PagerDuty's may differ
LONGEST_WHO = 300  # characters
ADMINS = "An Account Owner or Global Admin of the PagerDuty account"


async def identify(
    config: Config, grant: Grant, asked: frozenset[str], patience: Patience | None
) -> Account:
    """The account behind a grant, with every gap that is known before the first sync.

    Raises CredentialsRejected when no region takes the token, BrokenAnswer when the ID token
    is not PagerDuty's or not for us or nothing tells which account it is, TryAgainLater also
    while the keys that prove the ID token cannot be read.
    """
    claims = await _read_id_token(config, grant, patience)
    place = _place(config, claims, grant)
    regions = [place.region] if place.region else list(facts.REGIONS)
    for region in regions:
        api_url = facts.base_url(config, facts.REGIONS[region])
        try:
            async with Api(api_url, FixedToken(grant.access_token), patience) as api:
                return await _describe(api, api_url, region, place, grant, asked)
        except CredentialsRejected:
            if region == regions[-1]:
                raise
    raise CredentialsRejected("PagerDuty accepts the access token in none of its regions.")


class ClaimsDoc(Doc):
    aud: object = None
    account_id: IdOrNone = ""
    subdomain: Word = ""
    region: Word = ""


class DiscoveryDoc(Doc):
    jwks_uri: str


async def _read_id_token(
    config: Config, grant: Grant, patience: Patience | None
) -> ClaimsDoc | None:
    """The claims of a verified ID token; None without one."""
    if grant.id_token is None:
        return None
    try:
        keys = await _fetch_keys(config, patience)
    except (TryAgainLater, BrokenAnswer, *REFUSALS) as error:
        # Never the subdomain in its place: one account would then go by two ids.
        raise TryAgainLater(
            f"PagerDuty's proof of which account was chosen cannot be checked now. {error}",
            after=error.after if isinstance(error, TryAgainLater) else None,
            remedy="Press Integrate again in a few minutes. If it stays, the operator of Seatwise"
            " checks that its machine reaches PagerDuty's identity service.",
        ) from error
    audience = [config.get("CLIENT_ID", "")]
    audience += [facts.base_url(config, name) for name in facts.REGIONS.values()]
    registry = JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "values": facts.believed_issuers(config)},
        aud={"essential": True, "values": [value for value in audience if value]},
        exp={"essential": True},
    )
    try:
        token = jwt.decode(grant.id_token, keys, algorithms=["RS256"])
        registry.validate(token.claims)
        return ClaimsDoc.model_validate(token.claims)
    except (JoseError, ValidationError, ValueError):
        raise BrokenAnswer(
            "PagerDuty's proof of which account was chosen could not be verified;"
            " nothing was connected.",
            remedy="Press Integrate to start again. If it stays, the operator of Seatwise checks"
            " the clock of its machine and the address of PagerDuty's identity service.",
        ) from None


async def _fetch_keys(config: Config, patience: Patience | None) -> KeySet:
    where = f"{facts.issuer(config)}/.well-known/openid-configuration"
    async with Http("PagerDuty", facts.key_hosts(config), patience=patience) as http:
        discovery = await http.get(
            where, DiscoveryDoc.model_validate, endpoint="/.well-known/openid-configuration"
        )
        return await http.get(discovery.jwks_uri, _key_set, endpoint="/jwks")


def _key_set(data: object) -> KeySet:
    if not isinstance(data, dict) or not isinstance(data.get("keys"), list):
        raise ValueError("no keys")
    try:
        return KeySet.import_key_set({"keys": data["keys"]})
    except JoseError as error:
        raise ValueError("keys of an unknown kind") from error


@dataclass(frozen=True, slots=True)
class _Place:
    """What is known of the account before the API is asked. Each may be ""."""

    account_id: str
    name: str
    region: str
    is_proved: bool = False  # by an ID token


def _place(config: Config, claims: ClaimsDoc | None, grant: Grant) -> _Place:
    if claims is not None:
        return _Place(claims.account_id, claims.subdomain, _region(config, claims), True)
    for scope in grant.scopes:  # "as_account-us.harbor": a machine's grant names its account
        region, dot, name = scope.removeprefix("as_account-").partition(".")
        if scope.startswith("as_account-") and dot and region.upper() in facts.REGIONS:
            return _Place("", name, region.upper())
    return _Place("", "", "")


def _region(config: Config, claims: ClaimsDoc) -> str:
    audience = claims.aud if isinstance(claims.aud, list) else [claims.aud]
    addresses = [value.rstrip("/") for value in audience if isinstance(value, str)]
    for region, name in facts.REGIONS.items():
        if facts.base_url(config, name) in addresses:
            return region
    said = claims.region.upper()
    return said if said in facts.REGIONS else ""


async def _describe(
    api: Api, api_url: str, region: str, place: _Place, grant: Grant, asked: frozenset[str]
) -> Account:
    me = await _fetch_me(api)
    abilities = await _read_abilities(api)
    name = place.name or subdomain(me.html_url) or await _name_from_users(api)
    external_id = place.account_id if place.is_proved else name
    if not external_id:
        raise BrokenAnswer(
            "PagerDuty does not say which account was chosen.",
            remedy="Press Integrate to start again, and allow openid and users.read.",
        )
    return Account(
        external_id=external_id,
        name=name,
        region=region,
        api_url=api_url,
        granted_by=who(me),
        granted_role=me.role,
        scopes=grant.scopes,
        gaps=(*_missing_scopes(grant, asked), *_weak_role(me), *abilities),
    )


class MeDoc(Doc):
    """The authorizing person. The answer also holds secret calendar addresses: never add them."""

    name: Name = ""
    email: Email = ""
    role: Word = ""
    html_url: Link = ""


class MeAnswerDoc(Doc):
    user: MeDoc


async def _fetch_me(api: Api) -> MeDoc:
    try:
        return (await api.get("/users/me", MeAnswerDoc)).user
    except REFUSALS:  # no person stands behind an API key or a machine's grant
        return MeDoc()


class AbilitiesDoc(Doc):
    abilities: list[Word]


async def _read_abilities(api: Api) -> tuple[Gap, ...]:
    try:
        abilities = set((await api.get("/abilities", AbilitiesDoc)).abilities)
    except REFUSALS as error:
        return (_abilities_unknown(error),)
    return tuple(
        Gap(
            "account",
            f"The plan lacks the ability {ability}.",
            meaning,
            "Only a larger PagerDuty plan changes this; everything else is read.",
        )
        for ability, meaning in facts.WANTED_ABILITIES.items()
        if ability not in abilities
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


def who(me: MeDoc) -> str:
    """Name and e-mail of the authorizing person, the e-mail alone where both are too long."""
    both = f"{me.name} <{me.email}>" if me.name and me.email else me.name or me.email
    return both if len(both) <= LONGEST_WHO else (me.email or me.name)[:LONGEST_WHO]


def _abilities_unknown(error: VendorError) -> Gap:
    return Gap(
        "account",
        "What the account's plan includes cannot be read.",
        str(error),
        f"{ADMINS} integrates again and allows abilities.read; nothing else depends on it.",
    )


def _missing_scopes(grant: Grant, asked: Iterable[str]) -> tuple[Gap, ...]:
    if grant.scopes & {"read", "write"}:  # the classic kind of grant covers everything
        return ()
    missing = frozenset(asked) - grant.scopes
    return tuple(
        Gap(
            *_what_is_lost(scope, grant),
            f"The permission {scope.name} was not granted.",
            f"{ADMINS} adds {scope.name} to the app in PagerDuty, then an admin of Seatwise"
            " presses Integrate again.",
        )
        for scope in facts.SCOPES
        if scope.name in missing
    )


def _what_is_lost(scope: Scope, grant: Grant) -> tuple[str, str]:
    if scope.name == "users:notifications.read" and "incidents.read" in grant.scopes:
        return "account", facts.THE_LONG_WAY
    usual = "account" if scope.optional else "usage"
    return _CAPABILITIES.get(scope.name, usual), f"{scope.reads} cannot be read."


_CAPABILITIES = {
    "openid": "account",
    "abilities.read": "account",
    "users.read": "members",
    "licenses.read": "licences",
}


def _weak_role(me: MeDoc) -> tuple[Gap, ...]:
    if not me.role or me.role in facts.ADMIN_ROLES:
        return ()
    role = facts.ROLES[me.role].name if me.role in facts.ROLES else me.role
    return (
        Gap(
            "licences",
            "Licences cannot be read.",
            f"{me.name or 'Somebody'} authorized as {role}; PagerDuty shows licences to Account"
            " Owners and Global Admins only.",
            f"{ADMINS} authorizes: an admin of Seatwise presses Integrate again.",
        ),
    )
