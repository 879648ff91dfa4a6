"""A private app of an account, which signs in by its own id and secret and acts for nobody."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from seatwise.connectors import oauth
from seatwise.connectors.base import OAuthApp
from seatwise.connectors.errors import ConsentRefused, VendorError
from seatwise.connectors.pagerduty import facts
from seatwise.connectors.patience import Patience
from seatwise.connectors.records import Grant

ACCOUNT = "as_account-"  # and then "us.harbor-prod": a scope that names the account
LONGEST_NAME = 63  # characters: it is a part of a host's name
LONGEST_ADDRESS = 300
BRIEFLY = 5.0  # seconds for the end of a token that is not needed; somebody waits
OF_PEOPLE = frozenset(scope.name for scope in facts.SCOPES if scope.of_person)
AT_LEAST = "users.read"

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


async def machine_grant(
    app: OAuthApp, account_name: str, scopes: Iterable[str], patience: Patience | None
) -> Grant:
    """The app's tokens for that account, in whichever region it is.

    PagerDuty refuses an app as a whole that asks for one permission too many. Then one after the
    other is added, so that what is missing limits the connection and does not prevent it; every
    token but the last is ended again.
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


def named_by(grant: Grant) -> tuple[str, str] | None:
    """The region ("US") and the name of the account that a machine's grant is for."""
    region, dot, name = grant.account.partition(".")
    return (region.upper(), name) if dot and region.upper() in facts.REGIONS else None


def _host_in(typed: str) -> str:
    try:
        return urlsplit(typed if "://" in typed else f"//{typed}").hostname or ""
    except ValueError:
        return ""


async def _ask(
    app: OAuthApp, region: str, name: str, scopes: Iterable[str], patience: Patience | None
) -> Grant | None:
    """None where the region does not know the account, or the app may not have all of that."""
    account = f"{region.lower()}.{name}"
    scope = " ".join([f"{ACCOUNT}{account}", *scopes])
    try:
        grant = await oauth.machine(app, scope, patience=patience)
    except ConsentRefused:
        return None
    permissions = frozenset(s for s in grant.scopes or () if not s.startswith(ACCOUNT))
    return replace(grant, scopes=permissions, account=account)


async def _as_much_as_may_be(
    app: OAuthApp,
    region: str,
    name: str,
    wanted: Iterable[str],
    least: Grant,
    patience: Patience | None,
) -> Grant:
    allowed, came = [AT_LEAST], [least]
    try:
        for scope in wanted:
            if scope in allowed:
                continue
            more = await _ask(app, region, name, [*allowed, scope], patience)
            if more is not None:
                allowed.append(scope)
                came.append(more)
    except VendorError:
        await _end(app, came)
        raise
    await _end(app, came[:-1])
    return came[-1]


async def _end(app: OAuthApp, grants: Iterable[Grant]) -> None:
    """Ends tokens that nobody will use, as far as PagerDuty listens; they die in a day anyway."""
    await asyncio.gather(
        *(oauth.end_grant(app, grant.access_token, deadline=BRIEFLY) for grant in grants)
    )
