"""Sealing of secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwise.vault import CannotOpen, Ring, new_key

RING = Ring.parse(new_key())


@given(secret=st.text(max_size=4000), place=st.text(min_size=1, max_size=100))
def test_what_is_sealed_opens_at_its_place(secret: str, place: str) -> None:
    secret = secret.encode("utf-8", "ignore").decode()
    place = place.encode("utf-8", "ignore").decode()
    assert RING.open(RING.seal(secret, place), place) == secret


@pytest.mark.fault(87)
def test_a_ciphertext_moved_to_another_row_does_not_open() -> None:
    sealed = RING.seal("pdus+_secret", "connection:1:access_token")
    with pytest.raises(CannotOpen):
        RING.open(sealed, "connection:2:access_token")


@given(position=st.integers(min_value=0), bit=st.integers(0, 5))
def test_an_altered_ciphertext_does_not_open(position: int, bit: int) -> None:
    sealed = RING.seal("a secret", "place")
    index = position % len(sealed)
    altered = sealed[:index] + chr(ord(sealed[index]) ^ (1 << bit)) + sealed[index + 1 :]
    try:
        opened = RING.open(altered, "place")
    except CannotOpen:
        return
    # base64's last character carries bits that mean nothing; whatever opens is the original.
    assert opened == "a secret"


def test_an_old_key_on_the_ring_still_opens_and_the_first_one_seals() -> None:
    old, new = new_key(), new_key()
    sealed = Ring.parse(old).seal("kept", "place")
    ring = Ring.parse(f"{new},{old}")
    assert ring.open(sealed, "place") == "kept"
    assert Ring.parse(new).open(ring.seal("fresh", "place"), "place") == "fresh"


def test_a_lost_key_is_said_so() -> None:
    sealed = RING.seal("secret", "place")
    with pytest.raises(CannotOpen, match="not configured"):
        Ring.parse(new_key()).open(sealed, "place")


@pytest.mark.parametrize("text", ["", "short", "not base64 at all!", "YWJj"])
def test_an_unusable_key_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="a key"):
        Ring.parse(text)


def test_a_ring_never_shows_its_keys() -> None:
    key = new_key()
    assert key not in repr(Ring.parse(key))
