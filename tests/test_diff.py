"""What changed between two looks at an account."""

from collections.abc import Iterable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from seatwise.connectors.records import MemberRecord
from seatwise.diff import Known, Pair, changes

RECORDS = st.builds(
    MemberRecord,
    external_id=st.text("ABé0", min_size=1, max_size=3),
    email=st.sampled_from(["a@x.example", "b@x.example", ""]),
    name=st.sampled_from(["Ann", "Bob"]),
    role=st.sampled_from(["owner", "user"]),
    invited=st.booleans(),
)
ACCOUNTS = st.lists(RECORDS, max_size=12, unique_by=lambda record: record.external_id)


@given(before=ACCOUNTS, gone=st.sets(st.integers(0, 11)), after=ACCOUNTS)
def test_applying_the_changes_gives_what_the_vendor_lists(
    before: list[MemberRecord], gone: set[int], after: list[MemberRecord]
) -> None:
    known = [Known(record, left=index in gone) for index, record in enumerate(before)]
    present = {each.record.external_id: each.record for each in known if not each.left}
    for change in changes(pairs(known, after)):
        if change.record is None:
            del present[change.external_id]
        else:
            present[change.external_id] = change.record
    assert present == {record.external_id: record for record in after}


@given(account=ACCOUNTS)
def test_an_unchanged_account_has_no_changes(account: list[MemberRecord]) -> None:
    known = [Known(record, left=False) for record in account]
    assert list(changes(pairs(known, account))) == []


@given(before=ACCOUNTS, after=ACCOUNTS)
def test_nobody_is_named_twice(before: list[MemberRecord], after: list[MemberRecord]) -> None:
    known = [Known(record, left=False) for record in before]
    found = [change.external_id for change in changes(pairs(known, after))]
    assert len(found) == len(set(found))


def test_a_changed_role_tells_before_and_after() -> None:
    before = MemberRecord("P1", "a@x.example", "Ann", "user", invited=False)
    after = MemberRecord("P1", "a@x.example", "Ann", "owner", invited=False, job_title="SRE")
    (change,) = changes([(Known(before, left=False), after)])
    assert list(change.remembered) == [("role", "user", "owner")]
    assert change.facts == {}


def test_who_comes_or_comes_back_is_told_with_all_that_history_keeps() -> None:
    ann = MemberRecord("P1", "a@x.example", "Ann", "user", invited=True, job_title="SRE")
    facts = {"email": "a@x.example", "name": "Ann", "role": "user", "invited": True}
    (joined,) = changes([(None, ann)])
    (returned,) = changes([(Known(ann, left=True), ann)])
    (left,) = changes([(Known(ann, left=False), None)])
    assert [each.kind for each in (joined, returned, left)] == ["joined", "returned", "left"]
    assert [each.facts for each in (joined, returned, left)] == [facts, facts, {}]


def pairs(known: Iterable[Known], listed: Iterable[MemberRecord]) -> Iterator[Pair]:
    """Both sides put together by the vendor's id."""
    ours = {each.record.external_id: each for each in known}
    theirs = {record.external_id: record for record in listed}
    for key in sorted(ours.keys() | theirs.keys()):
        yield ours.get(key), theirs.get(key)
