"""What the worker does by itself: it looks, it sends, and it keeps quiet where it is a copy."""

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from seatwise import installation, tasks
from seatwise.metrics import Figures
from seatwise.models import Alert, Connection, Delivery, Service
from tests.alerts import watched
from tests.alerts.receiving import MailServer
from tests.alerts.watched import alert, count, kinds
from tests.tasks.conftest import _the_queue_is_empty  # noqa: F401
from tests.tasks.jobs import at_work, jobs, until

HERE = cast("JobContext", SimpleNamespace(should_abort=lambda: False))


def test_it_looks_every_five_minutes_and_sends_every_minute_on_slots_of_its_own() -> None:
    told = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert told["seatwise.watch"] == "2-59/5 * * * *"
    assert told["seatwise.deliver"] == "* * * * *"
    assert app.tasks["seatwise.watch"].queue == app.tasks["seatwise.deliver"].queue == "care"


def test_what_is_passed_is_seen_and_told(
    account: Connection, incidents: Alert, mails: MailServer
) -> None:
    count(account, 150)
    tasks.watch(HERE, 0)
    tasks.deliver(HERE, 0)
    tasks.watch(HERE, 0)
    tasks.deliver(HERE, 0)
    assert [mail.to for mail in mails.mails] == ["vic@example.com"]


def test_a_copy_tells_nobody_what_its_original_tells(
    account: Connection, incidents: Alert, mails: MailServer
) -> None:
    count(account, 150)
    installation.check()
    tasks.watch(HERE, 0)
    installation.pause("A snapshot is taken.")
    tasks.deliver(HERE, 0)
    count(account, 1)
    tasks.watch(HERE, 0)
    assert (mails.mails, kinds()) == ([], ["alert"])
    installation.adopt()
    tasks.deliver(HERE, 0)
    assert len(mails.mails) == 1


def test_asking_for_it_at_once_puts_one_job_on_the_queue(db: None) -> None:
    tasks.deliver_soon()
    tasks.deliver_soon()
    assert [(name, status) for name, status, _ in jobs()] == [("seatwise.deliver", "todo")]


@pytest.mark.django_db(transaction=True)
def test_a_sync_that_ends_is_looked_at_by_its_worker_and_the_message_arrives(
    connection: Connection, service: Service, mails: MailServer
) -> None:
    """From the vendor's numbers to the mail, by a real worker and nobody's hand."""
    seats = alert(service, unit="idle_share", limit=0, addresses=["ops@example.com"])
    with at_work():
        tasks.request_sync(connection, by=None)
        until("the alert was looked at", lambda: Alert.objects.get().looked_at)
        until("something is to be sent", Delivery.objects.exists)
        tasks.deliver_soon()
        until("the mail arrived", lambda: len(mails.mails) == 2)
    seats.refresh_from_db()
    assert seats.firing_since is not None
    assert {mail.to for mail in mails.mails} == {"ada@example.com", "ops@example.com"}
    assert all("Share of idle seats" in mail.text for mail in mails.mails)


def test_what_waits_and_what_was_given_up_is_told_to_prometheus(
    account: Connection, incidents: Alert
) -> None:
    watched.failed(incidents)
    old = watched.failed(incidents)
    Delivery.objects.filter(pk=old.pk).update(made_at=timezone.now() - timedelta(days=2))
    count(account, 150)
    tasks.watch(HERE, 0)
    told = {
        each.name: each.samples[0].value
        for each in Figures(timezone.now()).collect()
        if each.samples
    }
    assert told["seatwise_messages_waiting"] == 1
    assert told["seatwise_last_day_messages_given_up"] == 1
