"""What every connector promises about the ways in and the checks before trust."""

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from seatwise.connectors.base import readable, scopes_to_ask, seconds_in
from seatwise.connectors.errors import CredentialsRejected
from seatwise.connectors.records import Check
from tests.connectors.readings import Entrance

if TYPE_CHECKING:
    from tests.connectors.contract import AVendor

MOST_REQUESTS = 10  # somebody is waiting
LONGEST_KEY = 20  # characters, as it is kept
ALWAYS_KNOWN = {"account", "usage", "activity"}


class EnteringContract:
    """A part of `ConnectorContract`."""

    def test_each_way_in_can_be_told_apart_and_says_what_it_takes(self, vendor: "AVendor") -> None:
        connector = vendor.enter(frozenset()).connector
        settings = {setting.name for setting in connector.settings}
        assert connector.ways
        assert len({way.key for way in connector.ways}) == len(connector.ways)
        for way in connector.ways:
            assert re.fullmatch(r"[a-z_]+", way.key), way
            assert len(way.key) <= LONGEST_KEY
            assert way.name, way
            assert way.what.endswith("."), way
            assert settings.issuperset(way.needs), way
            assert way.kind == "consent" or not (way.needs or way.scope or way.lasts), way
            assert all(life is None or life > timedelta() for life in (way.idle, way.lasts))

    def test_a_way_without_settings_needs_none_of_the_operator(self, vendor: "AVendor") -> None:
        connector = vendor.enter(frozenset()).connector
        needed = {name for way in connector.ways for name in way.needs}
        unset = {setting.name for setting in connector.settings if setting.default is None}
        assert unset <= needed
        for setting in connector.settings:
            if setting.is_seconds:
                seconds_in(setting.default or "")  # raises ValueError

    def test_each_scope_says_what_it_brings_and_what_is_missing_without_it(
        self, vendor: "AVendor"
    ) -> None:
        scopes = vendor.enter(frozenset()).connector.scopes
        assert len({scope.name for scope in scopes}) == len(scopes)
        for scope in scopes:
            assert scope.reads
            assert scope.why
            assert scope.loses.endswith("."), scope.name
            assert not (scope.required and scope.optional), scope.name
        required = {scope.name for scope in scopes if scope.required}
        assert required <= set(scopes_to_ask(scopes))

    def test_asking_for_everything_on_a_full_account_leaves_no_gap(self, vendor: "AVendor") -> None:
        entrance = vendor.enter(_all(vendor))
        vendor.asked()
        checks = _inspected(entrance, _all(vendor))
        assert 0 < len(vendor.asked()) <= MOST_REQUESTS
        assert [(check.key, check.found) for check in checks if check.verdict != "ok"] == []
        assert [check.gap for check in checks if check.gap] == []

    def test_whatever_was_granted_the_checks_say_what_is_missing_and_who_can_help(
        self, vendor: "AVendor"
    ) -> None:
        every = _all(vendor)
        for granted in (frozenset[str](), every, *(every - {scope} for scope in sorted(every))):
            entrance = vendor.enter(granted)
            vendor.asked()
            checks = _inspected(entrance, every)
            methods = vendor.asked()
            assert len(methods) <= MOST_REQUESTS
            assert set(methods) <= {"GET"} or any("write" in scope for scope in granted)
            _sound(entrance, checks)
            _true(entrance, granted, checks)

    def test_no_secret_is_in_a_check(self, vendor: "AVendor") -> None:
        entrance = vendor.enter(_all(vendor))
        told = repr(_inspected(entrance, _all(vendor)))
        assert not [each for each in vendor.secrets() | entrance.secrets if each in told]

    def test_a_token_that_is_refused_is_no_list_of_checks(self, vendor: "AVendor") -> None:
        entrance = vendor.enter(_all(vendor))
        refused = Entrance(entrance.connector, entrance.config, entrance.account, "made-up")
        with pytest.raises(CredentialsRejected):
            _inspected(refused, _all(vendor))


def _all(vendor: "AVendor") -> frozenset[str]:
    return frozenset(scope.name for scope in vendor.enter(frozenset()).connector.scopes)


def _inspected(entrance: Entrance, asked: frozenset[str]) -> tuple[Check, ...]:
    inspect = entrance.connector.inspect
    return asyncio.run(inspect(entrance.config, entrance.account, entrance.token, asked))


def _sound(entrance: Entrance, checks: tuple[Check, ...]) -> None:
    connector = entrance.connector
    known = ALWAYS_KNOWN | connector.reads.keys() | {metric.key for metric in connector.metrics}
    assert len({check.key for check in checks}) == len(checks)
    for check in checks:
        assert check.name, check
        assert check.found.endswith("."), check
        assert check.verdict == "ok" or check.remedy.endswith("."), check
        assert check.gap is None or check.verdict != "ok", check
        assert check.gap is None or check.gap.capability in known, check
        assert check.gap is None or (check.gap.what and check.gap.why and check.gap.remedy), check


def _true(entrance: Entrance, granted: frozenset[str], checks: tuple[Check, ...]) -> None:
    """What the manifest promises is no gap, and what it does not promise is one."""
    connector = entrance.connector
    promised = readable(connector, granted)
    missing = {check.gap.capability for check in checks if check.gap}
    for what in ("members", "licences"):
        if what in connector.reads:
            assert (what in missing) == (what not in promised), (what, granted)
    metrics = {metric.key for metric in connector.metrics} & connector.reads.keys()
    if metrics:
        untold = metrics - promised
        assert bool(missing & {"usage", *metrics}) == bool(untold), (untold, granted)
