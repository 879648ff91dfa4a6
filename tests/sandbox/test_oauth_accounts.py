"""Whose permission it is: accounts, roles, people who are demoted or removed, suspensions."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from seatwise.sandbox.pagerduty.identity import signin
from tests.sandbox.conftest import ALL, NOW, App, answer_of
from tests.sandboxes import Running, running

ACCOUNTS = 6


@pytest.fixture(scope="module")
def six() -> Iterator[Running]:
    with running(now=NOW, users=40, months=1, accounts=ACCOUNTS) as sandbox:
        yield sandbox


def signed_in(app: App, email: str, asked: str = "") -> tuple[httpx2.Response, str]:
    """The account chooser of somebody, and the number of the request."""
    http = app.sandbox.http
    http.cookies.clear()
    page = http.get(asked or app.authorize_url(), follow_redirects=True)
    number = re.search(r'name="request" value="([^"]+)"', page.text)
    assert number is not None
    form = {"request": number[1], "email": email}
    return http.post("/identity/sign-in", data=form, follow_redirects=True), number[1]


@pytest.mark.parametrize(
    ("role", "granted"),
    [
        ("owner", "openid write"),
        ("user", "openid write"),
        ("limited_user", "openid write"),
        ("observer", "openid read"),
        ("restricted_access", "openid read"),
        ("read_only_user", "openid read"),
        ("read_only_limited_user", "openid read"),
    ],
)
def test_a_classic_grant_is_cut_down_to_what_its_person_may_do(
    classic: App, role: str, granted: str
) -> None:
    assert classic.tokens(role, scope="write")["scope"] == granted


def test_the_role_that_counts_is_the_one_somebody_was_demoted_to(
    app: App, classic: App, sandbox: Running
) -> None:
    owner = sandbox.someone()
    tokens = classic.tokens(scope="write")
    assert tokens["scope"] == "openid write"
    sandbox.fault(demote={owner: "observer"})
    chooser, number = signed_in(app, owner)
    assert "Observer" in chooser.text
    form = {"request": number, "account": "harbor-prod"}
    consent = sandbox.http.post("/identity/accounts", data=form, follow_redirects=True)
    assert "as Observer" in consent.text
    back = sandbox.decide(classic.authorize_url(scope="write"), owner)
    assert classic.redeem(answer_of(back)["code"]).json()["scope"] == "openid read"
    assert classic.refresh(tokens["refresh_token"]).json()["scope"] == "openid read"


def test_the_consent_page_asks_for_no_more_than_its_reader_may_give(classic: App) -> None:
    http = classic.sandbox.http
    for role, scope in (("observer", "read"), ("user", "write")):
        page = classic.authorize_url(scope="write")
        _, number = signed_in(classic, classic.sandbox.someone(role), page)
        form = {"request": number, "account": "harbor-prod"}
        consent = http.post("/identity/accounts", data=form, follow_redirects=True)
        assert re.findall(r"<code>(\w+)</code>", consent.text) == [scope]


def test_the_consent_page_lists_as_many_permissions_as_are_granted(app: App) -> None:
    page = app.authorize_url(scope="openid users.read")
    _, number = signed_in(app, app.sandbox.someone("owner"), page)
    form = {"request": number, "account": "harbor-prod"}
    consent = app.sandbox.http.post("/identity/accounts", data=form, follow_redirects=True)
    assert re.findall(r"<code>([\w.]+)</code>", consent.text) == ["openid", "users.read"]


def test_the_oldest_request_is_forgotten_when_too_many_are_under_way(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signin, "KEPT", 3)
    with httpx2.Client(base_url=app.sandbox.base_url, follow_redirects=True) as browser:
        pages = [browser.get(app.authorize_url()) for _ in range(4)]
        again = [browser.get(str(page.url)).status_code for page in pages]
    assert again == [400, 200, 200, 200]


def test_the_tokens_of_somebody_who_was_removed_are_dead(app: App, sandbox: Running) -> None:
    removed, other = app.tokens("admin"), app.tokens("owner")
    code = app.code("admin")
    sandbox.fault(remove=[sandbox.someone("admin")])
    assert app.get(removed["access_token"], "/us/users/me").status_code == 401
    refused = app.refresh(removed["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert app.redeem(code).json()["error"] == "invalid_grant"
    assert app.get(other["access_token"], "/us/users/me").status_code == 200
    page, _ = signed_in(app, sandbox.someone("admin"))
    assert page.status_code == 422
    assert "Nobody here has the address" in page.text


def test_whoever_was_removed_from_one_account_by_id_stays_in_the_other(
    app: App, sandbox: Running
) -> None:
    email = sandbox.someone("admin")
    here = next(m for m in sandbox.truth()["members"] if m["email"] == email)
    abroad = sandbox.decide(app.authorize_url(), email, "harbor-eu")
    elsewhere = app.redeem(answer_of(abroad)["code"]).json()
    sandbox.fault(remove=[here["id"]])
    assert app.get(elsewhere["access_token"], "/eu/users/me").status_code == 200
    with pytest.raises(AssertionError, match="do not belong"):
        sandbox.decide(app.authorize_url(), email, "harbor-prod")


def test_a_suspended_account_lets_nobody_in_until_it_is_lifted(app: App, sandbox: Running) -> None:
    tokens, code = app.tokens(), app.code()
    sandbox.fault(suspended=["harbor-prod"])
    with pytest.raises(AssertionError, match="This account is suspended"):
        app.code()
    answer = app.refresh(tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert app.redeem(code).json()["error"] == "invalid_grant"
    scope = "as_account-us.harbor-prod users.read"
    alone = app.token(grant_type="client_credentials", scope=scope)
    assert (alone.status_code, alone.json()["error"]) == (400, "unauthorized_client")
    assert app.tokens(account="harbor-eu")["expires_in"] == 86_400
    sandbox.fault(suspended=[])
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_the_chooser_shows_ones_own_accounts_and_folds_the_others(six: Running) -> None:
    app = App(six)
    text = signed_in(app, six.someone("user", "harbor-3"))[0].text
    listed = re.findall(r'name="account" value="([^"]+)"', text)
    assert sorted(listed) == sorted(
        ["harbor-prod", "harbor-eu", *(f"harbor-{n}" for n in range(3, 7))]
    )
    own, others = text.split("<details>")
    assert re.findall(r'name="account" value="([^"]+)"', own) == ["harbor-3"]
    assert f"<summary>{ACCOUNTS - 1} accounts" in others


def test_the_sign_in_page_offers_people_of_many_accounts(six: Running) -> None:
    app = App(six)
    six.http.cookies.clear()
    page = six.http.get(app.authorize_url(), follow_redirects=True).text
    offered = re.findall(r'name="email" value="([^"]+)"', page)
    assert len(offered) == len(set(offered))
    for account in ("harbor-prod", "harbor-eu", "harbor-3", "harbor-4"):
        assert f"<h3>{account} " in page
    assert "<h3>harbor-5 " not in page


def test_tokens_belong_to_their_account_even_within_one_region(six: Running) -> None:
    app = App(six)
    of = {name: app.tokens("user", name) for name in ("harbor-prod", "harbor-3")}
    seen = {
        name: app.get(tokens["access_token"], "/us/users/me").json()["user"]["email"]
        for name, tokens in of.items()
    }
    assert seen == {name: six.someone("user", name) for name in of}
    assert app.get(of["harbor-3"]["access_token"], "/eu/users/me").status_code == 401


def test_an_app_acts_for_itself_in_any_account(six: Running) -> None:
    app = App(six)
    for account in ("harbor-3", "harbor-5"):
        scope = f"as_account-us.{account} users.read"
        answer = app.token(grant_type="client_credentials", scope=scope)
        assert answer.json()["scope"] == "users.read"
        listed = app.get(answer.json()["access_token"], "/us/users", limit=1).json()["users"]
        assert listed[0]["id"] in {each["id"] for each in six.truth(account)["members"]}


def test_the_announcement_names_every_key_and_a_few_people(six: Running) -> None:
    keys = [line for line in six.announced if line.startswith("API key of ")]
    assert len(keys) == ACCOUNTS
    assert keys[2].startswith("API key of harbor-3 (us): ")
    people = [line for line in six.announced if line.startswith("Sign in to harbor-")]
    for account in ("harbor-prod", "harbor-eu", "harbor-3", "harbor-4"):
        here = [line for line in people if line.startswith(f"Sign in to {account} as ")]
        assert 1 <= len(here) <= 8
    assert not any("harbor-5 as" in line for line in people)
    owner = six.someone()
    assert six.announced[-1] == f"Sign in to 2 more accounts as {owner} (owner)"


def test_everybody_of_an_account_may_say_yes(app: App, sandbox: Running) -> None:
    for role in ("admin", "observer", "read_only_limited_user"):
        assert set(app.tokens(role)["scope"].split()) == {*ALL.split(), "openid"}
