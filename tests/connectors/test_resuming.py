"""Lists that another attempt goes on with, while people come, go and are renamed."""

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.enumerating import enumerated
from seatwise.connectors.pagerduty.members import read_members
from seatwise.connectors.pagerduty.paging import Chunk, Place
from seatwise.connectors.pagerduty.places import Begun, ending, of_page, opened, written
from seatwise.connectors.records import Batch, MemberRecord
from seatwise.connectors.state import StateRefused
from tests.connectors.moving import COMES_OR_GOES, Change, Moving, changes

CUTS = st.lists(st.integers(0, 6), min_size=1, max_size=4)  # pages that each attempt reads
ANYTHING = st.lists(changes((*COMES_OR_GOES, "is renamed")), max_size=4)
LITTLE = st.lists(changes(COMES_OR_GOES, 3), max_size=30)


async def in_attempts(
    people: Moving, cuts: list[int], between: list[list[Change]]
) -> tuple[list[str], Chunk[str]]:
    """All that is handed over by attempts of which each but the last is cut off."""
    read: list[str] = []
    place: Place | None = None
    moments = iter(between)
    for most in [*cuts, 10_000]:
        before = set(read)
        pages = enumerated(people.fetch, str, place=place, read=before)
        async with aclosing(pages) as chunks:
            for _ in range(most):
                chunk = await anext(chunks)
                if chunk.anew:  # what was read before is void
                    read, before = [], set()
                read += [who for who in chunk.rows if who not in before]
                if chunk.last:
                    return read, chunk
                place = chunk.place
        people.happen(next(moments, []))
    raise AssertionError("it never ends")


@pytest.mark.fault(49)
@settings(max_examples=80, deadline=None)
@given(
    size=st.integers(0, 60),
    rows=st.integers(8, 14),  # more come on a page than join before the next
    cuts=CUTS,
    between=ANYTHING,
    during=LITTLE,
)
def test_nobody_who_stayed_is_missing_from_a_list_gone_on_with_that_says_it_is_complete(
    size: int,
    rows: int,
    cuts: list[int],
    between: list[list[Change]],
    during: list[list[Change]],
) -> None:
    people = Moving(size, rows)
    people.during = iter(during)
    read, last = asyncio.run(in_attempts(people, cuts, between))
    assert len(read) == len(set(read))
    if not last.lacking:
        assert people.stayed - people.renamed <= set(read)


@pytest.mark.fault(49)
@pytest.mark.parametrize("other", COMES_OR_GOES)
def test_nor_is_anybody_who_was_renamed_between_the_attempts(other: str) -> None:
    """A list that moves by names alone shows it only in how many there are, and where."""

    @settings(max_examples=50, deadline=None)
    @given(
        size=st.integers(8, 40),
        rows=st.integers(5, 9),
        cuts=CUTS,
        between=st.lists(changes((other, "is renamed"), 3), max_size=4),
    )
    def check(size: int, rows: int, cuts: list[int], between: list[list[Change]]) -> None:
        people = Moving(size, rows)
        read, last = asyncio.run(in_attempts(people, cuts, between))
        assert last.lacking == 0
        assert people.stayed <= set(read)

    check()


@given(size=st.integers(10, 60), rows=st.integers(5, 9), cut=st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_of_a_list_that_stands_still_only_the_rest_is_asked_for(
    size: int, rows: int, cut: int
) -> None:
    people, again = Moving(size, rows), Moving(size, rows)
    asyncio.run(in_attempts(people, [], []))
    read, _ = asyncio.run(in_attempts(again, [cut], []))
    assert read == people.people
    assert again.asked <= people.asked


@pytest.mark.fault(49)
@pytest.mark.parametrize(("leave", "join"), [(0, 0), (1, 0), (2, 2), (0, 1), (3, 1)])
@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_whoever_is_renamed_into_the_part_that_was_read_is_read_all_the_same(
    leave: int, join: int, cut: int
) -> None:
    """Those who were read and have gone would make up for one in the counting."""
    people = Moving(40, 10)
    moment = [("is renamed", 1.0, 0.0)]
    moment += [("leaves", 0.1, 0.0)] * leave + [("joins", 1.0, 0.0)] * join
    read, last = asyncio.run(in_attempts(people, [cut], [moment]))
    assert last.lacking == 0
    assert "P039" in people.renamed & set(read)
    assert people.stayed <= set(read)


@pytest.mark.parametrize("cuts", [[3], [3, 1], [3, 2], [3, 3], [1, 3, 3]])
def test_whoever_was_met_and_has_gone_makes_up_for_nobody_who_is_lacking(cuts: list[int]) -> None:
    """The vendor counts one more than it lists; then somebody leaves who was read."""
    people = Moving(40, 10)
    people.hidden = people.people[-1]
    read, last = asyncio.run(in_attempts(people, cuts, [[("leaves", 0.0, 0.0)]]))
    assert len(read) == 38  # neither who has gone nor who is not shown
    assert last.lacking == 1


async def members_in_attempts(
    people: Moving, ceiling: int, cuts: list[int], between: list[list[Change]]
) -> tuple[list[str], Batch]:
    """All members handed over by attempts of which each but the last is cut off."""
    read: list[str] = []
    begun: Begun | None = None
    moments = iter(between)
    for most in [*cuts, 10_000]:
        batches = read_members(cast("Api", people), ceiling, begun)
        async with aclosing(batches):
            for _ in range(most):
                batch = await anext(batches)
                if batch.anew:  # what was handed over before is void
                    read = []
                read += [r.external_id for r in batch.records if isinstance(r, MemberRecord)]
                assert batch.done == len(read)
                if batch.ended:
                    return read, batch
                assert batch.place is not None
                begun = Begun(opened("members", batch.place, ended=False), frozenset(read))
        people.happen(next(moments, []))
    raise AssertionError("it never ends")


SEARCHES = st.lists(st.integers(0, 60), min_size=1, max_size=4)


@pytest.mark.fault(50)
@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(20, 60),
    cuts=SEARCHES,
    between=ANYTHING,
    during=LITTLE,
)
def test_nobody_who_stayed_is_missing_when_a_search_for_all_is_gone_on_with(
    size: int, cuts: list[int], between: list[list[Change]], during: list[list[Change]]
) -> None:
    people = Moving(size, 8, ends="abc")
    people.during = iter(during)
    read, last = asyncio.run(members_in_attempts(people, 14, cuts, between))
    assert len(read) == len(set(read))
    if last.complete:
        assert people.stayed - people.renamed <= set(read)


@pytest.mark.fault(50)
@pytest.mark.parametrize("other", COMES_OR_GOES)
def test_nor_anybody_whose_address_is_another_between_the_attempts(other: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(
        size=st.integers(20, 50),
        cuts=SEARCHES,
        between=st.lists(changes((other, "is renamed"), 3), max_size=4),
    )
    def check(size: int, cuts: list[int], between: list[list[Change]]) -> None:
        people = Moving(size, 5, ends="abc")
        read, last = asyncio.run(members_in_attempts(people, 12, cuts, between))
        if last.complete:
            assert people.stayed <= set(read)
        else:
            assert last.gaps

    check()


class Addressed(Moving):
    """People of whom some, told by the ends of their addresses, do something between attempts."""

    def happen(self, moment: Iterable[Change]) -> None:
        for kind, _, _ in moment:
            if kind == "joins":
                self.people.append(f"N{len(self.address)}")
                self.address[self.people[-1]] = "nb@x.example"
            elif kind == "leaves":
                self.people.remove(gone := self.whose("a"))
                self.stayed.discard(gone)
            else:
                self.address[self.whose("b")] = "xa@x.example"

    def whose(self, end: str) -> str:
        """The last who is listed of those whose address ends so before the @."""
        return next(who for who in reversed(self.people) if f"{end}@" in self.address[who])


JOIN, LEAVE, RENAME = ((kind, 0.0, 0.0) for kind in ("joins", "leaves", "is renamed"))


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    "between", [[[LEAVE, RENAME]], [[LEAVE, RENAME, JOIN, JOIN]], [[LEAVE], [RENAME]]]
)
@pytest.mark.parametrize("cut", range(6, 24, 3))  # "a@" is searched for first, "b@" last
def test_whoever_gets_an_address_that_was_searched_for_is_read_or_counts_as_lacking(
    between: list[list[Change]], cut: int
) -> None:
    people = Addressed(40, 8, ends="abc")
    read, last = asyncio.run(members_in_attempts(people, 14, [cut] * len(between), between))
    assert people.stayed <= set(read) or not last.complete
    assert last.complete or last.gaps


@pytest.mark.parametrize("cut", range(9, 24, 4))
def test_whoever_was_searched_for_and_has_gone_makes_up_for_nobody_either(cut: int) -> None:
    people = Addressed(40, 8, ends="abc")
    people.hidden = people.whose("b")
    _, last = asyncio.run(members_in_attempts(people, 14, [cut], [[LEAVE]]))
    assert not last.complete
    assert last.gaps[0].what.startswith("38 of 39 members were read")


@settings(max_examples=6, deadline=None)
@given(cut=st.integers(3, 40))
def test_searches_that_are_done_are_not_asked_again(cut: int) -> None:
    whole, people = Moving(60, 5, ends="abc"), Moving(60, 5, ends="abc")
    asyncio.run(members_in_attempts(whole, 12, [], []))
    read, last = asyncio.run(members_in_attempts(people, 12, [cut], []))
    assert last.complete
    assert sorted(read) == sorted(people.people)
    # One question tells how many there are, and the search that was begun is begun again.
    assert people.asked <= whole.asked + 1 + 3


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), value=VALUES)
def test_a_place_in_which_anything_is_changed_is_refused(
    data: st.DataObject, value: object
) -> None:
    places = [
        of_page("members", Place(97, ("P1", "P2", "P3"), 250, 100, 1, 250)),
        ending("members", complete=False, met=250),
        written("members", search="usual", ahead=[["@", 9, "abc"]], counted=9, total=9, met=3),
    ]
    place = data.draw(st.sampled_from(places))
    name = data.draw(st.sampled_from(sorted(place)) | st.text(max_size=3))
    ended = "ended" in place
    assert opened("members", place, ended=ended).items() <= place.items()
    changed = {**place, name: value}
    if changed != place or type(value) is not type(place.get(name)):
        with pytest.raises(StateRefused, match=r"anew\.$"):
            opened("members", changed, ended=ended)
    for stage, said in (("licences", ended), ("members", not ended)):
        with pytest.raises(StateRefused):
            opened(stage, place, ended=said)  # type: ignore[arg-type]


@given(value=VALUES)
def test_what_is_no_place_at_all_is_refused(value: object) -> None:
    with pytest.raises(StateRefused):
        opened("members", value, ended=True)  # type: ignore[arg-type]
