"""What a reader of the documentation must find there, and what the facts must hold."""

from pathlib import Path

import pytest

from seatwise.connectors import base
from seatwise.connectors.base import all_connectors, find, role_info
from tests.connectors.accounts import connector

PAGE = (Path(__file__).parents[2] / "docs" / "connectors.md").read_text(encoding="utf-8")


def test_every_permission_stands_in_the_documentation_with_its_reason() -> None:
    for scope in connector().scopes:
        rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{scope.name}` |")]
        assert len(rows) == 1, scope.name
        assert scope.why in rows[0]


def test_every_setting_stands_in_the_documentation_with_its_default() -> None:
    for setting in connector().settings:
        name = f"SEATWISE_{connector().key.upper()}_{setting.name}"
        rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
        assert len(rows) == 1, name
        assert not setting.default or f"`{setting.default}`" in rows[0]


def test_every_metric_stands_in_the_documentation() -> None:
    for metric in connector().metrics:
        assert f"| `{metric.key}` |" in PAGE
        assert f"`{metric.source}`" in PAGE


def test_the_connector_is_found_by_its_key_and_only_by_it() -> None:
    assert find("pagerduty") is all_connectors()["pagerduty"]
    assert find("nobody") is None


def test_the_headline_is_made_of_known_metrics() -> None:
    known = {metric.key for metric in connector().metrics}
    assert set(connector().usage_headline) <= known


@pytest.mark.fault(58)
def test_a_role_nobody_knows_is_neither_free_nor_paid() -> None:
    assert role_info(connector(), "owner").seat == "full"
    assert role_info(connector(), "read_only_limited_user").seat == "stakeholder"
    unknown = role_info(connector(), "wizard")
    assert (unknown.name, unknown.seat) == ("other (wizard)", "other")


def test_every_way_in_stands_in_the_documentation() -> None:
    for way in connector().ways:
        rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{way.key}`")]
        assert len(rows) == 1, way.key
        assert way.scope in rows[0]


def test_what_is_missing_without_a_permission_stands_in_the_documentation() -> None:
    for scope in connector().scopes:
        rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{scope.name}` |")]
        assert scope.loses in rows[0], scope.name


def test_every_power_of_a_reader_stands_in_the_documentation() -> None:
    powers = (
        base.ReadsMembers,
        base.ReadsLicenses,
        base.ReadsUsage,
        base.ReadsActivity,
        base.ReadsDuty,
    )
    for power in (*powers, base.Resumes):
        (method,) = (name for name in vars(power) if not name.startswith("_"))
        rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{method}(")]
        assert len(rows) == 1, method
    assert "`place`" in PAGE
