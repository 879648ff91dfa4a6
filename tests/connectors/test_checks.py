"""The checks before trust: what is there is fine, what is missing limits and says who can help."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from seatwise.connectors.base import scopes_to_ask
from seatwise.connectors.errors import CredentialsRejected, TryAgainLater
from seatwise.connectors.records import Check, Gap, Grant
from seatwise.sandbox.pagerduty.identity.grants import CLASSIC
from tests.connectors.accounts import authorize, connector, identified, inspected
from tests.sandboxes import Running, running

USUAL = frozenset(scopes_to_ask(connector().scopes))
ALL = frozenset(scope.name for scope in connector().scopes)
OPTIONAL = ALL - USUAL


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(seed=4, users=60, months=1) as started:
        yield started


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running) -> Iterator[None]:
    yield
    sandbox.clear_faults()


def look(
    sandbox: Running,
    role: str = "owner",
    account: str = "harbor-prod",
    asked: Iterable[str] = USUAL,
    **faults: Any,
) -> dict[str, Check]:
    async def _look() -> tuple[Check, ...]:
        grant = await authorize(sandbox, sandbox.someone(role, account), account, sorted(asked))
        if faults:
            sandbox.fault(**faults)
        sandbox.forget_requests()
        return await inspected(sandbox, grant, asked)

    return {check.key: check for check in asyncio.run(_look())}


def by_key(sandbox: Running, account: str = "harbor-prod") -> dict[str, Check]:
    key = connector().token_of(sandbox.api_key(account))
    checks = asyncio.run(inspected(sandbox, Grant(key, None, None, None), ()))
    return {check.key: check for check in checks}


def gaps(checks: dict[str, Check]) -> list[Gap]:
    return [check.gap for check in checks.values() if check.gap]


def verdicts(checks: dict[str, Check]) -> dict[str, str]:
    return {key: check.verdict for key, check in checks.items() if check.verdict != "ok"}


def asked_of_the_api(sandbox: Running) -> list[str]:
    return [each["path"] for each in sandbox.requests() if not each["path"].startswith("/ident")]


def test_an_owners_account_is_fine_and_each_thing_was_looked_at(sandbox: Running) -> None:
    checks = look(sandbox)
    assert gaps(checks) == []
    assert verdicts(checks) == {"sign_ins": "unknown"}
    assert list(checks) == [
        *["account", "person", "scopes", "members", "licenses", "incidents", "notifications"],
        *["sign_ins", "read_only_users", "service_support_hours"],
    ]
    assert checks["account"].found == "harbor-prod, region US."
    assert sandbox.someone("owner") in checks["person"].found
    assert checks["person"].found.endswith(", Account Owner.")
    assert checks["members"].found == f"PagerDuty counts {len(sandbox.truth()['members'])}."
    assert "was not asked for" in checks["sign_ins"].found
    assert "analytics.write" in checks["sign_ins"].remedy


@pytest.mark.fault(15)
def test_with_every_permission_everything_is_fine_in_nine_requests(
    sandbox: Running,
) -> None:
    checks = look(sandbox, asked=ALL)
    assert verdicts(checks) == {}
    assert {"sign_ins", "changes", "visits", "duty"} <= checks.keys()
    identifying = 1
    assert len(asked_of_the_api(sandbox)) - identifying == 9


def test_when_nearly_all_is_refused_it_still_takes_at_most_eleven_requests(
    sandbox: Running,
) -> None:
    for path in ("/notifications", "/analytics/raw/users", "/abilities", "/licenses"):
        sandbox.fault(path=path, status=403, times=None)
    checks = look(sandbox, asked=ALL)
    assert len(asked_of_the_api(sandbox)) - 1 == 11
    assert checks["visits"].verdict == "ok"
    assert checks["visits"].found == "What each member signed in with can be read."


def test_a_region_that_lacks_an_ability_is_told_of_and_not_limited(sandbox: Running) -> None:
    checks = look(sandbox, account="harbor-eu")
    assert checks["account"].found == "harbor-eu, region EU."
    assert [(gap.capability, gap.what) for gap in gaps(checks)] == [
        ("account", "The plan does not include support hours.")
    ]


def test_who_may_not_read_licences_is_told_before_the_first_sync(sandbox: Running) -> None:
    checks = look(sandbox, role="limited_user")
    (gap,) = gaps(checks)
    assert gap.capability == "licences"
    assert "authorized as Responder" in gap.why
    assert "Account Owner or Global Admin" in gap.remedy
    assert verdicts(checks) == {
        "person": "limited",
        "licenses": "limited",
        "sign_ins": "unknown",
    }
    assert checks["person"].found.endswith(", Responder.")


@pytest.mark.fault(29)
def test_an_admin_who_was_demoted_since_limits_the_next_checks(sandbox: Running) -> None:
    email = sandbox.someone("owner")

    async def later() -> tuple[Check, ...]:
        grant = await authorize(sandbox, email)
        account = await identified(sandbox, grant)
        sandbox.fault(demote={email: "observer"})
        token = grant.access_token
        return await connector().inspect(sandbox.settings, account, token, USUAL)

    checks = {check.key: check for check in asyncio.run(later())}
    assert checks["person"].verdict == "limited"
    assert checks["person"].found.endswith(", Observer.")
    assert [gap.capability for gap in gaps(checks)] == ["licences"]


@pytest.mark.fault(15)
def test_each_permission_that_was_not_granted_is_named_with_what_it_costs(
    sandbox: Running,
) -> None:
    withheld = ["licenses.read", "users:notifications.read", "abilities.read"]
    checks = look(sandbox, withhold_scopes=withheld)
    assert verdicts(checks) == {"sign_ins": "unknown"}  # withheld from the next grant only
    checks = look(sandbox)
    costs = {scope.name: scope.loses for scope in connector().scopes}
    for scope in withheld:
        why = f"The permission {scope} was not granted."
        assert [gap.why for gap in gaps(checks)].count(why) == 1, scope
        assert not any(gap.chosen for gap in gaps(checks))
        assert f"{scope}: {costs[scope]}" in checks["scopes"].found
        assert scope in checks["scopes"].remedy
    assert all(gap.remedy for gap in gaps(checks))
    assert checks["scopes"].gap is None  # each is told where it is missing
    assert {gap.capability for gap in gaps(checks)} == {"licences", "account"}
    for path in ("/us/licenses", "/us/notifications", "/us/abilities"):
        assert path not in asked_of_the_api(sandbox)


@pytest.mark.fault(15)
def test_the_openid_grant_that_is_all_one_gets_connects_and_says_what_is_missing(
    sandbox: Running,
) -> None:
    sandbox.fault(withhold_scopes=sorted(ALL - {"openid"}))
    checks = look(sandbox)
    missing = {gap.capability for gap in gaps(checks)}
    assert missing == {"members", "licences", "usage", "activity", "account"}
    assert checks["account"].verdict == checks["person"].verdict == "ok"
    assert asked_of_the_api(sandbox) == ["/us/users/me"] * 2


@pytest.mark.fault(15)
def test_what_an_admin_did_not_tick_is_missing_and_the_way_to_it_is_a_tick(
    sandbox: Running,
) -> None:
    checks = look(sandbox, asked=USUAL - {"licenses.read"})
    (gap,) = gaps(checks)
    assert (gap.capability, gap.why) == (
        "licences",
        "The permission licenses.read was not asked for.",
    )
    assert "ticks licenses.read" in gap.remedy
    assert gap.chosen
    assert checks["scopes"].verdict == "ok"


@pytest.mark.fault(15)
def test_an_optional_permission_that_was_asked_for_and_withheld_limits_nothing(
    sandbox: Running,
) -> None:
    sandbox.fault(withhold_scopes=sorted({*OPTIONAL, "incidents.read"}))
    checks = look(sandbox, asked=ALL)
    told = {check.key: check.gap.capability for check in checks.values() if check.gap}
    assert told == {
        "incidents": "usage",
        "activity": "activity",
        "sign_ins": "account",
        "changes": "account",
        "visits": "account",
        "duty": "account",
    }
    for scope in OPTIONAL:
        assert any(scope in gap.why for gap in gaps(checks)), scope


@pytest.mark.fault(30)
def test_a_permission_that_was_taken_back_is_named_by_the_vendors_own_words(
    sandbox: Running,
) -> None:
    checks = look(sandbox, revoke_scopes=["licenses.read"])
    (gap,) = gaps(checks)
    assert gap.capability == "licences"
    assert "(needed: licenses.read)" in gap.why
    assert "adds licenses.read to the app" in gap.remedy


def test_notifications_that_may_not_be_listed_are_counted_from_the_log(sandbox: Running) -> None:
    checks = look(sandbox, path="/notifications", status=403, times=None)
    (gap,) = gaps(checks)
    assert gap.capability == "account"  # the numbers are the same
    assert "counted from the log" in gap.what
    sandbox.fault(path="/log_entries", status=403, times=None)
    (gap,) = gaps(look(sandbox))
    assert gap.capability == "usage"
    assert gap.what == "Notifications by channel and billable alerts cannot be read."


@pytest.mark.parametrize("status", [402, 403, 404])
@pytest.mark.parametrize(
    ("path", "capability"),
    [("/licenses", "licences"), ("/incidents", "usage"), ("/users", "members")],
)
def test_whatever_is_refused_limits_and_never_fails(
    sandbox: Running, path: str, capability: str, status: int
) -> None:
    checks = look(sandbox, path=path, status=status, times=None)
    (gap,) = gaps(checks)
    assert gap.capability == capability
    assert gap.remedy


def test_what_the_plan_lacks_is_a_gap_with_a_remedy(sandbox: Running) -> None:
    sandbox.fault(lack_ability=["read_only_users"])
    checks = look(sandbox)
    (gap,) = gaps(checks)
    assert gap.what == "The plan does not include stakeholders."
    assert "plan" in gap.remedy
    assert checks["service_support_hours"].verdict == "ok"


def test_unreadable_abilities_are_unknown_and_told_once(sandbox: Running) -> None:
    checks = look(sandbox, path="/abilities", status=403, times=None)
    assert checks["read_only_users"].verdict == "unknown"
    assert checks["service_support_hours"].verdict == "unknown"
    (gap,) = gaps(checks)
    assert gap.what == "What the account's plan includes cannot be read."


@pytest.mark.fault(22)
def test_a_question_that_is_not_answered_is_unknown_and_no_gap(sandbox: Running) -> None:
    checks = look(sandbox, path="/licenses", status=503, times=None)
    assert gaps(checks) == []
    assert checks["licenses"].verdict == "unknown"
    assert "checks again later" in checks["licenses"].remedy
    asked = [path for path in asked_of_the_api(sandbox) if path == "/us/licenses"]
    assert len(asked) == 2  # somebody is waiting


def test_where_nothing_is_answered_nothing_is_said(sandbox: Running) -> None:
    grant = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    account = asyncio.run(identified(sandbox, grant))
    inspect, token = connector().inspect, grant.access_token
    sandbox.fault(path="*", region="us", status=503, times=None)
    with pytest.raises(TryAgainLater):
        asyncio.run(inspect(sandbox.settings, account, token, USUAL))
    sandbox.clear_faults()
    with pytest.raises(CredentialsRejected):
        asyncio.run(inspect(sandbox.settings, account, "nothing", USUAL))
    # A token of the other region is one that is not accepted.
    abroad = replace(account, api_url=sandbox.settings["API_URL_EU"])
    with pytest.raises(CredentialsRejected):
        asyncio.run(inspect(sandbox.settings, abroad, token, USUAL))


def test_an_api_key_opens_everything_and_names_nobody(sandbox: Running) -> None:
    checks = by_key(sandbox)
    assert gaps(checks) == []
    assert verdicts(checks) == {}
    assert "Nobody" in checks["person"].found
    assert checks["sign_ins"].found == "They can be read, up to a day old."
    assert checks["account"].found == "harbor-prod, region US, known by its name."


def test_an_api_key_that_may_only_get_lacks_sign_ins_and_nothing_that_counts(
    sandbox: Running,
) -> None:
    sandbox.fault(read_only_keys=True)
    checks = by_key(sandbox)
    assert verdicts(checks) == {"sign_ins": "limited"}
    (gap,) = gaps(checks)
    assert (gap.capability, gap.minor) == ("account", True)
    assert "makes an API key" in gap.remedy


@pytest.mark.parametrize("asked", [["read"], sorted(USUAL)])
@pytest.mark.parametrize(("role", "missing"), [("owner", []), ("limited_user", ["licences"])])
def test_a_classic_authorization_opens_what_its_person_may_read(
    sandbox: Running, role: str, missing: list[str], asked: list[str]
) -> None:
    classic = sandbox.settings | {"CLIENT_ID": CLASSIC.id, "CLIENT_SECRET": CLASSIC.secret}

    async def enter() -> tuple[Check, ...]:
        with_classic = replace(sandbox, settings=classic)
        grant = await authorize(with_classic, sandbox.someone(role), scopes=["read"])
        return await inspected(with_classic, grant, asked)

    checks = {check.key: check for check in asyncio.run(enter())}
    assert [gap.capability for gap in gaps(checks)] == missing
    assert checks["scopes"].verdict == "ok"
    assert "what the person may read" in checks["scopes"].found
    assert ("registered so" in checks["scopes"].found) is (asked != ["read"])
    assert checks["sign_ins"].verdict == "unknown"
    assert "permission by permission" in checks["sign_ins"].remedy
