"""Costs and findings are worked out after a sync, after a file, and once a day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from seatwise import insights, sync, tasks
from seatwise.models import Connection, Cost, Finding, RuleLook, SyncRun
from seatwise.tasks import looking
from tests.insights.wasteful import contract, wasteful
from tests.sandboxes import Running


@pytest.mark.django_db
def test_after_a_sync_the_rules_have_looked_and_costs_are_there(
    vendor: Running, connection: Connection
) -> None:
    contract(connection.service)
    run, _ = sync.open_run(connection, by=None)
    tasks.carry_out(run.pk, stopping=lambda: False)
    assert RuleLook.objects.of(connection.service)
    assert Finding.objects.of(connection.service).exists()
    assert Cost.objects.of(connection.service).exists()


@pytest.mark.django_db
def test_an_error_of_the_rules_fails_no_sync(
    vendor: Running,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_given: object) -> None:
        raise RuntimeError("a rule is wrong")

    monkeypatch.setattr(insights, "run", broken)
    run, _ = sync.open_run(connection, by=None)
    tasks.carry_out(run.pk, stopping=lambda: False)
    run.refresh_from_db()
    assert run.state in ("done", "done_with_notes")
    assert "could not look" in caplog.text


@pytest.mark.django_db
def test_a_sync_that_did_not_end_well_leaves_the_findings(connection: Connection) -> None:
    run = SyncRun.objects.create(
        connection=connection, state="action_needed", created_at=timezone.now()
    )
    looking.look_after_run(run.pk)
    assert not RuleLook.objects.of(connection.service)


@pytest.mark.django_db
def test_each_day_every_service_is_looked_at_and_snoozes_end() -> None:
    found = wasteful()
    found.looked()
    finding = Finding.objects.of(found.service).of_rule("idle_full_seat").first()
    assert finding is not None
    yesterday = timezone.now().date() - timedelta(days=1)
    Finding.objects.numbered(found.service, [finding.pk]).update(state="snoozed", until=yesterday)
    looking.look_at_all(stopping=lambda: False)
    finding.refresh_from_db()
    assert (finding.state, finding.until) == ("open", None)


@pytest.mark.django_db
def test_a_worker_that_goes_down_stops_looking() -> None:
    found = wasteful()
    looking.look_at_all(stopping=lambda: True)
    assert not RuleLook.objects.of(found.service)
