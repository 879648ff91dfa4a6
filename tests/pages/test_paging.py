"""Every page of a long list, forwards and backwards, whatever it is ordered by."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatwise.models import Connection, LicensePool, Member
from seatwise.models.keyset import LAST, Stretch
from seatwise.models.member import SORTS, MemberQuerySet
from seatwise.views.paging import part_of
from tests.pages import rows

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROLES = ["owner", "admin", "user"]
SORTED_BY = [sign + name for name in SORTS for sign in ("", "-")]
names = st.sampled_from(
    ["", "Ada", "ada", "Ada Lovelace", "Émile", "ß", "محمد", "\U0001f600", "a\\%_'"]
)


@pytest.fixture
def connection(db: None) -> Connection:
    return rows.connection(rows.service())


people = st.lists(
    st.tuples(
        names, st.sampled_from([*ROLES, "unheard_of"]), st.none() | st.integers(0, 3), st.booleans()
    ),
    max_size=14,
)


@pytest.mark.django_db
@pytest.mark.parametrize("sort", SORTED_BY)
@given(people=people, size=st.integers(1, 4))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_forwards_and_backwards_hold_everybody_once_in_order(
    connection: Connection, sort: str, people: list[tuple[str, str, int | None, bool]], size: int
) -> None:
    Member.objects.all().delete()
    LicensePool.objects.all().delete()
    pool = rows.license_pool(connection, "Business")
    for name, role, seen, licensed in people:
        member = rows.member(connection, name, role, license=pool if licensed else None)
        member.last_seen_at = None if seen is None else NOON - timedelta(days=seen)
        member.save()
    everybody = Member.objects.all()
    in_order = list(everybody.sorted_by(sort, ROLES).values_list("pk", flat=True))
    assert [pk for shown in _forwards(everybody, sort, size) for pk in shown.pks] == in_order
    assert [pk for shown in _backwards(everybody, sort, size) for pk in shown.pks] == in_order


def _page(members: MemberQuerySet, sort: str, place: str, size: int) -> Stretch:
    return members.stretch(sort, ROLES, place=place, size=size, total=members.count())


def _forwards(members: MemberQuerySet, sort: str, size: int) -> list[Stretch]:
    found = [_page(members, sort, "", size)]
    while found[-1].older:
        found.append(_page(members, sort, found[-1].older, size))
        assert found[-1].start == found[-2].end + 1
        assert _page(members, sort, found[-1].newer, size).pks == found[-2].pks
    return found


def _backwards(members: MemberQuerySet, sort: str, size: int) -> list[Stretch]:
    found = [_page(members, sort, LAST, size)]
    assert found[0].end == members.count()
    assert not found[0].older
    while found[0].newer:
        found.insert(0, _page(members, sort, found[0].newer, size))
        assert found[0].end == found[1].start - 1
    return found


@pytest.mark.django_db
@given(place=st.text(max_size=60) | st.binary(max_size=60).map(lambda b: "after." + b.hex()))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_place_that_nobody_gave_is_the_first_page(connection: Connection, place: str) -> None:
    first = Member.objects.none()
    shown = first.stretch("seen", place=place, size=2, total=0)
    assert (shown.pks, shown.newer, shown.older) == ([], "", "")


@pytest.mark.django_db
def test_the_place_of_another_order_is_the_first_page(connection: Connection) -> None:
    for number in range(5):
        rows.member(connection, f"Member {number}")
    by_name = Member.objects.stretch("name", place="", size=2, total=5)
    by_seen = Member.objects.stretch("seen", place=by_name.older, size=2, total=5)
    assert by_seen.start == 1


@given(length=st.integers(0, 30), size=st.integers(1, 7))
def test_pages_of_a_list_in_memory_hold_everything_once(length: int, size: int) -> None:
    pks = list(range(length))
    shown, found = part_of(pks, place="", size=size), []
    while shown.older:
        found += shown.pks
        shown = part_of(pks, place=shown.older, size=size)
    assert found + shown.pks == pks
    assert part_of(pks, place=LAST, size=size) == shown
