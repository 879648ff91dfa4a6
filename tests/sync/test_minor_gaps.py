"""What other evidence stands in for is no limit of a connection."""

from dataclasses import asdict

import pytest

from seatwise.connectors.records import Gap
from seatwise.models import Connection


@pytest.mark.parametrize("capability", ["account", "activity"])
def test_a_minor_gap_is_kept_and_neither_shown_nor_a_limit(capability: str) -> None:
    gap = Gap(capability, "Sign-ins cannot be read.", "Refused.", "Ask somebody.")
    minor = Gap(capability, "Sessions cannot be read.", "Refused.", "Ask somebody.", minor=True)
    kept = Connection(account_gaps=[asdict(minor)], sync_gaps=[asdict(minor)])
    assert kept.gaps == []
    assert not kept.is_limited
    assert kept.unreadable == set()
    assert kept.account.gaps == (minor,)
    both = Connection(account_gaps=[asdict(minor)], sync_gaps=[asdict(gap)])
    assert both.gaps == [asdict(gap)]
    assert both.is_limited is (capability != "account")


def test_a_gap_that_was_kept_before_there_were_minor_ones_is_none() -> None:
    old = {"capability": "usage", "what": "Usage cannot be read.", "why": "No.", "remedy": "Wait."}
    kept = Connection(account_gaps=[old], sync_gaps=[])
    assert kept.is_limited
    assert kept.account.gaps == (Gap("usage", "Usage cannot be read.", "No.", "Wait."),)
