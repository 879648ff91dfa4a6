"""A private app of an account, which signs in by its own id and secret and acts for nobody."""

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from seatwise.connectors import oauth
from seatwise.connectors.base import OAuthApp
from seatwise.connectors.errors import ConsentRefused
from seatwise.connectors.pagerduty import facts
from seatwise.connectors.patience import Patience
from seatwise.connectors.records import Grant

ACCOUNT = "as_account-"  # and then "us.harbor-prod": a scope that names the account
LONGEST_NAME = 63  # characters: it is a part of a host's name
LONGEST_ADDRESS = 300
OF_PEOPLE = frozenset({"openid"})  # scopes that make no sense for an app
AT_LEAST = "users.read"

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


async def machine_grant(
    app: OAuthApp, account_name: str, scopes: Iterable[str], patience: Patience | None
) -> Grant:
    """The app's tokens for that account, in whichever region it is.

    PagerDuty refuses an app as a whole that asks for one permission too many. Then it is asked
    for each by itself, so that what is missing limits the connection and does not prevent it.
    """
    name = account_named(account_name)
    wanted = [s for s in dict.fromkeys(scopes) if s not in OF_PEOPLE and not s.startswith(ACCOUNT)]
    for region in facts.REGIONS:
        if (grant := await _ask(app, region, name, wanted, patience)) is not None:
            return grant
    for region in facts.REGIONS:
        least = await _ask(app, region, name, [AT_LEAST], patience)
        if least is not None:
            return await _as_much_as_may_be(app, region, name, wanted, least, patience)
    raise ConsentRefused(
        f"PagerDuty knows no account {name} in which this app may read users.",
        remedy="Compare the account's name with its address in PagerDuty. The app must be"
        f" registered in that very account, with Scoped OAuth and the permission {AT_LEAST}.",
    )


def account_named(text: str) -> str:
    """The account's name in what somebody typed: "harbor", or the address of one of its pages.

    Raises ConsentRefused.
    """
    typed = text.strip().lower()
    if len(typed) <= LONGEST_ADDRESS:
        typed = _host_in(typed)
        if typed.endswith(".pagerduty.com"):
            typed = typed.partition(".")[0]
    if not 0 < len(typed) <= LONGEST_NAME or not _LETTERS.issuperset(typed):
        raise ConsentRefused(
            "That is no name of a PagerDuty account.",
            remedy='Enter what stands before ".pagerduty.com" in the address of its pages.',
        )
    return typed


def named_in(scopes: Iterable[str]) -> tuple[str, str] | None:
    """The region ("US") and the name of the account that a machine's scopes name."""
    for scope in scopes:
        region, dot, name = scope.removeprefix(ACCOUNT).partition(".")
        if scope.startswith(ACCOUNT) and dot and region.upper() in facts.REGIONS:
            return region.upper(), name
    return None


def without_names(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes that are permissions."""
    return frozenset(scope for scope in scopes if not scope.startswith(ACCOUNT))


def _host_in(typed: str) -> str:
    try:
        return urlsplit(typed if "://" in typed else f"//{typed}").hostname or ""
    except ValueError:
        return ""


async def _ask(
    app: OAuthApp, region: str, name: str, scopes: Iterable[str], patience: Patience | None
) -> Grant | None:
    """None where the region does not know the account, or the app may not have all of that."""
    account = f"{ACCOUNT}{region.lower()}.{name}"
    try:
        grant = await oauth.machine(app, " ".join([account, *scopes]), patience=patience)
    except ConsentRefused:
        return None
    # Without an ID token this scope is all that tells which account it is.
    return replace(grant, scopes=(grant.scopes or frozenset()) | {account})


async def _as_much_as_may_be(
    app: OAuthApp,
    region: str,
    name: str,
    wanted: Iterable[str],
    least: Grant,
    patience: Patience | None,
) -> Grant:
    allowed = [AT_LEAST]
    for scope in wanted:
        alone = scope != AT_LEAST and await _ask(app, region, name, [scope], patience)
        if alone:
            allowed.append(scope)
    return await _ask(app, region, name, allowed, patience) or least
