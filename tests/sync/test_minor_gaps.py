"""What other evidence stands in for is no limit of a connection."""

from dataclasses import asdict

import pytest

from seatwise.connectors.records import Gap
from seatwise.models import Connection, Service


@pytest.mark.parametrize("capability", ["account", "activity"])
def test_a_minor_gap_is_kept_and_neither_shown_nor_a_limit(capability: str) -> None:
    gap = Gap(capability, "Sign-ins cannot be read.", "Refused.", "Ask somebody.")
    minor = Gap(capability, "Sessions cannot be read.", "Refused.", "Ask somebody.", minor=True)
    kept = Connection(
        service=Service(key="acme"), account_gaps=[asdict(minor)], sync_gaps=[asdict(minor)]
    )
    assert kept.gaps == []
    assert not kept.is_limited
    assert kept.unreadable == set()
    both = Connection(account_gaps=[asdict(minor)], sync_gaps=[asdict(gap)])
    assert both.gaps == [asdict(gap)]
    assert both.is_limited is (capability != "account")


def test_a_gap_that_was_kept_before_there_were_minor_ones_is_none() -> None:
    old = {"capability": "usage", "what": "Usage cannot be read.", "why": "No.", "remedy": "Wait."}
    kept = Connection(service=Service(key="acme"), account_gaps=[old], sync_gaps=[])
    assert kept.is_limited
    assert kept.gaps == [old]


def test_what_nobody_asked_for_is_told_and_no_limit_also_where_a_sync_met_it() -> None:
    why = Gap("usage", "Usage cannot be read.", "It was not asked for.", "Tick it.", chosen=True)
    met = Gap("usage", "Usage cannot be read.", "PagerDuty refused it.", "Ask somebody.")
    other = Gap("licences", "Licences cannot be read.", "PagerDuty refused them.", "Ask somebody.")
    kept = Connection(account_gaps=[asdict(why)], sync_gaps=[asdict(met)])
    assert not kept.is_limited
    assert kept.unreadable == {"usage"}
    assert Connection(account_gaps=[asdict(why)], sync_gaps=[asdict(other)]).is_limited
