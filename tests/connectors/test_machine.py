"""A private app of an account: it signs in by itself, in whichever region the account is."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from seatwise.connectors import oauth
from seatwise.connectors.base import OAuthApp, scopes_to_ask
from seatwise.connectors.errors import (
    AppRejected,
    ConsentRefused,
    CredentialsRejected,
    TryAgainLater,
)
from seatwise.connectors.pagerduty.machine import account_named
from seatwise.connectors.records import Account, Grant
from seatwise.sandbox.pagerduty.identity.grants import CLASSIC
from tests.connectors.accounts import connector, inspected
from tests.connectors.faultserver import FaultServer, answer, fault_server
from tests.sandboxes import Running, running

USUAL = scopes_to_ask(connector().scopes)
TOKEN = "/identity/oauth/token"
REVOKE = "/identity/oauth/revoke"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(seed=6, users=30, months=1) as started:
        yield started


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running) -> Iterator[None]:
    sandbox.forget_requests()
    yield
    sandbox.clear_faults()


def app(sandbox: Running) -> OAuthApp:
    return connector().oauth_app(sandbox.settings)


def enter(
    sandbox: Running, name: str = "harbor-prod", scopes: list[str] | None = None, **changed: str
) -> Grant:
    ours = replace(app(sandbox), **changed)  # type: ignore[arg-type]
    wanted = USUAL if scopes is None else scopes
    return asyncio.run(connector().machine_grant(ours, name, wanted))


def identify(sandbox: Running, grant: Grant) -> Account:
    return asyncio.run(connector().identify(sandbox.settings, grant))


@pytest.mark.fault(16)
@pytest.mark.parametrize(
    ("typed", "name", "region", "calls"),
    [
        ("harbor-prod", "harbor-prod", "US", 1),
        ("harbor-eu", "harbor-eu", "EU", 2),
        (" https://Harbor-EU.pagerduty.com/users?page=2 ", "harbor-eu", "EU", 2),
    ],
)
def test_the_region_of_an_account_is_found_and_nobody_takes_a_seat(
    sandbox: Running, typed: str, name: str, region: str, calls: int
) -> None:
    grant = enter(sandbox, typed)
    assert len(sandbox.requests(TOKEN)) == calls
    assert (grant.refresh_token, grant.expires_in) == (None, 86_400)
    account = identify(sandbox, grant)
    assert (account.name, account.region) == (name, region)
    assert account.external_id not in ("", name)  # proved by the ID token
    assert (account.granted_by, account.granted_role) == ("", "")
    assert account.scopes == frozenset(USUAL) - {"openid"}


@pytest.mark.parametrize("name", ["harbor-prod", "harbor-eu"])
def test_without_an_id_token_the_account_is_the_one_that_was_named(
    sandbox: Running, name: str
) -> None:
    sandbox.fault(id_token="missing")
    account = identify(sandbox, enter(sandbox, name))
    assert (account.external_id, account.name) == (name, name)
    assert account.region == ("EU" if name == "harbor-eu" else "US")
    asked = [each["path"] for each in sandbox.requests() if each["path"] != TOKEN]
    assert asked == [f"/{account.region.lower()}/users/me"]  # nothing had to be tried


def test_a_machines_proof_may_name_an_app_that_is_not_in_the_settings(sandbox: Running) -> None:
    grant = enter(sandbox)
    unset = {**sandbox.settings, "CLIENT_ID": "", "CLIENT_SECRET": ""}
    assert asyncio.run(connector().identify(unset, grant)).name == "harbor-prod"


@pytest.mark.parametrize("name", ["harbor-none", "harbor"])
def test_an_account_that_no_region_knows_is_refused_in_words(sandbox: Running, name: str) -> None:
    with pytest.raises(ConsentRefused, match=f"no account {name} ") as caught:
        enter(sandbox, name)
    assert "registered in that very account" in caught.value.remedy
    assert len(sandbox.requests(TOKEN)) == 4


@pytest.mark.fault(15)
def test_a_permission_that_the_app_lacks_limits_and_does_not_prevent(sandbox: Running) -> None:
    grant = enter(sandbox, "harbor-eu", [*USUAL, "not.registered"])
    account = identify(sandbox, grant)
    assert account.scopes == frozenset(USUAL) - {"openid"}
    given = sandbox.requests(TOKEN)
    assert len(given) <= 2 + 2 + len(USUAL)
    granted = [each for each in given if each["status"] == 200]
    ended = [each for each in sandbox.requests(REVOKE) if each["status"] == 200]
    assert len(granted) > 1
    assert len(granted) - len(ended) == 1, "one token lives, and no more"
    assert asyncio.run(inspected(sandbox, grant))
    again = len(sandbox.requests(TOKEN))
    assert enter(sandbox, "harbor-eu", sorted(grant.scopes or ())).scopes == grant.scopes
    assert len(sandbox.requests(TOKEN)) == again + 2  # asked for what it got, it gets it at once


@pytest.mark.fault(15)
def test_a_vendor_that_stops_answering_meanwhile_leaves_no_token_alive(
    sandbox: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted: list[Grant] = []

    async def thrice(*given: Any, **more: Any) -> Grant:
        if len(granted) == 3:
            raise TryAgainLater("PagerDuty cannot answer now.")
        granted.append(await asked(*given, **more))
        return granted[-1]

    asked = oauth.machine
    monkeypatch.setattr(oauth, "machine", thrice)
    with pytest.raises(TryAgainLater):
        enter(sandbox, scopes=[*USUAL, "not.registered"])
    for grant in granted:
        with pytest.raises(CredentialsRejected):
            identify(sandbox, grant)
    assert len(sandbox.requests(REVOKE)) == 3


def test_the_checks_of_a_machines_account_name_nobody_and_miss_nothing(sandbox: Running) -> None:
    checks = asyncio.run(inspected(sandbox, enter(sandbox)))
    assert [check.gap for check in checks if check.gap] == []
    (person,) = (check for check in checks if check.key == "person")
    assert (person.verdict, person.found) == (
        "ok",
        "Nobody: the app acts for itself, and takes no seat.",
    )


def test_a_wrong_secret_is_the_admins_to_enter_again(sandbox: Running) -> None:
    with pytest.raises(AppRejected, match="this client id or client secret") as caught:
        enter(sandbox, client_secret="made-up-secret")
    assert "enters the app's client id and client secret again" in caught.value.remedy
    assert "made-up-secret" not in f"{caught.value!r} {caught.value.remedy}"
    assert len(sandbox.requests(TOKEN)) == 1


def test_an_app_that_may_not_act_for_itself_says_so(sandbox: Running) -> None:
    classic = sandbox.settings | {"CLIENT_ID": CLASSIC.id, "CLIENT_SECRET": CLASSIC.secret}
    with pytest.raises(AppRejected, match="does not let this app sign in by itself"):
        enter(sandbox, client_id=classic["CLIENT_ID"], client_secret=classic["CLIENT_SECRET"])


def test_a_vendor_that_does_not_answer_is_no_wrong_account(sandbox: Running) -> None:
    sandbox.fault(path="/oauth/token", status=503, times=None)
    with pytest.raises(TryAgainLater):
        enter(sandbox)
    assert len(sandbox.requests(TOKEN)) == 1


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("harbor-prod", "harbor-prod"),
        ("HARBOR-PROD", "harbor-prod"),
        ("harbor-prod.pagerduty.com", "harbor-prod"),
        ("harbor-prod.eu.pagerduty.com/incidents", "harbor-prod"),
        ("https://harbor-prod.pagerduty.com/", "harbor-prod"),
        ("x" * 63, "x" * 63),
    ],
)
def test_people_may_paste_the_address_of_their_account(typed: str, name: str) -> None:
    assert account_named(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        *["", " ", "harbor prod", "harbor_prod", "x" * 64, "harbor.evil.example", "härbor", "a.b"],
        *["https://[", "https://", "a\nusers.read", "a users.write", "pagerduty.com/x y", "." * 9],
        "https://harbor.pagerduty.com/" + "x" * 9_000,
    ],
)
def test_what_is_no_name_is_refused_before_anything_is_asked(sandbox: Running, typed: str) -> None:
    with pytest.raises(ConsentRefused, match="no name of a PagerDuty account") as caught:
        enter(sandbox, typed)
    assert ".pagerduty.com" in caught.value.remedy
    assert sandbox.requests(TOKEN) == []


def test_the_secret_is_sent_in_the_form_and_nowhere_else() -> None:
    with fault_server() as server:
        server.on("/oauth/token", answer(b'{"access_token": "t"}'))
        asyncio.run(_ask(server))
        head, _, body = server.requests[-1].partition(b"\r\n\r\n")
    assert b"the-secret" not in head
    assert parse_qs(body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["the-app"],
        "client_secret": ["the-secret"],
        "scope": ["as_account-us.harbor users.read"],
    }


async def _ask(server: FaultServer) -> Grant:
    config = {"CLIENT_ID": "the-app", "CLIENT_SECRET": "the-secret", "IDENTITY_URL": server.url}
    ours = connector().oauth_app(config)
    return await connector().machine_grant(ours, "harbor", ["users.read"])
