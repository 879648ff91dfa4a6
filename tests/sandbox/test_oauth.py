"""The simulated identity host is as strict as the standards and the vendor's documents say."""

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.sandbox.conftest import ALL, CALLBACK, App, answer_of
from tests.sandboxes import Running


def test_authorizing_gives_tokens_that_read_the_account(app: App, sandbox: Running) -> None:
    tokens = app.tokens()
    assert set(tokens["scope"].split()) == {*ALL.split(), "openid"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 86_400)
    assert tokens["access_token"].startswith("pdus+_0XBPWQQ_")
    assert app.get(tokens["access_token"], "/us/users").status_code == 200
    assert app.get(tokens["access_token"], "/us/users/me").json()["user"]["role"] == "owner"


def test_the_id_token_says_which_account_and_region_it_is(app: App, sandbox: Running) -> None:
    issuer = f"{sandbox.base_url}/identity/global/oauth/anonymous"
    described = app.sandbox.http.get(f"{issuer}/.well-known/openid-configuration").json()
    keys = KeySet.import_key_set(app.sandbox.http.get(described["jwks_uri"]).json())
    claims = jwt.decode(app.tokens(account="harbor-eu")["id_token"], keys).claims
    assert claims["iss"] == described["issuer"] == issuer
    assert claims["aud"] == [app.client.id, f"{sandbox.base_url}/eu"]
    assert (claims["subdomain"], claims["region"]) == ("harbor-eu", "eu")
    assert claims["exp"] - claims["iat"] == 86_400
    assert "nonce" not in claims
    marked = jwt.decode(app.tokens(nonce="n-0S6+WzA2M=")["id_token"], keys).claims
    assert marked["nonce"] == "n-0S6+WzA2M="


def test_a_token_of_the_other_region_is_refused(app: App) -> None:
    token = app.tokens(account="harbor-eu")["access_token"]
    assert app.get(token, "/eu/users").status_code == 200
    wrong = app.get(token, "/us/users")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, 2006)


def test_denying_sends_the_person_back_with_the_state(app: App, sandbox: Running) -> None:
    back = sandbox.decide(app.authorize_url(), sandbox.someone(), decision="deny")
    assert back.startswith(CALLBACK)
    assert answer_of(back)["error"] == "access_denied"
    assert answer_of(back)["state"] == "s+t/a=te"


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "somebody"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1.evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:8000/callback#fragment"},
        {"redirect_uri": None},
    ],
)
def test_nobody_is_sent_to_a_doubtful_app(app: App, changed: dict[str, str | None]) -> None:
    page = app.sandbox.http.get(app.authorize_url(**changed))
    assert page.status_code == 400
    assert "location" not in page.headers
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_a_wrong_request_goes_back_to_the_app_as_an_error(
    app: App, changed: dict[str, str | None], error: str
) -> None:
    answer = answer_of(app.sandbox.http.get(app.authorize_url(**changed)).headers["location"])
    assert (answer["error"], answer["state"]) == (error, "s+t/a=te")


def test_a_code_works_once_and_its_replay_ends_the_grant(app: App) -> None:
    code = app.code()
    tokens = app.redeem(code).json()
    assert app.redeem(code).json()["error"] == "invalid_grant"
    assert app.get(tokens["access_token"], "/us/users").status_code == 401
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_code_expires(app: App, sandbox: Running) -> None:
    sandbox.fault(code_ttl=0)
    assert app.redeem(app.code()).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "another-verifier-that-is-long-enough-0123456789"},
        {"code_verifier": ""},
        {"redirect_uri": "http://localhost:8000/callback"},
    ],
)
def test_a_code_is_bound_to_its_request(app: App, changed: dict[str, str]) -> None:
    assert app.redeem(app.code(), **changed).json()["error"] == "invalid_grant"


def test_a_code_is_bound_to_its_client(app: App, classic: App) -> None:
    assert classic.redeem(app.code()).json()["error"] == "invalid_grant"


def test_a_wrong_secret_is_no_client(app: App) -> None:
    answer = app.redeem(app.code(), client_secret="guess")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_refresh_token_is_replaced_and_its_reuse_ends_the_grant(app: App) -> None:
    first = app.tokens()
    second = app.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert app.get(second["access_token"], "/us/users").status_code == 200
    assert app.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.get(second["access_token"], "/us/users").status_code == 401
    assert app.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"


def test_an_unencoded_plus_in_a_token_is_noticed(app: App) -> None:
    token = app.tokens()["refresh_token"]
    form = f"grant_type=refresh_token&refresh_token={token}&client_id={app.client.id}"
    answer = app.sandbox.http.post(
        f"{app.sandbox.base_url}/identity/oauth/token",
        content=f"{form}&client_secret={app.client.secret.replace('+', '%2B')}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.json()["error"] == "invalid_grant"


def test_an_access_token_expires(app: App, sandbox: Running) -> None:
    sandbox.fault(token_ttl=0)
    tokens = app.tokens()
    assert tokens["expires_in"] == 0
    assert app.get(tokens["access_token"], "/us/users").status_code == 401


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_a_token_ends_the_grant(app: App, which: str) -> None:
    tokens = app.tokens()
    form = {"token": tokens[which], "client_id": app.client.id}
    url = f"{app.sandbox.base_url}/identity/oauth/revoke"
    assert app.sandbox.http.post(url, data=form | {"client_secret": "guess"}).status_code == 401
    assert app.get(tokens["access_token"], "/us/users").status_code == 200
    answer = app.sandbox.http.post(url, data=form | {"client_secret": app.client.secret})
    assert answer.status_code == 200
    assert app.get(tokens["access_token"], "/us/users").status_code == 401
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_unknown_and_withheld_scopes_vanish_from_the_grant(app: App, sandbox: Running) -> None:
    sandbox.fault(withhold_scopes=["licenses.read"])
    tokens = app.tokens(scope="users.read licenses.read notifications.read nonsense")
    assert tokens["scope"] == "openid users.read"
    refused = app.get(tokens["access_token"], "/us/licenses")
    assert refused.status_code == 403
    assert refused.json() == {
        "error": {
            "message": "Token missing required scopes",
            "required_scopes": "licenses.read",
            "token_scopes": "openid users.read",
        }
    }


def test_a_classic_app_reads_what_its_person_may_read(classic: App) -> None:
    code = classic.code("limited_user", code_challenge=None, code_challenge_method=None)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    token = classic.token(**form).json()["access_token"]
    assert classic.get(token, "/us/users").status_code == 200
    refused = classic.get(token, "/us/licenses")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, 2010)


def test_an_app_acts_for_itself_only_with_known_scopes(app: App) -> None:
    scope = "as_account-us.harbor-prod users.read licenses.read"
    tokens = app.token(grant_type="client_credentials", scope=scope).json()
    assert "refresh_token" not in tokens
    assert app.get(tokens["access_token"], "/us/licenses").status_code == 200
    assert app.get(tokens["access_token"], "/us/users/me").status_code == 400
    for wrong in (f"{scope} nonsense", "users.read", "as_account-eu.harbor-prod users.read"):
        answer = app.token(grant_type="client_credentials", scope=wrong).json()
        assert answer == {"error": "invalid_request", "error_description": "Invalid scope"}


def test_a_stranger_to_the_account_is_told_so_and_stays(app: App, sandbox: Running) -> None:
    with pytest.raises(AssertionError, match="do not belong"):
        sandbox.decide(app.authorize_url(), sandbox.someone("user"), "harbor-eu")


def test_a_decision_counts_only_in_the_browser_that_signed_in(app: App, sandbox: Running) -> None:
    page = app.sandbox.http.get(app.authorize_url())
    sandbox.http.cookies.clear()
    number = page.headers["location"].partition("request=")[2]
    form = {"request": number, "email": sandbox.someone()}
    stranger = app.sandbox.http.post(f"{sandbox.base_url}/identity/sign-in", data=form)
    assert stranger.status_code == 400


def test_whoever_is_signed_in_goes_straight_to_the_accounts(app: App, sandbox: Running) -> None:
    with httpx2.Client(base_url=sandbox.base_url, follow_redirects=True) as browser:
        first = browser.get(app.authorize_url())
        number = first.text.partition('name="request" value="')[2].partition('"')[0]
        other_tab = browser.get(app.authorize_url())
        assert "E-mail address" in other_tab.text
        form = {"request": number, "email": sandbox.someone()}
        assert "harbor-eu" in browser.post("/identity/sign-in", data=form).text
        again = browser.get(app.authorize_url())
        assert "Choose an account" in again.text
        assert sandbox.someone() in again.text
