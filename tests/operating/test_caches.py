"""What is only kept does not push out what must not be forgotten."""

import pytest
from django.core.cache import caches

from seatwise.history.kept import kept
from seatwise.models import Service

COUNTER = "allauth:rl:login_failed:somebody"


@pytest.mark.django_db
def test_looking_at_many_days_leaves_the_counters_of_failed_signins(service: Service) -> None:
    """Any viewer may look at any day, and Django's own limit is 300."""
    caches["default"].set(COUNTER, [1.0, 2.0], 300)
    for number in range(320):
        kept(service.accounts, f"held on day {number}", lambda: {"seats": 1})
    assert caches["default"].get(COUNTER) == [1.0, 2.0]


@pytest.mark.django_db
def test_a_crowd_that_guesses_does_not_push_out_the_counters_of_the_others() -> None:
    caches["default"].set(COUNTER, [1.0, 2.0], 300)
    for number in range(320):
        caches["default"].set(f"allauth:rl:login_failed:{number}-of-a-crowd", [1.0], 300)
    caches["default"].set("zzz", [1.0], 300)
    assert caches["default"].get(COUNTER) == [1.0, 2.0]
    assert caches["default"].get("allauth:rl:login_failed:0-of-a-crowd") == [1.0]
