"""The OAuth client, against the simulated vendor and against one that answers nonsense."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwise.connectors import oauth
from seatwise.connectors.base import OAuthApp, scopes_to_ask
from seatwise.connectors.errors import (
    AppRejected,
    BrokenAnswer,
    ConsentRefused,
    CredentialsRejected,
    RequestRefused,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.http import hosts_of
from seatwise.connectors.records import Grant
from tests.connectors.accounts import REDIRECT, authorize, connector
from tests.connectors.faultserver import Behaviour, FaultServer, answer, fault_server, reset_after
from tests.sandboxes import Running, running

SECRETS = ("the-code", "the-verifier", "the-refresh-token", "the-client-secret")
HTML = answer(b"<html>hello</html>", kind="text/html")


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with fault_server() as started:
        yield started


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(seed=3, users=40, months=1) as started:
        yield started


def app_at(server: FaultServer) -> OAuthApp:
    return OAuthApp(
        client_id="the-client",
        client_secret="the-client-secret",
        authorize_url=f"{server.url}/authorize",
        token_url=f"{server.url}/token",
        revoke_url=f"{server.url}/revoke",
        hosts=hosts_of(server.url),
    )


def exchange(server: FaultServer, behaviour: Behaviour) -> Grant:
    server.on("/token", behaviour)
    return asyncio.run(
        oauth.exchange(
            app_at(server),
            code="the-code",
            verifier="the-verifier",
            redirect_uri=REDIRECT,
            asked=frozenset({"a", "b"}),
        )
    )


def refresh(server: FaultServer, behaviour: Behaviour) -> Grant:
    server.on("/token", behaviour)
    return asyncio.run(oauth.refresh(app_at(server), "the-refresh-token", granted=frozenset({"a"})))


def told(status: int = 200, **data: Any) -> bytes:
    return answer(json.dumps(data).encode(), status)


def test_a_consent_begins_with_a_fresh_state_and_a_challenge(server: FaultServer) -> None:
    one, two = (
        oauth.begin(app_at(server), redirect_uri=REDIRECT, scopes=["a.read", "b:c.read"])
        for _ in range(2)
    )
    query = parse_qs(urlsplit(one.url).query)
    digest = sha256(one.verifier.encode()).digest()
    assert query == {
        "client_id": ["the-client"],
        "redirect_uri": [REDIRECT],
        "response_type": ["code"],
        "scope": ["a.read b:c.read"],
        "state": [one.state],
        "code_challenge": [urlsafe_b64encode(digest).rstrip(b"=").decode()],
        "code_challenge_method": ["S256"],
    }
    assert len(one.state) >= 43  # 256 bits
    assert 43 <= len(one.verifier) <= 128
    assert one.state != two.state
    assert one.verifier != two.verifier
    assert one.state not in repr(one)
    assert one.verifier not in repr(one)


def test_a_grant_lives_from_consent_to_revocation(sandbox: Running) -> None:
    async def live() -> None:
        app = connector().oauth_app(sandbox.settings)
        first = await authorize(sandbox, sandbox.someone("owner"))
        assert first.refresh_token
        assert first.expires_in == 86_400
        assert first.scopes == frozenset(scopes_to_ask(connector().scopes))
        second = await oauth.refresh(app, first.refresh_token)
        assert second.refresh_token
        assert second.access_token != first.access_token
        assert await oauth.end_grant(app, second.refresh_token) == "confirmed"
        with pytest.raises(CredentialsRejected):
            await oauth.refresh(app, second.refresh_token)

    asyncio.run(live())


@pytest.mark.fault(4)
def test_a_code_that_is_used_twice_is_refused_in_words(sandbox: Running) -> None:
    async def twice() -> None:
        app = connector().oauth_app(sandbox.settings)
        begun = oauth.begin(app, redirect_uri=REDIRECT, scopes=["openid"])
        back = parse_qs(urlsplit(sandbox.decide(begun.url, sandbox.someone())).query)
        code = back["code"][0]
        for _ in range(2):
            await oauth.exchange(app, code=code, verifier=begun.verifier, redirect_uri=REDIRECT)

    with pytest.raises(ConsentRefused, match="took too long or was used already"):
        asyncio.run(twice())


@pytest.mark.fault(6)
def test_a_wrong_verifier_is_refused(sandbox: Running) -> None:
    async def wrong() -> None:
        app = connector().oauth_app(sandbox.settings)
        begun = oauth.begin(app, redirect_uri=REDIRECT, scopes=["openid"])
        back = parse_qs(urlsplit(sandbox.decide(begun.url, sandbox.someone())).query)
        await oauth.exchange(app, code=back["code"][0], verifier="x" * 64, redirect_uri=REDIRECT)

    with pytest.raises(ConsentRefused):
        asyncio.run(wrong())


@pytest.mark.fault(27)
def test_tokens_with_special_characters_survive_both_ways(server: FaultServer) -> None:
    token = "pdus+_0X/=" + "a+/=" * 1000
    grant = exchange(server, told(access_token=token, refresh_token=token, expires_in=60))
    assert (grant.access_token, grant.refresh_token) == (token, token)
    asyncio.run(oauth.refresh(app_at(server), token))
    body = server.requests[-1].partition(b"\r\n\r\n")[2].decode()
    assert dict(parse_qsl(body)) == {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "client_id": "the-client",
        "client_secret": "the-client-secret",
    }
    assert token not in repr(grant)


@pytest.mark.fault(26)
def test_a_refresh_without_a_new_refresh_token_says_so(server: FaultServer) -> None:
    grant = refresh(server, told(access_token="new", token_type="bearer"))
    assert grant == Grant("new", None, None, frozenset({"a"}))


@pytest.mark.fault(12)
@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        *[(3600, 3600), ("3600", 3600), (60.0, 60), (0, None), (-5, None), (10**12, None)],
        *[(None, None), ("soon", None), (True, None), ([1], None), (1.5, None), ("", None)],
    ],
)
def test_a_strange_life_of_a_token_is_unknown(
    server: FaultServer, given_value: object, expected: int | None
) -> None:
    assert exchange(server, told(access_token="t", expires_in=given_value)).expires_in == expected


@pytest.mark.fault(15)
def test_a_smaller_grant_is_taken_at_its_word(server: FaultServer) -> None:
    assert exchange(server, told(access_token="t", scope="openid")).scopes == frozenset({"openid"})
    assert exchange(server, told(access_token="t")).scopes == frozenset({"a", "b"})
    assert exchange(server, told(access_token="t", scope=7)).scopes == frozenset()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, width=16),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
FIELDS = ("access_token", "refresh_token", "expires_in", "scope", "id_token", "token_type", "error")


@pytest.mark.fault(12)
@settings(max_examples=60, deadline=None)
@given(
    data=st.dictionaries(st.sampled_from(FIELDS), ANYTHING) | ANYTHING,
    status=st.sampled_from([200, 201, 400, 401, 403]),
)
def test_a_strange_token_answer_gives_a_sound_grant_or_a_named_error(
    server: FaultServer, data: object, status: int
) -> None:
    body = json.dumps(data, allow_nan=True).replace("Infinity", "1").encode()
    try:
        grant = exchange(server, answer(body, status))
    except VendorError:
        return
    assert status == 200
    assert isinstance(grant.access_token, str)
    assert 0 < len(grant.access_token) <= 16_384
    assert grant.access_token.isascii()
    assert grant.expires_in is None or 0 < grant.expires_in < 10**10
    assert grant.scopes is not None
    assert all(isinstance(scope, str) for scope in grant.scopes)


@pytest.mark.parametrize("token", ["", None, 5, "x" * 16_385, "a\r\nb", "a b", "é"])
def test_an_answer_without_a_usable_token_is_broken(server: FaultServer, token: object) -> None:
    with pytest.raises(BrokenAnswer, match="without an access token"):
        exchange(server, told(access_token=token))


@pytest.mark.fault(23)
def test_a_dead_refresh_token_needs_a_new_consent(server: FaultServer) -> None:
    with pytest.raises(CredentialsRejected) as caught:
        refresh(server, told(400, error="invalid_grant"))
    assert "Integrate" in caught.value.remedy


@pytest.mark.fault(24)
@pytest.mark.parametrize("status", [400, 401])
def test_a_wrong_client_secret_is_the_operators_to_mend(server: FaultServer, status: int) -> None:
    for attempt in (exchange, refresh):
        with pytest.raises(AppRejected) as caught:
            attempt(server, told(status, error="invalid_client"))
        assert "operator" in caught.value.remedy


@pytest.mark.fault(11)
@pytest.mark.fault(22)
@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (answer(b"{}", 500), TryAgainLater),
        (answer(b"{}", 503), TryAgainLater),
        (answer(b"<html>", 502, kind="text/html"), TryAgainLater),
        (answer(b"", 429), TryAgainLater),
        (reset_after(b""), TryAgainLater),
        (told(400, error="temporarily_unavailable"), TryAgainLater),
        (HTML, BrokenAnswer),
        (answer(b""), BrokenAnswer),
        (answer(b'{"access_token": "abc'), BrokenAnswer),
        (answer(b"{}", 400), BrokenAnswer),
        (told(400, error="invalid_scope"), RequestRefused),
        (told(400, error="the-code the-client-secret"), RequestRefused),
    ],
)
def test_trouble_at_the_token_endpoint_is_asked_about_once_and_named(
    server: FaultServer, behaviour: Behaviour, kind: type[VendorError]
) -> None:
    for attempt in (exchange, refresh):
        before = len(server.requests)
        with pytest.raises(kind) as caught:
            attempt(server, behaviour)
        assert len(server.requests) - before == 1
        assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.parametrize(
    ("behaviour", "confirmed"),
    [
        (answer(b""), True),
        (answer(b"{}"), True),
        (answer(b"", 204), False),
        (answer(b"{}", 400), False),
        (answer(b"{}", 404), False),
        (answer(b"{}", 500), False),
        (HTML, False),
        (reset_after(b""), False),
    ],
)
def test_only_a_plain_200_confirms_a_revocation(
    server: FaultServer, behaviour: Behaviour, confirmed: bool
) -> None:
    server.on("/revoke", behaviour)
    ended = asyncio.run(oauth.end_grant(app_at(server), "t"))
    assert (ended == "confirmed") is confirmed


def test_a_revocation_that_is_not_answered_is_given_up(server: FaultServer) -> None:
    server.on("/revoke", server.stay_silent)
    assert asyncio.run(oauth.end_grant(app_at(server), "t", deadline=0.2)) == "unclear"
