"""Every page of a long list, forwards and backwards, whatever it is ordered by."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatwise.models import Connection, LicensePool, Member, keyset
from seatwise.models.keyset import AFTER, BEFORE, LAST, Stretch
from seatwise.models.member import MemberQuerySet
from seatwise.models.member_order import SORTS
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


HELD = ["", "Business", "Stakeholder"]
people = st.lists(
    st.tuples(
        names,
        st.sampled_from([*ROLES, "unheard_of"]),
        st.none() | st.integers(0, 3),
        st.sampled_from(HELD),
    ),
    max_size=14,
)


@pytest.fixture(params=["few", "many"])
def as_if_few_or_many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many are asked for in parts that an index has in order, few all at once."""
    if request.param == "many":
        monkeypatch.setattr(keyset, "FEW", 0)


@pytest.mark.django_db
@pytest.mark.usefixtures("as_if_few_or_many")
@pytest.mark.parametrize("sort", SORTED_BY)
@given(people=people, size=st.integers(1, 4))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_forwards_and_backwards_hold_everybody_once_in_order(
    connection: Connection, sort: str, people: list[tuple[str, str, int | None, str]], size: int
) -> None:
    Member.objects.all().delete()
    LicensePool.objects.all().delete()
    pools = {name: rows.license_pool(connection, name) for name in HELD if name}
    for name, role, seen, held in people:
        member = rows.member(connection, name, role, license=pools.get(held))
        member.last_seen_at = None if seen is None else NOON - timedelta(days=seen)
        member.save()
    everybody = Member.objects.all()
    in_order = list(everybody.sorted_by(sort, ROLES).values_list("pk", flat=True))
    assert [pk for shown in _forwards(everybody, sort, size) for pk in shown.pks] == in_order
    assert [pk for shown in _backwards(everybody, sort, size) for pk in shown.pks] == in_order


@pytest.mark.django_db
def test_a_page_goes_on_though_what_its_first_row_shared_with_others_is_gone(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "FEW", 0)
    members = _seven(connection)
    third = _page(members, "license", _page(members, "license", "", 2).older, 2)
    LicensePool.objects.update(name="Automation")  # which stands before the place
    unknown = list(members.filter(license=None).order_by("name").values_list("pk", flat=True))
    assert _page(members, "license", third.older, 9).pks == unknown


def _page(members: MemberQuerySet, sort: str, place: str, size: int) -> Stretch:
    return members.stretch(
        sort,
        ROLES,
        Connection.objects.all(),
        members.with_status(NOON).with_age(NOON).tally(),
        place=place,
        size=size,
        total=members.count(),
    )


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


def _told(place: str) -> list[object]:
    """What a place says: the number of its row, then the row's keys."""
    text = place.partition(".")[2]
    told: list[object] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return told


def _place(direction: str, told: object) -> str:
    # As others than we write it, too: `NaN`, and halves of a pair that no UTF-8 has.
    text = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    return direction + text


def _seven(connection: Connection) -> MemberQuerySet:
    """Members of whom some things are known and some are not."""
    pool = rows.license_pool(connection, "Business")
    for number in range(7):
        rows.member(
            connection,
            f"Member {number}",
            ROLES[number % 3],
            seen=None if number > 4 else number,
            license=None if number > 4 else pool,
        )
    return Member.objects.all()


BAD: dict[str, object] = {
    "a number larger than the database has": 2**70,
    "one that is smaller": -(2**70),
    "a fraction": 1.5,
    "no number": float("nan"),
    "infinity": float("inf"),
    "a zero character": "\0",
    "half of a pair": "\ud800",
    "a name that ends in half of a pair": "Ada \udfff",
    "true": True,
    "false": False,
    "a list": [[1]],
    "a deep list": [[[[["Ada"]]]]],
    "an object": {"name": "Ada"},
    "a time without a zone": "2026-11-23T12:00:00",
    "a day": "2026-11-23",
    "the last time there is, west of here": "9999-12-31T23:59:59-12:00",
    "the first time there is, east of here": "0001-01-01T00:00:00+12:00",
}
# What is text to a key of text, and can be asked for, is no bad value there.
TEXTS = ("a time", "a day", "the last time", "the first time")


@pytest.mark.django_db
@pytest.mark.parametrize("direction", [AFTER, BEFORE])
@pytest.mark.parametrize("sort", SORTED_BY)
def test_a_place_with_a_value_that_nobody_gave_is_the_first_page(
    connection: Connection, sort: str, direction: str
) -> None:
    members = _seven(connection)
    first = _page(members, sort, "", 3)
    true = _told(first.older)
    wrong = []
    for at, given_value in enumerate(true):
        for name, bad in BAD.items():
            if (
                isinstance(given_value, str)
                and name.startswith(TEXTS)
                and not _is_time(given_value)
            ):
                continue
            told = [*true[:at], bad, *true[at + 1 :]]
            shown = _page(members, sort, _place(direction, told), 3)
            if (shown.pks, shown.start, shown.newer) != (first.pks, 1, ""):
                wrong.append((at, name, shown))
    assert wrong == []


def _is_time(value: str) -> bool:
    return value[:2] == "20" and value[10:11] == "T"


@pytest.mark.django_db
@pytest.mark.parametrize("sort", SORTED_BY)
def test_a_place_of_another_form_is_the_first_page(connection: Connection, sort: str) -> None:
    members = _seven(connection)
    first = _page(members, sort, "", 3)
    true = _told(first.older)
    others: Sequence[object] = [
        [], {}, None, 7, "text", true[:-1], [*true, 1], [true], dict.fromkeys(map(str, true)),
        [None, *true[1:]], [*true[:-1], None], [[]] * len(true),
    ]  # fmt: skip
    places = [_place(direction, told) for told in others for direction in (AFTER, BEFORE)]
    places += ["after", "after.", "before.", ".", f"beside.{first.older[6:]}"[:9], "after.%%%"]
    places += [
        _place(AFTER, true)[:-3],
        _place(AFTER, [*true[:-1], "x" * 5000]),
        "after." + "W" * 9,
    ]
    shown = {place: _page(members, sort, place, 3) for place in places}
    assert {place: each.pks for place, each in shown.items() if each.pks != first.pks} == {}
    assert {each.newer for each in shown.values()} == {""}
    deep = "after." + base64.urlsafe_b64encode(b"[" * 2900).decode()
    assert _page(members, sort, deep, 3) == first


@pytest.mark.django_db
@given(place=st.text(max_size=60) | st.binary(max_size=60).map(lambda b: "after." + b.hex()))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_place_of_any_letters_is_the_first_page(connection: Connection, place: str) -> None:
    if not Member.objects.exists():
        _seven(connection)
    if place != LAST:
        first = _page(Member.objects.all(), "seen", "", 2)
        assert _page(Member.objects.all(), "seen", place, 2) == first


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
