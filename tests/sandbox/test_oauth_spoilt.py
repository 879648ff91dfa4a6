"""What goes wrong on request: a foreign issuer, ID tokens that prove nothing, read-only keys."""

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from seatwise.sandbox.pagerduty.strings.controls import ID_TOKENS
from tests.sandbox.conftest import App, answer_of
from tests.sandboxes import Running

ISSUER = "/identity/global/oauth/anonymous"


@pytest.mark.parametrize("decision", ["authorize", "deny"])
def test_the_issuer_comes_back_beside_the_answer_only_when_asked(
    app: App, sandbox: Running, decision: str
) -> None:
    wanted = {
        "none": None,
        "own": sandbox.base_url + ISSUER,
        "other": f"https://identity.other.example{ISSUER}",
    }
    for which, issuer in wanted.items():
        sandbox.fault(iss=which)
        back = sandbox.decide(app.authorize_url(), sandbox.someone(), decision=decision)
        assert answer_of(back).get("iss") == issuer


@pytest.mark.parametrize("how", ID_TOKENS)
def test_an_id_token_is_good_or_spoilt_in_one_way(app: App, sandbox: Running, how: str) -> None:
    sandbox.fault(id_token=how)
    tokens = app.tokens()
    assert ("id_token" in tokens) == (how != "missing")
    if how == "missing":
        return
    keys = sandbox.http.get(f"{ISSUER}/.well-known/jwks.json").json()
    rules = JWTClaimsRegistry(
        iss={"essential": True, "value": sandbox.base_url + ISSUER},
        aud={"essential": True, "value": app.client.id},
        exp={"essential": True},
        azp={"value": app.client.id},
    )
    try:
        claims = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys)).claims
        rules.validate(claims)
    except (JoseError, ValueError):
        assert how != "good"
    else:
        assert how == "good"


def test_a_key_that_only_reads_may_get_and_not_post(sandbox: Running) -> None:
    sandbox.fault(read_only_keys=True)
    headers = {"Authorization": f"Token token={sandbox.api_key()}"}
    assert sandbox.http.get("/us/users", headers=headers).status_code == 200
    refused = sandbox.http.post("/us/analytics/raw/users", headers=headers, json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, 2010)
