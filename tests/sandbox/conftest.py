"""One running sandbox for all tests of this folder, put back to a good day after each."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from seatwise.sandbox.pagerduty.identity.grants import CLASSIC, SCOPED, Client
from tests.sandboxes import Running, running

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CALLBACK = "http://127.0.0.1:8000/callback"
VERIFIER = "a-verifier-that-is-long-enough-for-the-rfc-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
ALL = "users.read licenses.read abilities.read incidents.read users:notifications.read"


@pytest.fixture(scope="session")
def everything() -> Iterator[Running]:
    with running(now=NOW) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(everything: Running) -> Iterator[Running]:
    everything.clear_faults()
    everything.forget_requests()
    yield everything
    everything.clear_faults()


@dataclass
class App:
    """An app that goes through OAuth by hand, step by step."""

    sandbox: Running
    client: Client = SCOPED

    def authorize_url(self, **changed: str | None) -> str:
        """Where the app sends people; a parameter changed to None is left out."""
        asked: dict[str, str | None] = {
            "client_id": self.client.id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": ALL if self.client is SCOPED else "read",
            "state": "s+t/a=te",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        given = {key: value for key, value in (asked | changed).items() if value is not None}
        return f"{self.sandbox.base_url}/identity/oauth/authorize?{urlencode(given)}"

    def code(self, role: str = "owner", account: str = "harbor-prod", **changed: str | None) -> str:
        """A fresh authorization code of somebody with that role."""
        email = self.sandbox.someone(role, account)
        back = self.sandbox.decide(self.authorize_url(**changed), email, account)
        return answer_of(back)["code"]

    def token(self, **form: str) -> httpx2.Response:
        """What the token endpoint answers; the client's id and secret are added."""
        proof = {"client_id": self.client.id, "client_secret": self.client.secret}
        return self.sandbox.http.post("/identity/oauth/token", data=proof | form)

    def redeem(self, code: str, **changed: str) -> httpx2.Response:
        """What the token endpoint answers to a code."""
        form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.token(grant_type="authorization_code", **(form | changed))

    def refresh(self, refresh_token: str) -> httpx2.Response:
        """What the token endpoint answers to a refresh token."""
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def tokens(
        self, role: str = "owner", account: str = "harbor-prod", **changed: str | None
    ) -> dict[str, Any]:
        """The whole way from the consent page to the tokens."""
        answer = self.redeem(self.code(role, account, **changed))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def get(self, access_token: str, path: str, **params: Any) -> httpx2.Response:
        """What the REST API answers, `path` with its region."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.sandbox.http.get(path, headers=headers, params=params)


@pytest.fixture
def app(sandbox: Running) -> App:
    return App(sandbox)


@pytest.fixture
def classic(sandbox: Running) -> App:
    return App(sandbox, CLASSIC)


class Reader:
    """Reads the REST API with an account's API key."""

    def __init__(self, sandbox: Running, account: str = "harbor-prod") -> None:
        region = "us" if account == "harbor-prod" else "eu"
        self.key = sandbox.api_key(account)
        self.http = httpx2.Client(
            base_url=f"{sandbox.base_url}/{region}",
            headers={"Authorization": f"Token token={self.key}"},
            timeout=30,
        )

    def get(self, path: str, **params: Any) -> httpx2.Response:
        """One answer."""
        return self.http.get(path, params=params)

    def all(self, path: str, name: str, **params: Any) -> list[dict[str, Any]]:
        """Every row of a list, page by page."""
        rows: list[dict[str, Any]] = []
        while True:
            answer = self.get(path, **params, limit=100, offset=len(rows))
            assert answer.status_code == 200, answer.text
            body = answer.json()
            rows += body[name]
            if not body["more"]:
                return rows


@pytest.fixture
def reader(sandbox: Running) -> Iterator[Reader]:
    made = Reader(sandbox)
    with made.http:
        sandbox.fault(rate_limit=100_000)
        yield made


def answer_of(address: str) -> dict[str, str]:
    """The parameters with which somebody was sent back to the app."""
    return {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
