"""Sealing of secrets."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatwise.vault import LONGEST, CannotOpen, KeyMissing, Ring, key_id_of, new_key

OLD, NEW = new_key(), new_key()
RING = Ring.parse(OLD)
KEY_ID = RING.first
SEALED_BEFORE = "v1.c3927273.153_wI97gsB1ev1yjylDP2VQNGJixBuR0YHco53oacAlEvyjkJWiB2TzhA6F5g=="
SECRETS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
PLACES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(secret=SECRETS, place=PLACES)
def test_what_is_sealed_opens_at_its_place(secret: str, place: str) -> None:
    assert RING.open(RING.seal(secret, place), place) == secret


@pytest.mark.fault(87)
@given(secret=SECRETS, place=PLACES, other=PLACES)
def test_what_is_sealed_opens_at_no_other_place(secret: str, place: str, other: str) -> None:
    if place != other:
        with pytest.raises(CannotOpen):
            RING.open(RING.seal(secret, place), other)


@pytest.mark.fault(87)
@given(secret=SECRETS, position=st.integers(min_value=0), bit=st.integers(0, 7), cut=st.booleans())
def test_an_altered_ciphertext_does_not_open(
    secret: str, position: int, bit: int, cut: bool
) -> None:
    sealed = RING.seal(secret, "place")
    index = position % len(sealed)
    other = "" if cut else chr(ord(sealed[index]) ^ (1 << bit))
    with pytest.raises(CannotOpen):
        RING.open(sealed[:index] + other + sealed[index + 1 :], "place")


@pytest.mark.fault(87)
@given(position=st.integers(min_value=0), stranger=st.characters())
def test_a_ciphertext_with_something_added_does_not_open(position: int, stranger: str) -> None:
    sealed = RING.seal("a secret", "place")
    index = position % (len(sealed) + 1)
    with pytest.raises(CannotOpen):
        RING.open(sealed[:index] + stranger + sealed[index:], "place")


@given(st.text() | st.text("v1.=-_ab0").map(lambda text: f"v1.{KEY_ID}.{text}"))
@example(f"v1.{KEY_ID}.{'A' * LONGEST}")
@example(f"v1.{KEY_ID}.")
@example(f"v1.{KEY_ID}.\ud800")
def test_whatever_is_no_ciphertext_is_refused_as_one(garbage: str) -> None:
    with pytest.raises(CannotOpen):
        RING.open(garbage, "place")


@given(secret=SECRETS, place=PLACES)
def test_a_secret_sealed_anew_is_the_same_and_needs_the_old_key_no_more(
    secret: str, place: str
) -> None:
    resealed = Ring.parse(f"{NEW},{OLD}").reseal(RING.seal(secret, place), place)
    assert key_id_of(resealed) == Ring.parse(NEW).first
    assert Ring.parse(NEW).open(resealed, place) == secret


def test_what_an_earlier_release_sealed_opens() -> None:
    ring = Ring.parse("dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=")
    assert ring.open(SEALED_BEFORE, "connection:7:refresh_token") == "kept over releases"


def test_an_old_key_on_the_ring_still_opens_and_the_first_one_seals() -> None:
    sealed = RING.seal("kept", "place")
    ring = Ring.parse(f"{NEW},{OLD}")
    assert ring.open(sealed, "place") == "kept"
    assert Ring.parse(NEW).open(ring.seal("fresh", "place"), "place") == "fresh"
    assert ring.ids == (ring.first, KEY_ID)


def test_a_lost_key_is_said_so_by_its_id() -> None:
    sealed = RING.seal("secret", "place")
    with pytest.raises(KeyMissing, match=f"{KEY_ID}, which is not configured") as caught:
        Ring.parse(NEW).open(sealed, "place")
    assert caught.value.key_id == KEY_ID


@pytest.mark.parametrize(
    "text",
    ["", "short", "not base64 at all!", "YWJj", f"{OLD},{OLD}"],
    ids=["empty", "short", "no base64", "too few bytes", "one twice"],
)
def test_an_unusable_key_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="a key"):
        Ring.parse(text)


def test_a_ring_never_shows_its_keys() -> None:
    assert OLD not in repr(RING)
