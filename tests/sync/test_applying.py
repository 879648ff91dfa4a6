"""What was read is applied by set, and what is as before is not written."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatwise.connectors.records import (
    AbsenceRecord,
    Batch,
    LicenseRecord,
    MemberRecord,
    SeatRecord,
    SignalRecord,
)
from seatwise.models import Connection, LicensePool, Member, MemberEvent, Signal, SyncRun
from seatwise.sync import members, stages
from seatwise.sync.absences import apply_absences
from seatwise.sync.drops import UnusualDrop
from seatwise.sync.licenses import apply_licenses
from seatwise.sync.members import apply_members
from tests.pages import rows
from tests.sync.applying import Account, Look

MANY = 100_000
START = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = st.one_of(
    st.sampled_from(["", "Ann", "ann", "é", "e\u0301", 'a"b', "{a,b}", "a\\b", "%s", "NULL", "𝄞"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
)
# Sorted by bytes, each of these stands elsewhere than a dictionary would put it.
KEYS = st.sampled_from(["a", "B", "b", "A1", "a-1", "_", "é", "z", "ä", "Z", "𝄞", "\ufffd"])
POOLS = st.sampled_from(["L1", "L2", "L3"])
MEMBERS = st.builds(
    MemberRecord,
    external_id=KEYS,
    email=st.sampled_from(["", "a@x.example", "A@x.example"]),
    name=WORDS,
    role=st.sampled_from(["owner", "user"]),
    invited=st.booleans(),
    job_title=WORDS,
    teams=st.lists(WORDS, max_size=2).map(tuple),
)
LICENSES = st.builds(
    LicenseRecord, POOLS, st.sampled_from(["Full", "Business", "Viewer"]), st.just("full"),
    st.none(), st.none(),
)  # fmt: skip
TIMES = st.sampled_from([None, START, START + timedelta(seconds=1)])
LOOKS = st.builds(
    Look,
    st.lists(MEMBERS, max_size=8, unique_by=lambda each: each.external_id),
    st.lists(LICENSES, max_size=3, unique_by=lambda each: each.external_id),
    st.lists(
        st.builds(SeatRecord, KEYS, POOLS, TIMES),
        max_size=10,
        unique_by=lambda each: each.member_id,
    ),
    all_members=st.booleans(),
    all_seats=st.booleans(),
)


@pytest.fixture
def account(db: None) -> Connection:
    """Connected, and never read."""
    return rows.connection(rows.service(), members_as_of=None)


def take(account: Connection, look: Look, number: int = 0) -> SyncRun:
    """Stages and applies it, at START and so many days."""
    run, now = opened(account), START + timedelta(days=number)
    stages.stage(run, Batch("members", tuple(look.members)))
    stages.stage(run, Batch("licences", (*look.licenses, *look.seats)))
    apply_members(run, now, whole=look.all_members, insist=True)
    if apply_licenses(run, now, whole=look.all_seats, insist=True):
        account.licenses_as_of = now
    account.members_as_of = now
    return run


def opened(account: Connection) -> SyncRun:
    return SyncRun.objects.create(connection=account, created_at=START, state="done")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(looks=st.lists(LOOKS, min_size=1, max_size=4))
def test_any_looks_give_the_rows_and_the_history_that_row_by_row_they_would(
    account: Connection, looks: list[Look]
) -> None:
    naive = Account()
    with transaction.atomic():
        account.members_as_of = account.licenses_as_of = None
        for number, look in enumerate(looks):
            take(account, look, number)
            naive.apply(number, look)
            assert found_rows() == expected_rows(naive)
            assert unfolded(START + timedelta(days=number)) == held(naive)
        told = MemberEvent.objects.order_by("pk").values_list(
            "member__external_id", "kind", "field", "before", "after", "facts"
        )
        assert list(told) == naive.events
        pools = LicensePool.objects.values_list("external_id", "name")
        assert dict(pools) == naive.pools
        transaction.set_rollback(True)


def found_rows() -> dict[str, tuple[object, ...]]:
    return {
        row.external_id: (
            *(row.email, row.name, row.role, row.invited, row.url, row.job_title, tuple(row.teams)),
            *(row.joined_at, row.left_at),
            *(row.license.external_id if row.license else None, row.license_since),
        )
        for row in Member.objects.select_related("license")
    }


def expected_rows(naive: Account) -> dict[str, tuple[object, ...]]:
    def day(number: int | None) -> datetime | None:
        return None if number is None else START + timedelta(days=number)

    return {
        key: (
            *(row.record.email, row.record.name, row.record.role, row.record.invited),
            *(row.record.url, row.record.job_title, row.record.teams),
            *(day(row.joined), day(row.left), row.held, row.since),
        )
        for key, row in naive.rows.items()
    }


def unfolded(at: datetime) -> dict[str, list[object]]:
    """Who holds a seat, as the history tells it."""
    then = ("role_then", "license_then", "email_then", "name_then", "invited_then")
    return {key: of for key, *of in Member.objects.as_of(at).values_list("external_id", *then)}


def held(naive: Account) -> dict[str, list[object]]:
    return {
        key: [
            *(row.record.role, naive.pools.get(row.held or "", "")),
            *(row.record.email, row.record.name, row.record.invited),
        ]
        for key, row in naive.rows.items()
        if row.left is None
    }


@pytest.mark.fault(56)
def test_an_unchanged_account_of_100_000_writes_no_member_and_no_event(
    account: Connection,
) -> None:
    small = take(account, Look([ann()], [full()], [SeatRecord("ann", "L1", None)]))
    with database.cursor() as cursor:
        cursor.execute("ANALYZE seatwise_stagedrecord, seatwise_member")  # it knows of one
    small.delete()
    Member.objects.all().delete()
    run = grown(account)
    before, events = written(), MemberEvent.objects.count()
    again(run, account)
    assert written() == before
    assert MemberEvent.objects.count() == events
    someone = run.staged.get(kind="member", key="P77777")
    someone.data["role"] = "owner"
    someone.save()
    run.staged.filter(kind="seat", key="P77777").update(data={"license_id": "L2", **SINCE})
    again(run, account)
    assert written() - before == Counter({"member updated": 2, "memberevent added": 2})
    told = MemberEvent.objects.filter(member__external_id="P77777").order_by("pk")
    assert [(event.field, event.before, event.after) for event in told] == [
        ("role", "user", "owner"),
        ("license", "Full", "Viewer"),
    ]


SINCE = {"allocated_at": "2026-03-01T00:00:00Z"}


def grown(account: Connection) -> SyncRun:
    """100,000 members, and a reading in which all of them are as before."""
    run = opened(account)
    given: dict[str, Any] = {"run": run.pk, "account": account.pk, "many": MANY, "now": START}
    stages.stage(run, Batch("licences", (full(), LicenseRecord("L2", "Viewer", "full", 0, 0))))
    with database.cursor() as cursor:
        cursor.execute(GROWN_MEMBERS, given)
        cursor.execute(GROWN_STAGED, given)
        cursor.execute(GROWN_SEATS, given)
    LicensePool.objects.create(connection=account, external_id="L2", name="Viewer", as_of=START)
    return run


GROWN_MEMBERS = """
INSERT INTO seatwise_member (connection_id, external_id, email, name, role, invited, url, job_title,
    teams, first_listed_at, last_seen_source, last_seen_proof, license_id)
SELECT %(account)s, 'P' || n, n || '@acme.example', 'Person ' || n, 'user', false, '', 'SRE',
    ARRAY['Team ' || n %% 9], %(now)s, '', '', pool.id
FROM generate_series(1, %(many)s) n, seatwise_licensepool pool WHERE pool.external_id = 'L1'
"""
GROWN_STAGED = """
INSERT INTO seatwise_stagedrecord (run_id, kind, key, data)
SELECT %(run)s, 'member', external_id, jsonb_build_object(
    'external_id', external_id, 'email', email, 'name', name, 'role', role, 'invited', invited,
    'url', url, 'job_title', job_title, 'teams', teams)
FROM seatwise_member WHERE connection_id = %(account)s
"""
GROWN_SEATS = """
INSERT INTO seatwise_stagedrecord (run_id, kind, key, data)
SELECT %(run)s, 'seat', external_id, '{"license_id": "L1", "allocated_at": null}'
FROM seatwise_member WHERE connection_id = %(account)s
"""


def again(run: SyncRun, account: Connection) -> None:
    apply_members(run, timezone.now(), whole=True, insist=False)
    apply_licenses(run, timezone.now(), whole=True, insist=False)


def written() -> Counter[str]:
    """What this transaction has written so far: {"member updated": rows, …}."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT substr(relname, 10), n_tup_ins, n_tup_upd, n_tup_del"
            " FROM pg_stat_xact_user_tables WHERE relname = ANY(%s)",
            [["seatwise_member", "seatwise_memberevent", "seatwise_signal"]],
        )
        told: Counter[str] = Counter()
        for table, added, updated, deleted in cursor.fetchall():
            told[f"{table} added"], told[f"{table} updated"] = added, updated
            told[f"{table} deleted"] = deleted
    return told


def ann(**fields: Any) -> MemberRecord:
    given: dict[str, Any] = {
        "email": "ann@x.example",
        "name": "Ann",
        "role": "user",
        "invited": False,
    }
    return MemberRecord("ann", **(given | fields))


def full(name: str = "Full") -> LicenseRecord:
    return LicenseRecord("L1", name, "full", 1, 0)


def seated(name: str = "Full") -> Look:
    """Ann, who holds the one licence, under that name."""
    return Look([ann()], [full(name)], [SeatRecord("ann", "L1", None)])


def test_only_whoever_may_differ_leaves_the_database(account: Connection) -> None:
    others = [MemberRecord(f"P{n}", "", "", "user", invited=False) for n in range(30)]
    take(account, Look([ann(teams=("a", "b")), *others], [], []))
    run = opened(account)
    stages.stage(run, Batch("members", (ann(teams=("b", "a")), *others)))
    assert len(list(members.compared(run))) == 1
    (change,) = members.planned(run)
    assert change.fields == {"teams": (("a", "b"), ("b", "a"))}
    apply_members(run, START, whole=True, insist=False)
    assert Member.objects.get(external_id="ann").teams == ["b", "a"]
    assert not MemberEvent.objects.filter(kind="changed").exists()
    assert list(members.compared(run)) == []


def test_a_licence_found_at_the_first_look_is_known_and_no_change(account: Connection) -> None:
    take(account, seated())
    event = MemberEvent.objects.get(field="license")
    assert (event.kind, event.before, event.after) == ("listed", "", "Full")
    assert not MemberEvent.objects.about_seats().exists()
    others = MemberEvent.objects.exclude(kind="listed", field="license")
    assert Counter(others.values_list("kind", flat=True)) == {"listed": 1}
    take(account, Look([ann(), MemberRecord("bob", "", "Bob", "user", invited=False)], [full()],
                       [SeatRecord(key, "L1", None) for key in ("ann", "bob")]), 1)  # fmt: skip
    bob = MemberEvent.objects.filter(member__external_id="bob").order_by("pk")
    assert [(event.kind, event.field) for event in bob] == [("joined", ""), ("changed", "license")]


def test_a_licence_with_a_new_name_is_told_by_both(account: Connection) -> None:
    take(account, seated())
    take(account, seated("Business"), 1)
    event = MemberEvent.objects.get(kind="changed")
    assert (event.before, event.after) == ("Full", "Business")
    assert Member.objects.get().license == LicensePool.objects.get(name="Business")


def test_a_licence_that_is_gone_is_named_also_of_who_has_left(account: Connection) -> None:
    take(account, seated())
    take(account, Look([], [full()], []), 1)
    assert Member.objects.get().license is not None  # what they held is kept
    take(account, Look([], [], []), 2)
    assert Member.objects.get().license is None
    take(account, Look([ann()], [], []), 3)
    told = MemberEvent.objects.filter(field="license").order_by("pk")
    assert [(event.before, event.after) for event in told] == [("", "Full"), ("Full", "")]


@pytest.mark.fault(54)
def test_nobody_at_all_is_believed_only_where_one_insists(account: Connection) -> None:
    take(account, seated())
    nobody = opened(account)
    with pytest.raises(UnusualDrop, match="no longer lists 1 of 1 members"):
        apply_members(nobody, START, whole=True, insist=False)
    assert apply_members(nobody, START, whole=False, insist=False) == {}
    assert apply_members(nobody, START, whole=True, insist=True) == {"left": 1}
    assert Member.objects.get().left_at == START


def test_the_vendors_never_is_written_once_and_taken_back_when_it_is_not_repeated(
    account: Connection,
) -> None:
    others = [MemberRecord(key, "", key, "user", invited=False) for key in ("bob", "cat")]
    take(account, Look([ann(), *others], [], []))
    say(account, "ann", "bob", now=START)
    before = written()
    say(account, "bob", "ann", now=START + timedelta(days=1))
    assert written() == before
    say(account, "bob", "cat", now=START + timedelta(days=2))
    assert written() - before == Counter({"member updated": 2})
    told = Member.objects.order_by("external_id").values_list("never_source", "never_read_at")
    day = START + timedelta(days=2)
    assert list(told) == [("", None), ("signed_in", START), ("signed_in", day)]
    say(account, now=START + timedelta(days=3))
    assert not Member.objects.exclude(never_source="", never_read_at=None).exists()


def say(account: Connection, *keys: str, now: datetime) -> None:
    run = opened(account)
    for key in keys:
        stages.stage(run, Batch("activity", (AbsenceRecord(key, "signed_in"),)))
    apply_absences(run, now)


def test_evidence_that_is_known_is_not_written_again(account: Connection) -> None:
    take(account, seated())
    for days, is_news in ((1, True), (1, False), (0, False), (2, True)):
        before = written()
        proof = SignalRecord("ann", "acknowledged", START + timedelta(days=days), f"day {days}")
        Signal.objects.record(account, [proof], timezone.now())
        assert (written() != before) == is_news
    assert Member.objects.get().last_seen_proof == "day 2"
