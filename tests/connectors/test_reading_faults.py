"""Bad days of the vendor while a whole account is read: the truth all the same, or a sentence."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.errors import BrokenAnswer, TryAgainLater, VendorError
from seatwise.connectors.records import (
    LicenseRecord,
    MemberRecord,
    SeatRecord,
    SignalRecord,
    UsageRecord,
)
from tests.connectors.accounts import authorize, connector, identified, impatient, plan_for
from tests.connectors.readings import Entrance, Reading, differences, kept, read
from tests.sandboxes import Running, running

NOW = datetime(2025, 11, 20, 9, 30, tzinfo=UTC)
LISTS = ("/users", "/licenses", "/license_allocations", "/incidents", "/notifications")
EVERYWHERE = (*LISTS, "/log_entries")
PAGED = ("/users", "/license_allocations", "/incidents", "/log_entries")
LIES = ("ignore_offset", "more_forever", "total_shrinks")
PATIENT = 0.5  # seconds until an answer counts as lost; they take some milliseconds here


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    options: dict[str, Any] = {
        "seed": 5,
        "users": 130,
        "months": 2,
        "incidents": 170,
        "accounts": 1,
    }
    with running(**options, now=NOW, rate_limit=1_000_000) as started:
        yield started


@pytest.fixture(scope="module")
def entrance(sandbox: Running) -> Entrance:
    grant = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    account = asyncio.run(identified(sandbox, grant))
    return Entrance(connector(), sandbox.settings, account, grant.access_token)


@pytest.fixture(scope="module")
def undisturbed(entrance: Entrance) -> Reading:
    got = read(entrance, plan())
    assert got.error is None
    return got


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running) -> Iterator[None]:
    sandbox.forget_requests()
    yield
    sandbox.clear_faults()


def plan() -> ReadPlan:
    return plan_for(NOW, 2, NOW - timedelta(days=50))


def hurried(entrance: Entrance) -> Entrance:
    """The same account, by somebody who does not wait long for an answer."""
    made = type(entrance.connector)(patience=impatient(deadline=PATIENT))  # type: ignore[call-arg]
    return replace(entrance, connector=made)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"kind": "rate_limited", "reset": 20}, marks=pytest.mark.fault(33)),
        pytest.param(
            {"status": 429, "headers": {"Retry-After": "Thu, 20 Nov 2025 09:30:05 GMT"}},
            marks=pytest.mark.fault(33),
        ),
        pytest.param({"status": 429}, marks=pytest.mark.fault(34)),
        pytest.param(
            {"status": 429, "headers": {"Retry-After": "-5"}}, marks=pytest.mark.fault(34)
        ),
        pytest.param(
            {"status": 429, "headers": {"Retry-After": "abc"}}, marks=pytest.mark.fault(34)
        ),
        pytest.param(
            {"status": 429, "headers": {"Retry-After": "Fri, 01 Jan 2099 00:00:00 GMT"}},
            marks=pytest.mark.fault(34),
        ),
        pytest.param({"status": 500}, marks=pytest.mark.fault(35)),
        pytest.param({"status": 502}, marks=pytest.mark.fault(35)),
        pytest.param({"status": 503}, marks=pytest.mark.fault(35)),
        pytest.param({"status": 504}, marks=pytest.mark.fault(35)),
        pytest.param({"kind": "reset"}, marks=pytest.mark.fault(38)),
        pytest.param({"kind": "reset_body"}, marks=pytest.mark.fault(38)),
        pytest.param({"kind": "truncate_length"}, marks=pytest.mark.fault(39)),
        pytest.param({"kind": "truncate_close"}, marks=pytest.mark.fault(40)),
        pytest.param({"kind": "truncate"}, marks=pytest.mark.fault(40)),
        pytest.param({"kind": "html"}, marks=pytest.mark.fault(41)),
        pytest.param({"kind": "not_json"}, marks=pytest.mark.fault(41)),
        pytest.param({"kind": "empty"}, marks=pytest.mark.fault(46)),
        pytest.param({"kind": "json", "body": {}}, marks=pytest.mark.fault(46)),
        pytest.param({"kind": "json", "body": None}, marks=pytest.mark.fault(46)),
        pytest.param({"kind": "json", "body": []}, marks=pytest.mark.fault(46)),
        pytest.param({"kind": "bad_utf8"}, marks=pytest.mark.fault(47)),
        pytest.param({"kind": "bom"}, marks=pytest.mark.fault(47)),
        pytest.param({"kind": "nan"}, marks=pytest.mark.fault(47)),
        pytest.param({"kind": "deep"}, marks=pytest.mark.fault(47)),
        pytest.param({"kind": "duplicate_keys"}, marks=pytest.mark.fault(47)),
        pytest.param({"kind": "repeat_row"}, marks=pytest.mark.fault(51)),
        pytest.param({"kind": "ignore_offset"}, marks=pytest.mark.fault(52)),
        pytest.param({"kind": "more_forever"}, marks=pytest.mark.fault(52)),
        pytest.param({"kind": "missing_key"}, marks=pytest.mark.fault(53)),
        pytest.param({"kind": "no_more_key"}, marks=pytest.mark.fault(53)),
        pytest.param({"kind": "total_null"}, marks=pytest.mark.fault(53)),
        pytest.param({"kind": "total_shrinks"}, marks=pytest.mark.fault(53)),
    ],
    ids=lambda wrong: json.dumps(wrong),
)
def test_what_goes_wrong_in_every_list_and_heals_changes_nothing_that_is_read(
    sandbox: Running, entrance: Entrance, undisturbed: Reading, wrong: Mapping[str, Any]
) -> None:
    # Of a list that lies twice about itself nobody knows when to believe it; a number that is told
    # without its rows can only be believed.
    lie = wrong.get("kind") in LIES
    for path in PAGED if lie else EVERYWHERE:
        sandbox.fault(path=path, region="us", times=1 if lie else 2, **wrong)
    got = read(entrance, plan())
    assert got.error is None
    assert differences(kept(got.batches), kept(undisturbed.batches)) == []
    assert got.gaps() == undisturbed.gaps()
    assert {stage for stage, whole in stages(got).items() if whole} == set(stages(undisturbed))


@pytest.mark.fault(42)
@pytest.mark.fault(43)
@pytest.mark.parametrize(
    ("path", "kind"), [("/users", "trickle"), ("/incidents", "hang"), ("/log_entries", "slow")]
)
def test_an_answer_that_does_not_come_in_time_is_asked_again(
    sandbox: Running, entrance: Entrance, undisturbed: Reading, path: str, kind: str
) -> None:
    delay = {"trickle": 0.05, "hang": 3, "slow": 3}[kind]
    sandbox.fault(path=path, region="us", kind=kind, delay=delay)
    got = read(hurried(entrance), plan())
    assert got.error is None
    assert differences(kept(got.batches), kept(undisturbed.batches)) == []


@pytest.mark.fault(35)
@pytest.mark.fault(38)
@pytest.mark.fault(40)
@pytest.mark.fault(41)
@pytest.mark.fault(46)
@pytest.mark.fault(47)
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        *((path, "status") for path in EVERYWHERE),
        ("/users", "empty"),
        ("/license_allocations", "html"),
        ("/incidents", "truncate_close"),
        ("/notifications", "duplicate_keys"),
        ("/log_entries", "reset_body"),
    ],
)
def test_what_stays_broken_ends_the_reading_and_a_later_one_goes_on(
    sandbox: Running, entrance: Entrance, undisturbed: Reading, path: str, kind: str
) -> None:
    sandbox.fault(path=path, region="us", kind=kind, after=1, times=None)
    got = read(entrance, plan())
    assert isinstance(got.error, TryAgainLater | BrokenAnswer) or path == "/licenses"
    assert len(sandbox.requests(f"/us{path}")) <= 1 + 8 * 4  # eight at once, each four times
    sandbox.clear_faults()
    state = json.loads(json.dumps(got.state()))
    rest = read(entrance, replace(plan(), state=state))
    assert rest.error is None
    both = kept([*got.batches, *rest.batches])
    assert differences(both, kept(undisturbed.batches)) == []


@pytest.mark.fault(52)
@pytest.mark.parametrize("kind", ["ignore_offset", "more_forever"])
@pytest.mark.parametrize("path", PAGED)
def test_pages_without_end_end_in_an_error_or_in_a_hole_that_is_named(
    sandbox: Running, entrance: Entrance, undisturbed: Reading, path: str, kind: str
) -> None:
    sandbox.fault(path=path, region="us", kind=kind, times=None)
    got = read(entrance, plan())
    assert len(sandbox.requests(f"/us{path}")) < 200
    assert got.error is not None or got.gaps() or _same(got, undisturbed)
    if got.error is not None:
        assert isinstance(got.error, BrokenAnswer)
        assert str(got.error).endswith(".")


@pytest.mark.fault(53)
@pytest.mark.parametrize("kind", ["total_null", "total_shrinks"])
def test_a_total_that_is_never_right_costs_nobody(
    sandbox: Running, entrance: Entrance, undisturbed: Reading, kind: str
) -> None:
    for path in PAGED:
        sandbox.fault(path=path, region="us", kind=kind, times=None)
    got = read(entrance, plan())
    assert got.error is None
    assert differences(kept(got.batches), kept(undisturbed.batches)) == [] or got.gaps()
    ids = [member.external_id for member in got.of(MemberRecord)]
    assert sorted(ids) == sorted(member.external_id for member in undisturbed.of(MemberRecord))


@pytest.mark.fault(51)
def test_a_row_on_two_pages_is_one_row(
    sandbox: Running, entrance: Entrance, undisturbed: Reading
) -> None:
    for path in PAGED:
        sandbox.fault(path=path, region="us", kind="repeat_row", times=None)
    got = read(entrance, plan())
    assert got.error is None
    assert differences(kept(got.batches), kept(undisturbed.batches)) == []
    ids = [member.external_id for member in got.of(MemberRecord)]
    assert len(ids) == len(set(ids))


@pytest.mark.fault(57)
@pytest.mark.parametrize("path", EVERYWHERE)
def test_fields_of_another_type_cost_the_field_and_neither_the_row_nor_the_reading(
    sandbox: Running, entrance: Entrance, undisturbed: Reading, path: str
) -> None:
    sandbox.fault(path=path, region="us", kind="wrong_types", times=None)
    got = read(entrance, plan())
    assert got.error is None or isinstance(got.error, VendorError)
    if path == "/users":
        assert got.error is None
        assert len(got.of(MemberRecord)) == len(undisturbed.of(MemberRecord))
    else:
        assert _members(got) == _members(undisturbed)


@pytest.mark.fault(58)
def test_a_role_that_nobody_knows_is_kept_as_it_was_said(
    sandbox: Running, entrance: Entrance, undisturbed: Reading
) -> None:
    sandbox.fault(path="/users", region="us", kind="unknown_role", word="wizard", times=None)
    got = read(entrance, plan())
    assert {member.role for member in got.of(MemberRecord)} == {"wizard"}
    assert len(got.of(MemberRecord)) == len(undisturbed.of(MemberRecord))


@pytest.mark.fault(60)
@pytest.mark.parametrize("kind", ["nul", "lone_surrogate"])
def test_what_no_database_takes_is_cleaned_out_of_names(
    sandbox: Running, entrance: Entrance, undisturbed: Reading, kind: str
) -> None:
    for path in EVERYWHERE:
        sandbox.fault(path=path, region="us", kind=kind, times=None)
    got = read(entrance, plan())
    assert got.error is None
    assert len(got.of(MemberRecord)) == len(undisturbed.of(MemberRecord))
    told = "\n".join(map(repr, got.batches))
    told.encode("utf-8")
    assert "\\x00" not in told
    assert "\\ud8" not in told


NAMES = (
    "👩🏽‍🚒 Ada",
    "\u202eevil\u202c gnp.exe",
    "Zoe\u0308 \u0410\u0434\u0430",
    "ß" * 499,
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
)


@pytest.mark.fault(59)
@pytest.mark.fault(71)
def test_names_are_kept_as_they_are_and_never_break_a_line_of_the_log(
    sandbox: Running, entrance: Entrance, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    long, torn = "x" * 10_000, "Ada\r\nERROR seatwise.requests: forged"
    _people(sandbox, *({"name": name} for name in (*NAMES, long, torn)))
    got = read(entrance, plan())
    names = [member.name for member in got.of(MemberRecord)]
    assert tuple(names[: len(NAMES)]) == NAMES
    assert len(names[-2]) == 500
    assert not any("\n" in record.getMessage() for record in caplog.records)
    assert "forged" not in caplog.text


@pytest.mark.fault(64)
@pytest.mark.fault(65)
def test_people_are_told_apart_by_their_ids_and_never_by_their_addresses(
    sandbox: Running, entrance: Entrance
) -> None:
    alike = ["ada@x.example", "ADA@X.example", "ada@x.example", "ａda@x.example", "", ""]
    _people(sandbox, *({"email": address} for address in alike))
    got = read(entrance, plan())
    assert [member.external_id for member in got.of(MemberRecord)] == [
        f"P{number}" for number in range(len(alike))
    ]


def _people(sandbox: Running, *people: Mapping[str, str]) -> None:
    rows = [{"id": f"P{at}", "role": "user", **person} for at, person in enumerate(people)]
    page = {"users": rows, "more": False, "total": len(rows), "limit": 100, "offset": 0}
    sandbox.fault(path="/users", region="us", kind="json", body=page, times=None)


@pytest.mark.fault(66)
def test_what_speaks_of_somebody_who_is_gone_is_no_member_and_breaks_nothing(
    sandbox: Running, entrance: Entrance, undisturbed: Reading
) -> None:
    gone = sandbox.truth()["members"][0]["id"]
    _people(sandbox, *({"name": "Ada"} for _ in range(3)))
    got = read(entrance, plan())
    assert got.error is None
    assert {member.external_id for member in got.of(MemberRecord)} == {"P0", "P1", "P2"}
    assert gone in {seat.member_id for seat in got.of(SeatRecord)}
    assert set(_usage(got)) == set(_usage(undisturbed))
    assert {signal.member_id for signal in got.of(SignalRecord)}


@pytest.mark.fault(69)
@pytest.mark.fault(70)
@pytest.mark.parametrize(
    ("number", "moment"),
    [
        *((-1, "0001-01-01T00:00:00Z"), (2**63, "10000-01-01T00:00:00Z"), (1.5, "2026-03-01")),
        *(("-3", "2026-03-01T00:00:00"), (None, None), ([], 5), (True, {}), ("9" * 400, "x")),
    ],
)
def test_numbers_and_times_out_of_this_world_are_unknown(
    sandbox: Running, entrance: Entrance, number: object, moment: object
) -> None:
    kind = {"id": "PL", "name": "L", "current_value": number, "allocations_available": number}
    sandbox.fault(path="/licenses", kind="json", body={"licenses": [kind]}, times=None)
    allocation = {
        "allocated_at": moment,
        "user": {"id": "P1", "type": "user_reference"},
        "license": {"id": "PL"},
    }
    page = {"license_allocations": [allocation], "more": False, "total": 1}
    sandbox.fault(path="/license_allocations", kind="json", body=page, times=None)
    got = read(entrance, replace(plan(), months=[]))
    assert got.error is None
    (seat,) = got.of(SeatRecord)
    assert seat.allocated_at is None
    (read_as,) = got.of(LicenseRecord)
    assert read_as.used is None
    assert read_as.available is None


def stages(got: Reading) -> dict[str, bool]:
    """Whether each stage that ended is complete."""
    return {batch.stage: batch.complete for batch in got.batches if batch.ended or batch.complete}


def _same(got: Reading, wanted: Reading) -> bool:
    return differences(kept(got.batches), kept(wanted.batches)) == []


def _members(got: Reading) -> set[str]:
    return {member.external_id for member in got.of(MemberRecord)}


def _usage(got: Reading) -> dict[tuple[str, str], int]:
    return {(f"{u.month}", u.metric): u.value for u in got.of(UsageRecord)}
