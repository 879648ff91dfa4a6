"""`seatwise sync`: a sync in the terminal."""

import pytest

from seatwise.cli.follow import sync_now
from seatwise.models import Connection, Member, Service, SyncRun
from tests.sandboxes import Running

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_reads_what_is_connected_and_says_how_it_went(
    connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sync_now("") == 0
    said = capsys.readouterr().out
    assert "PagerDuty harbor-prod" in said
    assert "40 of 40 members" in said
    assert "Done: " in said
    assert Member.objects.count() == 40
    assert SyncRun.objects.get().state == "done"


@pytest.mark.usefixtures("impatient")
def test_a_sync_that_does_not_finish_says_why_and_counts_as_failed(
    connection: Connection, vendor: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    vendor.fault(path="/users", kind="status", status=403, times=10)
    assert sync_now("pagerduty") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "Action needed: " in said
    assert SyncRun.objects.get().remedy in said


def test_a_name_nobody_connected_lists_those_there_are(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sync_now("nonsense") == 1
    assert "Services: pagerduty." in capsys.readouterr().out
