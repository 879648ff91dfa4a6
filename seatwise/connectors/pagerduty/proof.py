"""The ID token: PagerDuty's signed proof of which account a grant opens."""

from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry
from pydantic import ValidationError

from seatwise.connectors.base import Config
from seatwise.connectors.errors import REFUSALS, BrokenAnswer, TryAgainLater
from seatwise.connectors.http import Http
from seatwise.connectors.pagerduty import facts
from seatwise.connectors.pagerduty.fields import Doc, IdOrNone, Word
from seatwise.connectors.patience import Patience

LEEWAY = 600  # seconds our clock and PagerDuty's may differ
LONGEST = 16_384  # characters
ALGORITHMS = ["RS256"]  # none that a public key could be passed off as a secret for
MOST_KEYS = 50


class ClaimsDoc(Doc):
    """What is used of a proof that was verified."""

    aud: object = None
    account_id: IdOrNone = ""
    subdomain: Word = ""
    region: Word = ""


async def read_proof(
    config: Config, token: str, patience: Patience | None, *, of_machine: bool = False
) -> ClaimsDoc:
    """The claims of an ID token that PagerDuty signed for us, and that is neither old nor early.

    A machine signs in as an app of its own, whose id is not in the settings. Raises BrokenAnswer
    for any other token, TryAgainLater while PagerDuty's keys cannot be read.
    """
    try:
        try:
            claims = _verified(token, await _fetch_keys(config, patience))
        except InvalidKeyIdError:  # signed with a key that is newer than the list we were given
            claims = _verified(token, await _fetch_keys(config, patience))
        _check(config, claims, of_machine=of_machine)
        return ClaimsDoc.model_validate(claims)
    except (JoseError, ValidationError, ValueError, RecursionError):
        raise BrokenAnswer(
            "PagerDuty's proof of which account was chosen could not be verified;"
            " nothing was connected.",
            remedy="Press Integrate to start again. If it stays, the operator of Seatwise checks"
            " the clock of its machine and the address of PagerDuty's identity service.",
        ) from None


def _verified(token: str, keys: KeySet) -> dict[str, Any]:
    if len(token) > LONGEST:
        raise ValueError("too long for a proof")
    return jwt.decode(token, keys, algorithms=ALGORITHMS).claims


def _check(config: Config, claims: Mapping[str, Any], *, of_machine: bool) -> None:
    """Raises JoseError or ValueError unless it is PagerDuty's, for us and for now."""
    client_id = config.get("CLIENT_ID", "")
    audience = [client_id, *(facts.base_url(config, name) for name in facts.REGIONS.values())]
    JWTClaimsRegistry(  # which refuses an `iat` and an `nbf` that are still to come by itself
        leeway=LEEWAY,
        iss={"essential": True, "values": facts.believed_issuers(config)},
        aud={"essential": True, "values": [value for value in audience if value]},
        exp={"essential": True},
    ).validate(dict(claims))
    if not of_machine and claims.get("azp", client_id) != client_id:
        raise ValueError("for another app")


class DiscoveryDoc(Doc):
    """Where the keys are, as OpenID's discovery tells it."""

    jwks_uri: str


async def _fetch_keys(config: Config, patience: Patience | None) -> KeySet:
    where = f"{facts.issuer(config)}/.well-known/openid-configuration"
    try:
        async with Http("PagerDuty", facts.key_hosts(config), patience=patience) as http:
            discovery = await http.get(
                where, DiscoveryDoc.model_validate, endpoint="/.well-known/openid-configuration"
            )
            return await http.get(discovery.jwks_uri, _key_set, endpoint="/jwks")
    except (TryAgainLater, BrokenAnswer, *REFUSALS) as error:
        # Never the subdomain in its place: one account would then go by two ids.
        raise TryAgainLater(
            f"PagerDuty's proof of which account was chosen cannot be checked now. {error}",
            after=error.after if isinstance(error, TryAgainLater) else None,
            remedy="Press Integrate again in a few minutes. If it stays, the operator of Seatwise"
            " checks that its machine reaches PagerDuty's identity service.",
        ) from error


def _key_set(data: object) -> KeySet:
    """The RSA keys; others may stand there too, and prove nothing to us."""
    found = data.get("keys") if isinstance(data, dict) else None
    if not isinstance(found, list) or len(found) > MOST_KEYS:
        raise ValueError("no keys")
    usable = [key for key in found if isinstance(key, dict) and key.get("kty") == "RSA"]
    try:
        keys = KeySet.import_key_set({"keys": usable})
    except JoseError as error:
        raise ValueError("keys of an unknown kind") from error
    if not keys.keys:
        raise ValueError("no keys")
    return keys
