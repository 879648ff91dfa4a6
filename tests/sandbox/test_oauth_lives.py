"""Codes, tokens and grants live as long as documented, or as long as a script says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from seatwise.sandbox import Options
from seatwise.sandbox.pagerduty.company.world import Company, World
from seatwise.sandbox.pagerduty.identity import grants
from seatwise.sandbox.pagerduty.identity.grants import (
    CLASSIC,
    CODES_KEPT,
    DAY,
    SCOPED,
    SIBLINGS_KEPT,
    YEAR,
    Client,
    Grants,
    InvalidGrantError,
)
from seatwise.sandbox.pagerduty.strings.controls import Controls
from tests.sandbox.conftest import CALLBACK, CHALLENGE, NOW, VERIFIER, App
from tests.sandboxes import Running

LOST = {"path": "/oauth/token", "kind": "status", "status": 503, "perform": True}


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Office:
    """A register of grants whose years pass at once."""

    grants: Grants
    clock: Clock
    controls: Controls
    company: Company

    def code(self, client: Client = SCOPED) -> str:
        """A code of the account's owner."""
        person = next(each for each in self.company.people() if each.role == "owner")
        asked = frozenset({"users.read", "read"})
        return self.grants.allow(client, self.company, person, asked, CALLBACK, CHALLENGE)

    def tokens(self, client: Client = SCOPED) -> tuple[str, str]:
        """An access and a refresh token."""
        made = self.grants.redeem(client, self.code(client), CALLBACK, VERIFIER)
        assert made.refresh_token is not None
        return made.access_token, made.refresh_token

    def refresh(self, client: Client, token: str) -> tuple[str, str]:
        """The next two tokens."""
        made = self.grants.refresh(client, token)
        assert made.refresh_token is not None
        return made.access_token, made.refresh_token


@pytest.fixture(scope="module")
def company() -> Company:
    return World(Options(users=12, months=1, now=NOW)).companies["harbor-prod"]


@pytest.fixture
def office(company: Company) -> Office:
    controls, clock = Controls(), Clock()
    return Office(Grants(controls, clock), clock, controls, company)


def refused(act: Callable[..., Any], *given: Any) -> str:
    with pytest.raises(InvalidGrantError) as refusal:
        act(*given)
    return str(refusal.value)


@pytest.mark.parametrize(("client", "days"), [(SCOPED, 1), (CLASSIC, 30)], ids=lambda v: str(v))
def test_an_access_token_lives_for_its_days(office: Office, client: Client, days: int) -> None:
    access, _ = office.tokens(client)
    office.clock.now += days * DAY - 1
    assert office.grants.find(access) is not None
    office.clock.now += 1
    assert office.grants.find(access) is None


def test_a_code_lives_for_thirty_seconds(office: Office) -> None:
    in_time, too_late = office.code(), office.code()
    office.clock.now += 29.9
    office.grants.redeem(SCOPED, in_time, CALLBACK, VERIFIER)
    office.clock.now += 0.1
    assert "expired" in refused(office.grants.redeem, SCOPED, too_late, CALLBACK, VERIFIER)


@pytest.mark.parametrize(("client", "days"), [(SCOPED, 30), (CLASSIC, 210)], ids=lambda v: str(v))
def test_every_refresh_begins_a_new_life(office: Office, client: Client, days: int) -> None:
    _, refresh = office.tokens(client)
    for _ in range(3):
        office.clock.now += days * DAY - 1
        _, refresh = office.refresh(client, refresh)
    office.clock.now += days * DAY
    assert "expired" in refused(office.grants.refresh, client, refresh)


@pytest.mark.parametrize(("client", "years"), [(SCOPED, 1), (CLASSIC, 3)], ids=lambda v: str(v))
def test_a_grant_ends_after_its_years_however_often_it_is_refreshed(
    office: Office, client: Client, years: int
) -> None:
    begun = office.clock.now
    _, refresh = office.tokens(client)
    while office.clock.now + 25 * DAY < begun + years * YEAR:
        office.clock.now += 25 * DAY
        _, refresh = office.refresh(client, refresh)
    office.clock.now = begun + years * YEAR - 60
    made = office.grants.refresh(client, refresh)
    assert made.expires_in == 60
    assert made.refresh_token is not None
    office.clock.now += 60
    assert office.grants.find(made.access_token) is None
    assert "expired" in refused(office.grants.refresh, client, made.refresh_token)


def test_many_refreshes_leave_nothing_behind_and_the_oldest_token_is_still_known(
    office: Office,
) -> None:
    _, first = office.tokens()
    newest = first
    for _ in range(SIBLINGS_KEPT * 3):
        access, newest = office.refresh(SCOPED, newest)
    grant = office.grants.find(access)
    assert grant is not None
    assert len(grant.refresh) == SIBLINGS_KEPT
    assert "used before" in refused(office.grants.refresh, SCOPED, first)
    assert office.grants.find(access) is None
    assert "revoked" in refused(office.grants.refresh, SCOPED, newest)


def test_the_oldest_codes_are_forgotten_when_there_are_too_many(office: Office) -> None:
    first, second = office.code(), office.code()
    for _ in range(CODES_KEPT - 1):
        newest = office.code()
    assert "unknown" in refused(office.grants.redeem, SCOPED, first, CALLBACK, VERIFIER)
    office.grants.redeem(SCOPED, second, CALLBACK, VERIFIER)
    office.grants.redeem(SCOPED, newest, CALLBACK, VERIFIER)


def test_the_oldest_grants_are_forgotten_when_there_are_too_many(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "GRANTS_KEPT", 3)
    made = [office.tokens()[0] for _ in range(5)]
    assert [office.grants.find(access) is not None for access in made] == [False] * 2 + [True] * 3


def test_an_app_that_acts_for_itself_again_and_again_leaves_nothing_behind(
    office: Office,
) -> None:
    for _ in range(50):
        office.grants.act_as(SCOPED, office.company, frozenset({"users.read"}))
        office.clock.now += DAY
    assert office.grants.kept == 1


def test_without_rotation_every_refresh_begins_a_new_life(office: Office) -> None:
    office.controls.rotation = False
    _, refresh = office.tokens()
    for _ in range(3):
        office.clock.now += 30 * DAY - 1
        office.grants.refresh(SCOPED, refresh)
    office.clock.now += 30 * DAY
    assert "expired" in refused(office.grants.refresh, SCOPED, refresh)


def test_a_grace_period_passes(office: Office) -> None:
    office.controls.rotation_grace = 30.0
    _, first = office.tokens()
    office.refresh(SCOPED, first)
    office.clock.now += 29
    access, _ = office.refresh(SCOPED, first)
    office.clock.now += 1
    assert "used before" in refused(office.grants.refresh, SCOPED, first)
    assert office.grants.find(access) is None


def test_the_lives_of_refresh_tokens_can_be_scripted(app: App, sandbox: Running) -> None:
    living = app.tokens()["refresh_token"]
    sandbox.fault(refresh_ttl=0)
    dying = app.refresh(living).json()["refresh_token"]
    answer = app.refresh(dying)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert "expired" in answer.json()["error_description"]


def test_without_rotation_the_answer_has_no_refresh_token_and_the_old_one_lives_on(
    app: App, sandbox: Running
) -> None:
    sandbox.fault(rotation=False)
    kept = app.tokens()["refresh_token"]
    for _ in range(3):
        answer = app.refresh(kept).json()
        assert "refresh_token" not in answer
        assert app.get(answer["access_token"], "/us/users/me").status_code == 200


def test_without_reuse_detection_a_dead_token_harms_nobody(app: App, sandbox: Running) -> None:
    sandbox.fault(reuse_detection=False)
    first = app.tokens()["refresh_token"]
    second = app.refresh(first).json()
    assert app.refresh(first).json()["error"] == "invalid_grant"
    assert app.get(second["access_token"], "/us/users/me").status_code == 200
    assert app.refresh(second["refresh_token"]).status_code == 200


def test_within_the_grace_period_a_lost_answer_can_be_had_again(app: App, sandbox: Running) -> None:
    sandbox.fault(rotation_grace=60)
    first = app.tokens()["refresh_token"]
    sandbox.fault(**LOST)
    assert app.refresh(first).status_code == 503
    again = app.refresh(first)
    assert again.status_code == 200
    assert app.refresh(again.json()["refresh_token"]).status_code == 200


def test_without_a_grace_period_a_lost_answer_costs_the_grant(app: App, sandbox: Running) -> None:
    tokens = app.tokens()
    sandbox.fault(**LOST)
    assert app.refresh(tokens["refresh_token"]).status_code == 503
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.get(tokens["access_token"], "/us/users/me").status_code == 401


@pytest.mark.parametrize("place", [20, 40, -6])
def test_an_altered_token_is_unknown_and_harms_nobody(app: App, place: int) -> None:
    tokens = app.tokens()
    for name, status in (("access_token", 401), ("refresh_token", 400)):
        whole = tokens[name]
        other = "A" if whole[place] != "A" else "B"
        altered = whole[:place] + other + whole[place:][1:]
        if name == "access_token":
            assert app.get(altered, "/us/users/me").status_code == status
        else:
            assert app.refresh(altered).status_code == status
    assert app.get(tokens["access_token"], "/us/users/me").status_code == 200
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_an_access_token_is_no_refresh_token_nor_the_other_way_round(app: App) -> None:
    tokens = app.tokens()
    assert app.refresh(tokens["access_token"]).json()["error"] == "invalid_grant"
    assert app.get(tokens["refresh_token"], "/us/users/me").status_code == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_refresh_token_belongs_to_one_client(app: App, classic: App) -> None:
    tokens = app.tokens()
    assert classic.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_scopes_that_were_taken_away_are_missing_from_the_next_answer(
    app: App, sandbox: Running
) -> None:
    tokens = app.tokens(scope="users.read licenses.read")
    sandbox.fault(revoke_scopes=["licenses.read"])
    assert app.refresh(tokens["refresh_token"]).json()["scope"] == "openid users.read"


@pytest.mark.parametrize("skew", [-86_400, 7_200])
def test_a_wrong_clock_shows_in_the_id_token(app: App, sandbox: Running, skew: int) -> None:
    right = _claims(app)
    sandbox.fault(clock_skew=skew)
    wrong = _claims(app)
    assert abs(wrong["iat"] - right["iat"] - skew) <= 30
    assert wrong["exp"] - wrong["iat"] == 86_400


def _claims(app: App) -> dict[str, Any]:
    anonymous = "/identity/global/oauth/anonymous"
    keys = KeySet.import_key_set(app.sandbox.http.get(f"{anonymous}/.well-known/jwks.json").json())
    return jwt.decode(app.tokens()["id_token"], keys).claims
