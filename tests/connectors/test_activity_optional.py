"""Evidence that is read only where somebody chose it: the audit trail, what one signed in with."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain, combinations
from typing import Any

import pytest

from seatwise.connectors.errors import BrokenAnswer, TryAgainLater
from tests.connectors.seen import (
    HORIZON,
    LATELY,
    NOW,
    ONLY_LOG,
    Got,
    granted,
    truth,
    unknown,
    with_key,
)
from tests.sandboxes import Running, running

OPTIONS: dict[str, Any] = {"seed": 8, "users": 140, "incidents": 300, "months": 3}
OPTIONS["rate_limit"] = 1_000_000
TOMORROW = NOW + timedelta(days=1)
AUDIT, DELEGATIONS = "audit_records.read", "oauth_delegations.read"
SESSIONS = "users:sessions.read"
OPTIONAL = ("analytics.write", AUDIT, DELEGATIONS, SESSIONS)
TRAIL = "GET /audit/records"
BY_NAME = {
    DELEGATIONS: "GET /users/{id}/oauth_delegations",
    SESSIONS: "GET /users/{id}/sessions",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(**OPTIONS, now=NOW) as started:
        yield started


@pytest.fixture(scope="module")
def next_day() -> Iterator[Running]:
    with running(**OPTIONS, now=TOMORROW) as started:
        yield started


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running) -> Iterator[None]:
    yield
    sandbox.clear_faults()


def changes_agree(got: Got, sandbox: Running, now: datetime = NOW) -> None:
    """The newest of both kinds of evidence is what everybody was seen by."""
    told = truth(sandbox, "audit", "log_entries")
    really = {who: at for who, at in told.items() if at >= now - HORIZON}
    here, found = {m["id"] for m in sandbox.truth()["members"]}, got.times()
    assert {w: at for w, at in found.items() if w in here and at >= now - HORIZON} == really


def test_who_changed_the_configuration_was_seen_then(sandbox: Running) -> None:
    got = granted(sandbox, AUDIT).read(stages=ONLY_LOG)
    changes_agree(got, sandbox)
    assert got.gaps == []
    assert got.times("configured")
    only_changed = truth(sandbox, "audit").keys() - truth(sandbox, "log_entries").keys()
    assert only_changed & got.times("configured").keys()


def test_changes_are_read_on_from_every_state(sandbox: Running, next_day: Running) -> None:
    whole = granted(sandbox, AUDIT).read(stages=ONLY_LOG)
    door, later = granted(sandbox, AUDIT), granted(next_day, AUDIT, now=TOMORROW)
    for number in (n for n, batch in enumerate(whole.batches, 1) if batch.state):
        first = whole.up_to(number)
        changes_agree(first.then(door.read(first.state, stages=ONLY_LOG)), sandbox)
        rest = later.read(first.state, stages=ONLY_LOG)
        changes_agree(first.then(rest), next_day, TOMORROW)
    assert rest.requests[TRAIL] == 1


def test_the_trail_is_not_read_back_when_everybody_was_seen_lately(
    sandbox: Running, next_day: Running
) -> None:
    seen = truth(sandbox, "log_entries")
    busy = [who for who, at in seen.items() if at > NOW - LATELY]
    page = {"users": [{"id": who} for who in busy], "more": False, "total": len(busy)}
    for each in (sandbox, next_day):
        each.fault(path="/users", kind="json", body=page, times=None)
    first = granted(sandbox, AUDIT).read(stages=ONLY_LOG)
    assert TRAIL not in first.requests
    # Changes that come later may be somebody's only trace, so from now on they are read.
    rest = granted(next_day, AUDIT, now=TOMORROW).read(first.state, stages=ONLY_LOG)
    next_day.clear_faults()
    assert rest.requests[TRAIL] == 1
    told = {who: at for who, at in truth(next_day, "audit").items() if at >= NOW}
    deeds = rest.times()
    assert told
    assert [who for who, at in told.items() if who not in deeds or deeds[who] < at] == []


def test_a_key_reads_the_trail_only_without_sign_ins(sandbox: Running) -> None:
    assert TRAIL not in with_key(sandbox).read(stages=ONLY_LOG).requests
    sandbox.fault(path="/analytics/*", status=403, times=None)
    got = with_key(sandbox).read(stages=ONLY_LOG)
    assert got.requests[TRAIL] > 2
    changes_agree(got, sandbox)
    sandbox.fault(path="/audit/records", status=402, times=None)
    gaps = with_key(sandbox).read(stages=ONLY_LOG).gaps  # nobody granted them
    assert [gap.what.partition(";")[0] for gap in gaps] == [
        "Sign-ins cannot be read",
        "Configuration changes cannot be read",
    ]
    assert all(gap.minor for gap in gaps)


def test_no_change_is_lost_where_the_log_had_told_of_everybody(sandbox: Running) -> None:
    """Whom the log need not be read for is no matter to the trail: begun late, or half read."""
    acted = truth(sandbox, "log_entries")
    since = NOW - HORIZON
    known = [who for who, at in acted.items() if at >= since]
    page = {"users": [{"id": who} for who in known], "more": False, "total": len(known)}
    sandbox.fault(path="/users", kind="json", body=page, times=None)
    without, door = granted(sandbox).read(stages=ONLY_LOG), granted(sandbox, AUDIT)
    told = truth(sandbox, "audit", "log_entries")
    assert any(told[who] > acted[who] for who in known)
    late = door.read(without.state, stages=ONLY_LOG)
    for first in (without, without.then(late), door.read(stages=ONLY_LOG)):
        for number in (n for n, batch in enumerate(first.batches, 1) if batch.state):
            some = first.up_to(number)
            seen = some.then(door.read(some.state, stages=ONLY_LOG)).times()
            assert {w: seen[w] for w in known} == {w: told[w] for w in known}


def visits_of(sandbox: Running, since: datetime) -> dict[str, datetime]:
    return {who: at for who, at in truth(sandbox, "sign_in").items() if at >= since}


@pytest.mark.parametrize("scope", [DELEGATIONS, SESSIONS])
def test_who_was_not_seen_lately_is_asked_for_by_name(sandbox: Running, scope: str) -> None:
    """Fifty a reading, those never asked for first, and nobody twice within a week."""
    door, known = granted(sandbox, scope), Got()
    counts = []
    for _ in range(4):
        known = known.then(door.read(known.state, stages=ONLY_LOG))
        counts.append(known.requests.get(BY_NAME[scope], 0))
    acted = truth(sandbox, "log_entries")
    people = [m["id"] for m in sandbox.truth()["members"] if not m["invited"]]
    quiet = [who for who in people if who not in acted or acted[who] < NOW - LATELY]
    assert counts[:2] == [50, len(quiet) - 50]
    assert counts[2:] == [0, 0]
    since = NOW - LATELY if scope == SESSIONS else NOW - timedelta(days=400)
    really = {w: at for w, at in visits_of(sandbox, since).items() if w in quiet}
    assert really
    assert {
        who
        for who, at in really.items()
        if known.times().get(who, NOW) != max(at, acted.get(who, at))
    } == set()


def test_after_a_week_the_same_people_are_asked_for_again(sandbox: Running) -> None:
    door, known = granted(sandbox, DELEGATIONS), Got()
    for _ in range(2):
        known = known.then(door.read(known.state, stages=ONLY_LOG))
    state = known.state
    due = state["stages"]["activity"]["due"]
    for who in due:
        due[who] -= 7
    today = NOW.timestamp() // 86_400
    waiting = sum(day <= today for day in due.values())
    assert 0 < waiting < 50  # whoever was seen since is not among them
    assert door.read(state, stages=ONLY_LOG).requests[BY_NAME[DELEGATIONS]] == waiting


def test_delegations_refused_sessions_are_asked(sandbox: Running) -> None:
    sandbox.fault(path="/users/*/oauth_delegations", status=403, times=None)
    got = granted(sandbox, DELEGATIONS, SESSIONS).read(stages=ONLY_LOG)
    assert got.requests[BY_NAME[DELEGATIONS]] == 1  # refused once, not asked again
    assert got.requests[BY_NAME[SESSIONS]] == 50
    assert got.gaps == []


@pytest.mark.parametrize("status", [400, 403, 404])
def test_one_person_of_whom_nothing_is_told_is_no_refusal(sandbox: Running, status: int) -> None:
    sandbox.fault(path="/users/*/oauth_delegations", status=status, after=3, times=2)
    door = granted(sandbox, DELEGATIONS)
    sandbox.forget_requests()
    got = door.read(stages=ONLY_LOG)
    assert got.requests[BY_NAME[DELEGATIONS]] == 50
    assert got.gaps == []
    assert got.times("signed_in")
    asked = _asked_by_name(sandbox)
    sandbox.forget_requests()
    door.read(got.state, stages=ONLY_LOG)
    assert _asked_by_name(sandbox)
    assert not asked & _asked_by_name(sandbox)


def test_whoever_is_refused_first_is_not_asked_for_first_again(sandbox: Running) -> None:
    door = granted(sandbox, DELEGATIONS)
    sandbox.forget_requests()
    sandbox.fault(path="/users/*/oauth_delegations", status=403, times=1)
    first = door.read(stages=ONLY_LOG)
    (refused,) = _asked_by_name(sandbox)
    sandbox.forget_requests()
    assert len(first.gaps) == 1
    rest = door.read(first.state, stages=ONLY_LOG)
    assert rest.requests[BY_NAME[DELEGATIONS]] == 50
    assert refused not in _asked_by_name(sandbox)


def _asked_by_name(sandbox: Running) -> set[str]:
    return {request["path"] for request in sandbox.requests("/us/users/*/oauth_delegations")}


BROKEN: list[dict[str, Any]] = [{"status": 500}, {"kind": "json", "body": {"rows": 7}}]


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize(
    ("scope", "path", "what"),
    [
        ("analytics.write", "/analytics/raw/users", "Sign-ins cannot be read"),
        (
            "analytics.write",
            "/analytics/raw/incidents",
            "Answers to incidents in analytics cannot be read",
        ),
        (AUDIT, "/audit/records", "Configuration changes cannot be read"),
        (DELEGATIONS, "/users/*/oauth_delegations", "What people signed in with cannot be read"),
    ],
)
def test_what_is_broken_and_no_list_of_actions_does_not_stop_the_log(
    sandbox: Running, scope: str, path: str, what: str, fault: dict[str, Any]
) -> None:
    sandbox.fault(path=path, times=None, **fault)
    got = granted(sandbox, scope).read()
    (gap,) = got.gaps
    assert gap.what.startswith(what)
    assert gap.minor is (path == "/analytics/raw/incidents")
    assert got.activity[-1].complete
    assert got.requests["GET /log_entries"] > 2


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_log_stops_the_reading(sandbox: Running, fault: dict[str, Any]) -> None:
    sandbox.fault(path="/log_entries", times=None, **fault)
    with pytest.raises((TryAgainLater, BrokenAnswer)):
        granted(sandbox).read(stages=ONLY_LOG)


def test_nobody_is_asked_for_by_name_where_sign_ins_are_known(sandbox: Running) -> None:
    got = granted(sandbox, "analytics.write", DELEGATIONS, SESSIONS).read(stages=ONLY_LOG)
    assert not set(BY_NAME.values()) & got.requests.keys()


@pytest.mark.fault(29)
@pytest.mark.parametrize(
    ("scope", "path", "what"),
    [
        (AUDIT, "/audit/records", "Configuration changes cannot be read"),
        (DELEGATIONS, "/users/*/oauth_delegations", "What people signed in with cannot be read"),
        (SESSIONS, "/users/*/sessions", "What people signed in with cannot be read"),
    ],
)
def test_what_was_granted_and_is_refused_is_a_gap(
    sandbox: Running, scope: str, path: str, what: str
) -> None:
    sandbox.fault(path=path, status=402, times=None)
    got = granted(sandbox, scope).read(stages=ONLY_LOG)
    (gap,) = got.gaps
    assert gap.capability == "account"
    assert gap.what.startswith(what)
    assert got.activity[-1].complete
    assert not gap.minor
    changes = truth(sandbox, "log_entries")
    assert {who for who, at in changes.items() if at > NOW - LATELY} <= got.times().keys()


SUBSETS = [
    {"users.read", *some}
    for some in chain.from_iterable(
        combinations(("incidents.read", *OPTIONAL), n) for n in range(len(OPTIONAL) + 2)
    )
]


def test_every_subset_of_scopes_reads_what_it_opens_and_names_the_rest(sandbox: Running) -> None:
    for scopes in SUBSETS:
        got = granted(sandbox, scopes=scopes).read(stages=ONLY_LOG)
        whats = [gap.what for gap in got.gaps]
        if scopes & {"incidents.read"}:
            assert whats == [], scopes
        elif len(scopes) > 1:
            assert whats == ["Actions on incidents cannot be read; other evidence is."], scopes
        else:
            assert [gap.capability for gap in got.gaps] == ["activity"]
        seen = got.times()
        assert bool(seen) is (len(scopes) > 1), scopes
        assert bool(got.never()) is ("analytics.write" in scopes)
        assert any(batch.complete for batch in got.activity) is (len(scopes) > 1)
        really = truth(sandbox, "sign_in", "log_entries", "audit")
        here = really.keys() & seen.keys()
        assert [who for who in here if seen[who] > really[who]] == []


def test_a_token_of_which_nobody_knows_the_scopes_reads_what_it_opens(sandbox: Running) -> None:
    for scopes in SUBSETS:
        if scopes & set(BY_NAME):
            continue  # those are one request a person, and asked only where somebody chose it
        door = granted(sandbox, scopes=scopes)
        known, tried = door.read(stages=ONLY_LOG), unknown(door).read(stages=ONLY_LOG)
        if {"analytics.write", AUDIT} <= scopes:
            # Nobody chose the trail, and sign-ins are better.
            assert tried.times("signed_in") == known.times("signed_in")
        else:
            assert tried.times() == known.times(), scopes
        refused = [gap for gap in tried.gaps if gap.what.startswith(("Sign-ins", "Config"))]
        assert len(refused) == ("analytics.write" not in scopes) * (2 - (AUDIT in scopes)), scopes
        assert all(gap.minor is ("incidents.read" in scopes) for gap in refused)
        assert [gap for gap in tried.gaps if gap not in refused] == known.gaps


@pytest.mark.parametrize("status", [400, 402, 403, 404])
def test_a_refusal_for_good_is_minor_only_where_nobody_knew_better(
    sandbox: Running, status: int
) -> None:
    sandbox.fault(path="/analytics/*", status=status, times=None)
    for door, is_minor in (
        (with_key(sandbox), status in (402, 403)),
        (unknown(granted(sandbox, "analytics.write")), status in (402, 403)),
        (granted(sandbox, "analytics.write"), False),
    ):
        gap = door.read(stages=ONLY_LOG).gaps[0]
        assert gap.what == "Sign-ins cannot be read; actions on incidents are."
        assert gap.minor is is_minor
