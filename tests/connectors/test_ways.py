"""The ways in: what the operator must set for which, and what a setting may say."""

from datetime import timedelta

import pytest

from seatwise.connectors.base import seconds_in
from tests.connectors.accounts import connector

ISSUERS = {
    "https://identity.pagerduty.com/global/oauth/anonymous",
    "https://app.pagerduty.com/global/oauth/anonymous",
}


def test_the_recommended_way_comes_first_and_only_consents_need_the_operator() -> None:
    ways = {way.key: way for way in connector().ways}
    assert list(ways) == ["scoped", "classic", "key", "machine"]
    assert {key for key, way in ways.items() if way.needs} == {"scoped", "classic"}
    assert {key for key, way in ways.items() if way.picks_scopes} == {"scoped", "machine"}
    assert (ways["scoped"].idle, ways["scoped"].lasts) == (timedelta(days=30), timedelta(days=365))
    assert (ways["classic"].idle, ways["classic"].lasts) == (
        timedelta(days=210),
        timedelta(days=3 * 365),
    )


def test_the_permission_that_is_named_after_writing_is_offered_apart_and_says_why() -> None:
    (scope,) = (scope for scope in connector().scopes if "write" in scope.name)
    assert scope.optional
    assert "Seatwise only reads there" in scope.why


@pytest.mark.fault(7)
def test_only_the_vendors_own_issuers_are_believed_beside_a_code() -> None:
    assert connector().oauth_app({}).issuers == ISSUERS
    there = connector().oauth_app({"IDENTITY_URL": "http://127.0.0.1:1/identity/"})
    assert there.issuers == {*ISSUERS, "http://127.0.0.1:1/identity/global/oauth/anonymous"}


@pytest.mark.parametrize(("text", "seconds"), [("", None), ("1", 1), ("30", 30), ("86400", 86_400)])
def test_the_grace_of_a_replaced_refresh_token_is_unknown_unless_it_was_told(
    text: str, seconds: int | None
) -> None:
    assert connector().oauth_app({"REFRESH_GRACE": text}).grace == seconds
    assert seconds_in(text) == seconds


@pytest.mark.parametrize("text", ["0", "-1", "86401", "1e3", "1.5", "soon", " 5", "٣", "9" * 5000])
def test_a_grace_that_is_no_number_of_seconds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whole number of seconds from 1 to 86,400"):
        seconds_in(text)
