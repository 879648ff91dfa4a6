"""Clients that nobody here wrote get along with the simulated API, with no special case for it."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from pagerduty import HttpError, RestApiV2Client

from seatwise.sandbox.pagerduty.identity.grants import CLASSIC, SCOPED
from tests.clients import own_client, own_oauth_client
from tests.sandbox.conftest import CALLBACK, NOW, App, Reader, answer_of
from tests.sandboxes import Running, running

OCTOBER = {"since": "2026-10-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}
NODE = shutil.which("node") or shutil.which("node", path=Path(sys.executable).parent)


@pytest.fixture
def client(reader: Reader, sandbox: Running) -> Iterator[RestApiV2Client]:
    with own_client(sandbox.base_url, reader.key) as made:
        yield made


def test_the_vendors_client_reads_everything_there_is(
    client: RestApiV2Client, sandbox: Running
) -> None:
    truth = sandbox.truth()
    people = {member["id"]: member for member in truth["members"]}
    october = next(month for month in truth["months"] if month["month"] == "2026-10")

    assert {user["id"] for user in client.iter_all("users")} == set(people)
    assert set(client.dict_all("users", by="email")) == {p["email"] for p in people.values()}
    assert client.get_total("users") == len(people)
    someone = client.find("users", truth["members"][7]["email"], attribute="email")
    assert someone is not None
    assert someone["id"] == truth["members"][7]["id"]
    path = f"/users/{someone['id']}"
    assert client.rget(path)["name"] == truth["members"][7]["name"]
    assert len(client.rget(f"{path}/contact_methods")) >= 1
    assert all(rule["urgency"] == "high" for rule in client.rget(f"{path}/notification_rules"))
    license_names = {each["id"]: each["name"] for each in client.rget("/licenses")}
    held = Counter(
        license_names[row["license"]["id"]] for row in client.iter_all("license_allocations")
    )
    assert held == Counter(member["license"] for member in people.values())
    assert client.rget(f"{path}/license")["name"] == truth["members"][7]["license"]
    assert "read_only_users" in client.rget("/abilities")
    assert client.account_has_ability("teams")
    assert (client.subdomain, client.api_key_access) == ("harbor-prod", "account")

    incidents = client.list_all("incidents", params=OCTOBER)
    assert len(incidents) == client.get_total("incidents", params=OCTOBER) == october["incidents"]
    assert sum(i["alert_counts"]["all"] for i in incidents) == october["alerts"]
    one = max(incidents, key=lambda incident: incident["alert_counts"]["all"])
    assert client.rget(f"/incidents/{one['id']}")["incident_number"] == one["incident_number"]
    alerts = client.list_all(f"incidents/{one['id']}/alerts")
    assert len(alerts) == one["alert_counts"]["all"]
    log = client.list_all(f"incidents/{one['id']}/log_entries")
    assert client.rget(f"/log_entries/{log[0]['id']}")["created_at"] == log[0]["created_at"]
    sent = Counter(n["type"] for n in client.iter_all("notifications", params=OCTOBER))
    for channel in ("sms", "phone", "email", "push"):
        assert sent[f"{channel}_notification"] == october[f"notifications_{channel}"]

    for kind in ("services", "teams", "escalation_policies", "schedules"):
        row = next(iter(client.iter_all(kind)))
        assert client.rget(f"/{kind}/{row['id']}")["id"] == row["id"]
    on_call = {row["user"]["id"] for row in client.iter_all("oncalls")}
    assert on_call == {row["user"] for row in truth["on_call"]}
    assert on_call <= set(people)
    team = next(iter(client.iter_all("teams")))
    assert {m["user"]["id"] for m in client.iter_all(f"teams/{team['id']}/members")} <= set(people)
    audits = client.list_all("audit/records", params=_window(30))
    assert len({record["id"] for record in audits}) == len(audits)
    rows = list(
        client.iter_analytics_raw_incidents(
            {"created_at_start": OCTOBER["since"], "created_at_end": OCTOBER["until"]}, limit=200
        )
    )
    assert {row["id"] for row in rows} == {incident["id"] for incident in incidents}
    signed_in = client.jpost("/analytics/raw/users", json={"limit": 1000})["data"]
    assert {row["id"] for row in signed_in} == set(people)
    asked = {request["path"] for request in sandbox.requests()}
    assert len(asked) >= 25, "of so many different things"


def test_the_vendors_client_reads_on_beyond_the_cap() -> None:
    with running(users=60, months=2, incidents=9_000, now=NOW, rate_limit=100_000) as sandbox:
        since = NOW - timedelta(days=10)
        with own_client(sandbox.base_url, sandbox.api_key()) as client:
            window = {"since": since.isoformat(), "until": NOW.isoformat()}
            total = client.get_total("log_entries", params=window)
            assert total > 10_000
            client.default_page_size = 100
            names = [entry["id"] for entry in client.iter_history("log_entries", since, NOW)]
        assert len(set(names)) == total
        assert total - len(names) == 0  # no entry twice where two halves of a window meet


def test_the_vendors_client_goes_through_oauth(sandbox: Running, app: App) -> None:
    scope = "users.read incidents.read"
    with own_oauth_client(sandbox.base_url, SCOPED.id, SCOPED.secret) as oauth:
        verifier, challenge = oauth.generate_s256_pkce_params()
        proof = {"code_challenge": challenge, "code_challenge_method": "S256"}
        url = f"{oauth.authorize_url(scope, CALLBACK)}&{urlencode(proof)}"
        back = sandbox.decide(url.replace("https://", "http://"), sandbox.someone("admin"))
        code = answer_of(back)["code"]
        tokens = oauth.get_new_token_from_code_with_pkce(code, scope, CALLBACK, verifier)
        again = oauth.get_refreshed_token(tokens["refresh_token"])
        with own_client(sandbox.base_url, again["access_token"], kind="bearer") as client:
            assert client.rget("/users/me")["role"] == "admin"
            assert client.api_key_access == "user"
            assert client.get_total("incidents") > 0
            with pytest.raises(HttpError) as refused:
                client.rget("/licenses")
            assert refused.value.response is not None
            assert refused.value.response.status_code == 403
        alone = oauth.get_scoped_app_token("as_account-eu.harbor-eu users.read")
    with own_client(sandbox.base_url, alone["access_token"], region="eu", kind="bearer") as client:
        assert len(client.list_all("users")) == 60
    with own_oauth_client(sandbox.base_url, CLASSIC.id, CLASSIC.secret) as oauth:
        url = oauth.authorize_url("read", CALLBACK).replace("https://", "http://")
        code = answer_of(sandbox.decide(url, sandbox.someone("owner")))["code"]
        tokens = oauth.get_new_token_from_code(code, "read", CALLBACK)
    assert tokens["scope"].split() == ["openid", "read"]


def test_the_vendors_client_waits_when_it_is_told_to(
    client: RestApiV2Client, sandbox: Running
) -> None:
    client.sleep_timer, client.sleep_timer_base = 0.01, 1
    sandbox.fault(path="/users", status=429, times=2)
    sandbox.forget_requests()
    assert client.get_total("users") == 250
    assert [each["status"] for each in sandbox.requests("/us/users")] == [429, 429, 200]


def test_the_vendors_client_walks_along_a_cursor(client: RestApiV2Client, sandbox: Running) -> None:
    client.default_page_size = 7
    records = list(client.iter_cursor("/audit/records", params=_window(31)))
    assert len(records) > 14
    assert len({record["id"] for record in records}) == len(records)


@pytest.mark.skipif(NODE is None, reason="there is no Node here to run the JavaScript client")
def test_the_vendors_javascript_client_reads_people_incidents_and_log(
    reader: Reader, sandbox: Running
) -> None:
    script = Path(__file__).with_name("javascript_client.cjs")
    answer = subprocess.run(
        [str(NODE), str(script), f"{sandbox.base_url}/us", reader.key, json.dumps(OCTOBER)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    read: dict[str, list[Any]] = json.loads(answer.stdout)
    truth = sandbox.truth()
    october = next(month for month in truth["months"] if month["month"] == "2026-10")
    assert sorted(read["users"]) == sorted(member["id"] for member in truth["members"])
    assert len(set(read["incidents"])) == len(read["incidents"]) == october["incidents"]
    entries = reader.all("/log_entries", "log_entries", **OCTOBER)
    assert read["log_entries"] == [entry["id"] for entry in entries]


def _window(days: int) -> dict[str, str]:
    return {"since": (NOW - timedelta(days=days)).isoformat(), "until": NOW.isoformat()}
