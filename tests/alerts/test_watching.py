"""An alert speaks once when its limit is passed and once when that is over; unknown is silent."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections as databases
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from seatwise import alerts, history
from seatwise.models import Alert, Budget, Connection, Delivery, Invoice, Service, User
from seatwise.models.connection import State
from tests.alerts.watched import alert, count, kinds
from tests.pages import rows


def look(*, now: datetime | None = None) -> None:
    alerts.watch(now or timezone.now())


def value_of(service: Service, unit: str) -> Decimal | None:
    (found,) = Service.objects.for_table().numbered([service.pk])
    return alerts.Units([found], timezone.now()).value(found, unit).value


def test_it_speaks_once_when_passed_and_once_when_over_and_then_again(
    account: Connection, incidents: Alert
) -> None:
    for number in (90, 100, 101, 150, 120, 100, 99, 180):
        count(account, number)
        look()
        look()
    assert kinds() == ["alert", "over", "alert"]
    incidents.refresh_from_db()
    assert (incidents.value, incidents.firing_since is not None) == (Decimal(180), True)
    said = [(each.email, each.subject) for each in Delivery.objects.order_by("pk")]
    assert said == [
        ("vic@example.com", "PagerDuty – Incidents this month: 101, above 100"),
        ("vic@example.com", "Over: PagerDuty – Incidents this month: 100, no longer above 100"),
        ("vic@example.com", "PagerDuty – Incidents this month: 180, above 100"),
    ]


def test_what_is_unknown_neither_fires_nor_is_over(account: Connection, incidents: Alert) -> None:
    look()
    incidents.refresh_from_db()
    assert (kinds(), incidents.value) == ([], None)
    assert incidents.why == "This month’s number is not read yet, or cannot be read."
    count(account, 500)
    look()
    account.usage_points.all().delete()
    look()
    incidents.refresh_from_db()
    assert kinds() == ["alert"]
    assert incidents.value is None
    assert incidents.firing_since is not None


def test_each_month_begins_anew_without_a_word(account: Connection, incidents: Alert) -> None:
    now = timezone.now()
    before = now.replace(day=1) - timedelta(days=1)
    Alert.objects.update(firing_since=before, looked_at=before)
    count(account, 7)
    look()
    incidents.refresh_from_db()
    assert (kinds(), incidents.firing_since) == ([], None)
    Alert.objects.update(firing_since=before, looked_at=before)
    count(account, 700)
    look()
    assert kinds() == ["alert"]


def test_what_is_no_months_number_goes_on_over_its_end(account: Connection) -> None:
    rows.license_pool(account, "Business", available=2)
    alert(account.service, unit="seats_left", way="below", limit=5, firing_since=None)
    look(now=datetime(2026, 10, 31, 23, 50, tzinfo=UTC))
    look(now=datetime(2026, 11, 1, 0, 10, tzinfo=UTC))
    assert kinds() == ["alert"]


def test_one_that_is_switched_off_is_silent(account: Connection, incidents: Alert) -> None:
    count(account, 500)
    look()
    alerts.switch(incidents, on=False)
    count(account, 1)
    look()
    assert kinds() == ["alert"]
    alerts.switch(incidents, on=True)
    count(account, 500)
    look()
    assert kinds() == ["alert", "alert"]


def test_another_limit_begins_anew_and_other_people_do_not(
    account: Connection, incidents: Alert, admin: User
) -> None:
    count(account, 500)
    look()
    incidents.refresh_from_db()
    alerts.save(account.service, alerts.Wish(incidents.unit, limit="100"), incidents, by=admin)
    look()
    assert kinds() == ["alert"]
    alerts.save(account.service, alerts.Wish(incidents.unit, limit="400"), incidents, by=admin)
    look()
    assert kinds() == ["alert", "alert"]


def test_a_number_of_several_accounts_is_their_sum_and_unknown_where_one_is(
    account: Connection,
) -> None:
    other = rows.connection(account.service, account_id="P2", account_name="acme-test")
    count(account, 60)
    assert value_of(account.service, "metric:incidents") is None
    count(other, 50)
    assert value_of(account.service, "metric:incidents") == 110
    other.state = State.DISCONNECTED
    other.save()
    assert value_of(account.service, "metric:incidents") == 60


def test_seats_left_are_those_of_the_licence_with_the_fewest(account: Connection) -> None:
    assert value_of(account.service, "seats_left") is None
    rows.license_pool(account, "Stakeholders", available=None)
    assert value_of(account.service, "seats_left") is None
    rows.license_pool(account, "Business", available=12)
    rows.license_pool(account, "Add-on", available=3)
    assert value_of(account.service, "seats_left") == 3


def test_the_idle_share_of_what_is_unknown_is_unknown(account: Connection) -> None:
    rows.member(account, "Unknown")
    rows.member(account, "Invited", invited=True)
    assert value_of(account.service, "idle_share") is None


def test_the_idle_share_leaves_out_what_is_unknown(account: Connection) -> None:
    for seen in (1, 2, 45):
        rows.member(account, f"Seen {seen}", seen=seen)
    rows.member(account, "Never", never_read_at=timezone.now())
    rows.member(account, "Unknown")
    rows.member(account, "Invited", invited=True)
    rows.member(account, "Left", seen=300, left_at=timezone.now())
    assert value_of(account.service, "idle_share") == 50


def test_spend_against_the_budget_is_unknown_without_either_of_them(account: Connection) -> None:
    service, month = account.service, rows.this_month()
    assert value_of(service, "spend_budget") is None
    now = timezone.now()
    Budget.objects.create(
        service=service, since=month, amount=Decimal(2000), currency="EUR", made_at=now
    )
    assert value_of(service, "spend_budget") is None
    Invoice.objects.create(
        service=service,
        number="1",
        starts=month,
        ends=history.month_after(month) - timedelta(days=1),
        amount=Decimal(2500),
        currency="EUR",
        made_at=now,
    )
    assert value_of(service, "spend_budget") == 125


@pytest.mark.parametrize(
    ("fields", "troubled"),
    [
        ({}, 0),
        ({"state": State.NEEDS_RECONNECT}, 1),
        ({"state": State.LIMITED}, 1),
        ({"members_as_of": timezone.now() - timedelta(days=4)}, 1),
        ({"state": State.DISCONNECTED}, 0),
    ],
    ids=["well", "reconnect", "limited", "late", "disconnected"],
)
def test_trouble_is_a_connection_that_needs_somebody(
    account: Connection, fields: dict[str, Any], troubled: int
) -> None:
    for name, value in fields.items():
        setattr(account, name, value)
    account.save()
    assert value_of(account.service, "trouble") == troubled


def test_trouble_is_told_with_its_reason_and_its_end(account: Connection) -> None:
    alert(account.service, unit="trouble")
    account.state = State.NEEDS_RECONNECT
    account.save()
    look()
    account.state = State.ACTIVE
    account.save()
    look()
    first, last = Delivery.objects.order_by("pk")
    assert first.subject == "PagerDuty – Trouble with a connection"
    assert "acme-prod: somebody must authorize again." in first.text
    assert last.subject == "Over: PagerDuty – Trouble with a connection"


def test_the_owner_is_told_and_without_one_the_admins(
    account: Connection, incidents: Alert, admin: User, viewer: User
) -> None:
    incidents.addresses = ["Ops@example.com", "VIC@example.com"]
    incidents.save()
    assert alerts.recipients(incidents).emails == ("VIC@example.com", "Ops@example.com")
    viewer.is_active = False
    viewer.save()
    found = alerts.recipients(Alert.objects.select_related("service__owner").get())
    assert found.instead
    assert found.emails == ("ada@example.com", "Ops@example.com", "VIC@example.com")
    incidents.to_owner = False
    incidents.people.set([viewer])
    incidents.addresses = []
    assert alerts.recipients(incidents).count == 0


def test_looking_asks_the_database_as_often_for_many_services_as_for_one(
    account: Connection, incidents: Alert, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """But for the two statements and the lock of each alert itself."""
    for number in range(8):
        of = rows.service(f"service-{number}", f"Service {number}")
        rows.connection(of, account_id=of.key)
        for unit in ("seats_left", "idle_share", "spend_budget", "trouble"):
            alert(of, unit=unit, limit=5)
    alerts.watch(timezone.now())
    with django_assert_max_num_queries(16 + 4 * 33):
        alerts.watch(timezone.now())


def test_an_alert_of_a_metric_that_is_gone_is_unknown_and_keeps_its_name(
    account: Connection,
) -> None:
    old = alert(account.service, unit="metric:pages_sent", limit=1)
    look()
    old.refresh_from_db()
    assert old.value is None
    assert alerts.unit_of(account.service, old.unit).name == "Pages sent this month"


@pytest.mark.django_db(transaction=True)
def test_eight_who_look_at_once_say_it_once(account: Connection, incidents: Alert) -> None:
    count(account, 150)
    together = threading.Barrier(8)

    def look_too(_: int) -> None:
        together.wait(60)
        try:
            look()
        finally:
            databases.close_all()

    with ThreadPoolExecutor(8) as lookers:
        list(lookers.map(look_too, range(8)))
    assert kinds() == ["alert"]
