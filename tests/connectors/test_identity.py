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
from seatwise.connectors.records import Account, Gap, Grant
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


def about(account: Account, word: str) -> list[Gap]:
    return [gap for gap in account.gaps if word in f"{gap.what} {gap.why}"]


def test_an_owners_grant_opens_the_whole_account(sandbox: Running) -> None:
    account = connect(sandbox)
    assert (account.name, account.region) == ("harbor-prod", "US")
    assert account.api_url == sandbox.settings["API_URL"]
    assert sandbox.someone("owner") in account.granted_by
    assert account.granted_role == "owner"
    assert account.external_id
    assert account.gaps == ()


@pytest.mark.fault(16)
def test_an_account_in_europe_is_read_in_europe(sandbox: Running) -> None:
    account = connect(sandbox, account="harbor-eu")
    assert (account.name, account.region) == ("harbor-eu", "EU")
    assert account.api_url == sandbox.settings["API_URL_EU"]
    assert [(gap.capability, gap.what) for gap in account.gaps] == [
        ("account", "The plan lacks the ability service_support_hours.")
    ]


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


def test_a_machines_grant_names_its_account_and_nobody(sandbox: Running) -> None:
    key = f"Token token={sandbox.api_key('harbor-eu')}"
    account = asyncio.run(identified(sandbox, Grant(key, None, None, frozenset({"read"}))))
    assert (account.name, account.region) == ("harbor-eu", "EU")
    assert (account.granted_by, account.granted_role) == ("", "")


def test_who_may_not_read_licences_is_told_before_the_first_sync(sandbox: Running) -> None:
    account = connect(sandbox, role="limited_user")
    (gap,) = account.gaps
    assert gap.capability == "licences"
    assert "authorized as Responder" in gap.why
    assert "Account Owner or Global Admin" in gap.remedy


@pytest.mark.fault(15)
def test_each_permission_that_was_not_granted_is_named_once(sandbox: Running) -> None:
    withheld = ["licenses.read", "users:notifications.read", "abilities.read"]
    sandbox.fault(withhold_scopes=withheld)
    account = connect(sandbox)
    for scope in withheld:
        assert about(account, f"The permission {scope} was not granted."), scope
    assert all(gap.remedy for gap in account.gaps)


def test_an_optional_permission_that_was_asked_for_and_withheld_limits_nothing(
    sandbox: Running,
) -> None:
    asked = frozenset(scope.name for scope in connector().scopes)

    async def with_all() -> Account:
        grant = await authorize(sandbox, sandbox.someone(), scopes=sorted(asked))
        return await connector().identify(sandbox.settings, grant, asked)

    optional = {scope.name for scope in connector().scopes if scope.optional}
    sandbox.fault(withhold_scopes=sorted({*optional, "incidents.read"}))
    capabilities = {gap.why.split()[2]: gap.capability for gap in asyncio.run(with_all()).gaps}
    assert capabilities == {"incidents.read": "usage", **dict.fromkeys(optional, "account")}


def test_what_the_plan_lacks_is_a_gap_with_a_remedy(sandbox: Running) -> None:
    sandbox.fault(lack_ability=["read_only_users"])
    (gap,) = about(connect(sandbox), "read_only_users")
    assert "plan" in gap.remedy


@pytest.mark.parametrize("status", [400, 402, 403, 404])
def test_an_unknown_person_and_unreadable_abilities_do_not_stop_the_connection(
    sandbox: Running, status: int
) -> None:
    for path in ("/users/me", "/abilities"):
        sandbox.fault(path=path, status=status, times=None)
    account = connect(sandbox)
    assert account.granted_by == ""
    assert len(about(account, "plan includes cannot be read")) == 1


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


KEY = RSAKey.generate_key(2048, {"kid": "ours"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "ours"})


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
    token = jwt.encode({"alg": algorithm, "kid": "ours"}, kept, key, algorithms=[algorithm])
    return asyncio.run(_claim(sandbox, identity, token))


async def _claim(sandbox: Running, identity: FaultServer, token: str) -> Account:
    grant = await authorize(sandbox, sandbox.someone("owner"))
    config = {**sandbox.settings, "IDENTITY_URL": identity.url}
    return await connector().identify(config, replace(grant, id_token=token), frozenset())


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
        {"key": OTHER_KEY},
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
