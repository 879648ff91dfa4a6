"""Which account a grant opens, and what is known to be missing before the first sync."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from seatwise.connectors.errors import BrokenAnswer, CredentialsRejected, TryAgainLater
from seatwise.connectors.records import Account, Grant
from seatwise.sandbox.pagerduty.strings.controls import ID_TOKENS
from tests.connectors.accounts import authorize, connector, identified
from tests.connectors.faultserver import FaultServer, answer, fault_server
from tests.sandboxes import Running, running

ISSUER_PATH = "/global/oauth/anonymous"
DISCOVERY = f"{ISSUER_PATH}/.well-known/openid-configuration"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(seed=4, users=60, months=1) as started:
        yield started


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running) -> Iterator[None]:
    yield
    sandbox.clear_faults()


def connect(sandbox: Running, role: str = "owner", account: str = "harbor-prod") -> Account:
    return asyncio.run(_connect(sandbox, role, account))


async def _connect(sandbox: Running, role: str, account: str) -> Account:
    grant = await authorize(sandbox, sandbox.someone(role, account), account)
    return await identified(sandbox, grant)


def test_an_owners_grant_opens_the_whole_account(sandbox: Running) -> None:
    account = connect(sandbox)
    assert (account.name, account.region) == ("harbor-prod", "US")
    assert account.api_url == sandbox.settings["API_URL"]
    assert sandbox.someone("owner") in account.granted_by
    assert account.granted_role == "owner"
    assert account.external_id


@pytest.mark.fault(16)
def test_an_account_in_europe_is_read_in_europe(sandbox: Running) -> None:
    account = connect(sandbox, account="harbor-eu")
    assert (account.name, account.region) == ("harbor-eu", "EU")
    assert account.api_url == sandbox.settings["API_URL_EU"]


@pytest.mark.fault(16)
@pytest.mark.parametrize(("name", "region"), [("harbor-prod", "US"), ("harbor-eu", "EU")])
def test_without_an_id_token_the_region_is_tried_and_the_account_still_named(
    sandbox: Running, name: str, region: str
) -> None:
    async def without() -> Account:
        grant = await authorize(sandbox, sandbox.someone("owner", name), name)
        return await identified(sandbox, replace(grant, id_token=None))

    account = asyncio.run(without())
    assert (account.name, account.region, account.external_id) == (name, region, name)


def test_a_token_no_region_takes_is_rejected(sandbox: Running) -> None:
    with pytest.raises(CredentialsRejected):
        asyncio.run(identified(sandbox, Grant("nothing", None, None, frozenset())))


@pytest.mark.fault(16)
@pytest.mark.parametrize(("name", "region"), [("harbor-prod", "US"), ("harbor-eu", "EU")])
def test_an_api_keys_region_is_tried_and_remembered(
    sandbox: Running, name: str, region: str
) -> None:
    sandbox.forget_requests()
    key = connector().token_of(sandbox.api_key(name))
    account = asyncio.run(identified(sandbox, Grant(key, None, None, None)))
    assert (account.name, account.region, account.external_id) == (name, region, name)
    assert account.api_url == sandbox.settings["API_URL" if region == "US" else "API_URL_EU"]
    assert (account.granted_by, account.granted_role, account.scopes) == ("", "", None)
    tried = [(each["path"], each["status"]) for each in sandbox.requests()]
    wrong = [("/us/users/me", 401)] if region == "EU" else []
    there = f"/{region.lower()}"
    assert tried == [*wrong, (f"{there}/users/me", 400), (f"{there}/users", 200)]


def test_an_api_key_that_no_region_takes_says_who_can_make_another(sandbox: Running) -> None:
    with pytest.raises(CredentialsRejected, match="in none of its regions") as caught:
        asyncio.run(identified(sandbox, Grant(connector().token_of("y_no"), None, None, None)))
    assert "API key" in str(caught.value)
    assert "y_no" not in f"{caught.value} {caught.value.remedy}"
    assert "Account Owner or Global Admin" in caught.value.remedy


@pytest.mark.parametrize("status", [400, 402, 403, 404])
def test_an_unknown_person_does_not_stop_the_connection(sandbox: Running, status: int) -> None:
    sandbox.fault(path="/users/me", status=status, times=None)
    account = connect(sandbox)
    assert (account.name, account.granted_by) == ("harbor-prod", "")


@pytest.mark.parametrize("status", [404, 503])
@pytest.mark.parametrize("path", [DISCOVERY, f"{ISSUER_PATH}/.well-known/jwks.json"])
def test_without_the_signing_keys_nothing_is_connected_under_another_id(
    sandbox: Running, path: str, status: int
) -> None:
    grant = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    sandbox.fault(path=path, status=status, times=None)
    with pytest.raises(TryAgainLater, match="cannot be checked now"):
        asyncio.run(identified(sandbox, grant))


def test_an_account_that_nobody_names_is_refused(sandbox: Running) -> None:
    grant = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    for path in ("/users/me", "/users"):
        sandbox.fault(path=path, status=403, times=None)
    with pytest.raises(BrokenAnswer, match="does not say which account"):
        asyncio.run(identified(sandbox, replace(grant, id_token=None)))


@pytest.mark.fault(7)
@pytest.mark.parametrize("how", [word for word in ID_TOKENS if word not in ("good", "missing")])
def test_a_spoilt_proof_of_the_vendors_own_connects_nothing(sandbox: Running, how: str) -> None:
    sandbox.fault(id_token=how)
    grant = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    with pytest.raises(BrokenAnswer, match="could not be verified"):
        asyncio.run(identified(sandbox, grant))


def test_a_vendor_without_proofs_is_connected_by_the_accounts_name(sandbox: Running) -> None:
    sandbox.fault(id_token="missing")
    assert connect(sandbox).external_id == "harbor-prod"


KEY = RSAKey.generate_key(2048, {"kid": "ours"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "ours"})
NEW_KEY = RSAKey.generate_key(2048, {"kid": "new"})
FUTURE = int(time.time()) + 86_400


@pytest.fixture(scope="module")
def identity() -> Iterator[FaultServer]:
    with fault_server() as server:
        keys = json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()
        where = json.dumps({"jwks_uri": f"{server.url}{ISSUER_PATH}/jwks"}).encode()
        server.on(DISCOVERY, answer(where))
        server.on(f"{ISSUER_PATH}/jwks", answer(keys))
        yield server


def claim(
    sandbox: Running,
    identity: FaultServer,
    *,
    key: RSAKey = KEY,
    algorithm: str = "RS256",
    kid: str | None = "ours",
    **changed: Any,
) -> Account:
    now = int(time.time())
    claims = {
        "iss": identity.url + ISSUER_PATH,
        "aud": [sandbox.settings["CLIENT_ID"], sandbox.settings["API_URL"]],
        "iat": now,
        "exp": now + 60,
        "account_id": "PACCOUNT",
        "subdomain": "harbor-prod",
        "region": "us",
    }
    kept = {name: value for name, value in (claims | changed).items() if value is not None}
    head = {"alg": algorithm} | ({"kid": kid} if kid else {})
    token = jwt.encode(head, kept, key, algorithms=[algorithm])
    return asyncio.run(_claim(sandbox, identity, token))


async def _claim(sandbox: Running, identity: FaultServer, token: str) -> Account:
    grant = await authorize(sandbox, sandbox.someone("owner"))
    config = {**sandbox.settings, "IDENTITY_URL": identity.url}
    return await connector().identify(config, replace(grant, id_token=token))


@pytest.mark.parametrize(
    "issuer",
    [
        None,
        "https://identity.pagerduty.com/global/oauth/anonymous",
        "https://app.pagerduty.com/global/oauth/anonymous",
    ],
)
def test_the_documented_issuers_are_believed(
    sandbox: Running, identity: FaultServer, issuer: str | None
) -> None:
    issued_by = issuer or identity.url + ISSUER_PATH
    assert claim(sandbox, identity, iss=issued_by).external_id == "PACCOUNT"


@pytest.mark.parametrize("account_id", [None, "", ["P"], "P" * 101])
def test_a_proof_that_names_no_account_is_refused_and_not_replaced_by_the_subdomain(
    sandbox: Running, identity: FaultServer, account_id: object
) -> None:
    with pytest.raises(BrokenAnswer, match="does not say which account"):
        claim(sandbox, identity, account_id=account_id)


@pytest.mark.fault(25)
def test_a_clock_that_is_five_minutes_off_is_forgiven(
    sandbox: Running, identity: FaultServer
) -> None:
    now = int(time.time())
    assert claim(sandbox, identity, iat=now + 300, exp=now + 360).name == "harbor-prod"
    assert claim(sandbox, identity, iat=now - 360, exp=now - 300).name == "harbor-prod"


@pytest.mark.fault(7)
@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example/global/oauth/anonymous"},
        {"iss": "missing"},
        {"aud": ["somebody-else"]},
        {"aud": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"exp": "never"},
        {"exp": "infinity"},
        {"iat": "now"},
        {"iat": FUTURE},
        {"nbf": FUTURE},
        {"azp": "somebody-else"},
        {"azp": ["somebody-else"]},
        {"key": OTHER_KEY},
        {"key": OTHER_KEY, "kid": None},
        {"algorithm": "RS512"},
    ],
)
def test_a_proof_that_is_not_the_vendors_or_not_for_us_is_refused(
    sandbox: Running, identity: FaultServer, changed: dict[str, Any]
) -> None:
    with pytest.raises(BrokenAnswer, match="could not be verified"):
        claim(sandbox, identity, **changed)


def test_a_proof_without_a_signature_is_refused(sandbox: Running, identity: FaultServer) -> None:
    # {"alg":"none"} . {"iss":"x"} . nothing
    with pytest.raises(BrokenAnswer, match="could not be verified"):
        asyncio.run(_claim(sandbox, identity, "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0."))


def test_a_proof_that_names_us_as_the_one_it_is_for_is_believed(
    sandbox: Running, identity: FaultServer
) -> None:
    assert claim(sandbox, identity, azp=sandbox.settings["CLIENT_ID"]).name == "harbor-prod"
    assert claim(sandbox, identity, kid=None).name == "harbor-prod"


@pytest.mark.fault(7)
def test_a_proof_for_the_vendors_api_alone_is_believed_unless_it_names_another_app(
    sandbox: Running, identity: FaultServer
) -> None:
    api = [sandbox.settings["API_URL"]]
    assert claim(sandbox, identity, aud=api).name == "harbor-prod"
    with pytest.raises(BrokenAnswer, match="could not be verified"):
        claim(sandbox, identity, aud=api, azp="somebody-else")


@pytest.mark.parametrize(
    "token",
    ["", "a.b.c", "." * 4, "x" * 20_000, "é.a.b", "W1tb.e30.AAAA", "bnVsbA.e30.AAAA", "NQ.e30.A"],
)
def test_nonsense_in_place_of_a_proof_is_refused(
    sandbox: Running, identity: FaultServer, token: str
) -> None:
    with pytest.raises(BrokenAnswer, match="could not be verified"):
        asyncio.run(_claim(sandbox, identity, token))


def test_a_proof_is_bounded_even_where_it_is_signed(
    sandbox: Running, identity: FaultServer
) -> None:
    assert claim(sandbox, identity, more="x" * 8_000).name == "harbor-prod"
    with pytest.raises(BrokenAnswer, match="could not be verified"):
        claim(sandbox, identity, more="x" * 16_384)


def test_a_key_that_the_list_did_not_have_yet_is_looked_up_once_more(
    sandbox: Running, identity: FaultServer
) -> None:
    old, new = (json.dumps({"keys": [k.as_dict(private=False)]}) for k in (KEY, NEW_KEY))
    usual = identity.script[f"{ISSUER_PATH}/jwks"]
    try:
        identity.on(f"{ISSUER_PATH}/jwks", answer(old.encode()), answer(new.encode()))
        assert claim(sandbox, identity, key=NEW_KEY, kid="new").name == "harbor-prod"
        identity.on(f"{ISSUER_PATH}/jwks", answer(old.encode()))
        before = len(identity.requests)
        with pytest.raises(BrokenAnswer, match="could not be verified"):
            claim(sandbox, identity, key=NEW_KEY, kid="new")
        assert len(identity.requests) - before == 4  # where the keys are, and they, twice
    finally:
        identity.script[f"{ISSUER_PATH}/jwks"] = usual


def test_keys_of_another_kind_in_the_list_prove_nothing_and_hinder_nothing(
    sandbox: Running, identity: FaultServer
) -> None:
    usual = identity.script[f"{ISSUER_PATH}/jwks"]
    others = [{"kty": "oct", "k": "c2VjcmV0", "kid": "ours"}, {"kty": "XX"}, 5, {}]
    keys = json.dumps({"keys": [*others, KEY.as_dict(private=False)]}).encode()
    try:
        identity.on(f"{ISSUER_PATH}/jwks", answer(keys))
        assert claim(sandbox, identity).name == "harbor-prod"
    finally:
        identity.script[f"{ISSUER_PATH}/jwks"] = usual


def test_the_secret_calendar_addresses_are_not_kept(sandbox: Running) -> None:
    user = {
        "id": "P1",
        "name": "Ada",
        "role": "admin",
        "http_cal_url": "https://harbor.pagerduty.com/private/s3cret",
        "web_cal_url": "webcal://harbor.pagerduty.com/private/s3cret",
    }
    sandbox.fault(path="/users/me", status=200, body={"user": user})
    account = connect(sandbox)
    assert account.granted_by == "Ada"
    assert "s3cret" not in repr(account)
