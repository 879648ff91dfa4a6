"""The weekly mail: on Monday morning, once, to whom it concerns, and only with something to say."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from seatwise import alerts
from seatwise.models import Connection, Contract, Delivery, Finding, Service, User
from seatwise.pricing import Terms
from tests.alerts.watched import alert
from tests.pages import rows

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
JOINED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _people_who_are_there(admin: User, viewer: User) -> None:
    User.objects.update(date_joined=JOINED, digest_at=MONDAY - timedelta(days=7))


@pytest.fixture
def alarmed(account: Connection) -> Connection:
    """Something to say: an alert fires."""
    alert(account.service, unit="metric:incidents", limit=100, value=150, firing_since=MONDAY)
    return account


def sent() -> dict[str, str]:
    return {each.email: each.text for each in Delivery.objects.filter(kind="digest")}


def test_admins_and_owners_get_it_once_a_week(alarmed: Connection) -> None:
    User.objects.create_user("nobody@example.com", None, date_joined=JOINED)
    assert alerts.send_digests(MONDAY - timedelta(seconds=1)) == 0
    assert alerts.send_digests(MONDAY) == 2
    for later in (1, 60, 60 * 24 * 6):
        assert alerts.send_digests(MONDAY + timedelta(minutes=later)) == 0
    assert set(sent()) == {"ada@example.com", "vic@example.com"}
    assert alerts.send_digests(MONDAY + timedelta(days=7)) == 2


def test_it_is_caught_up_when_no_worker_was_there_on_monday(alarmed: Connection) -> None:
    assert alerts.send_digests(MONDAY + timedelta(days=2)) == 2
    assert alerts.send_digests(MONDAY + timedelta(days=7)) == 2


def test_monday_morning_is_that_of_the_billing_zone(alarmed: Connection, settings: Any) -> None:
    settings.BILLING_ZONE = ZoneInfo("Asia/Tokyo")
    assert alerts.send_digests(datetime(2026, 11, 22, 22, 59, tzinfo=UTC)) == 0
    assert alerts.send_digests(datetime(2026, 11, 22, 23, 0, tzinfo=UTC)) == 2


def test_whoever_turned_it_off_or_has_nothing_to_read_gets_none(
    account: Connection, admin: User
) -> None:
    assert alerts.send_digests(MONDAY) == 0
    alert(account.service, unit="trouble", firing_since=MONDAY)
    admin.wants_digest = False
    admin.save()
    assert alerts.send_digests(MONDAY + timedelta(days=7)) == 1
    assert set(sent()) == {"vic@example.com"}


def test_somebody_new_waits_for_their_first_monday(alarmed: Connection) -> None:
    User.objects.create_user("new@example.com", None, role="admin", date_joined=MONDAY)
    alerts.send_digests(MONDAY + timedelta(days=1))
    assert "new@example.com" not in sent()
    alerts.send_digests(MONDAY + timedelta(days=7))
    assert "new@example.com" in sent()


def test_an_owner_reads_of_their_services_alone(alarmed: Connection) -> None:
    other = rows.service("figma", "Figma")
    alert(other, unit="trouble", firing_since=MONDAY)
    alerts.send_digests(MONDAY)
    assert "Figma" in sent()["ada@example.com"]
    assert "Figma" not in sent()["vic@example.com"]


def test_it_says_what_changed_what_could_be_saved_what_fires_and_what_ends(
    alarmed: Connection,
) -> None:
    service = alarmed.service
    for number in range(3):
        member = rows.member(alarmed, f"New {number}", first_listed_at=MONDAY - timedelta(days=2))
        rows.event(member, "joined", at=MONDAY - timedelta(days=2))
    for amount in ("10.50", "20.25"):
        _finding(service, amount)
    _finding(service, None)
    terms = Terms("EUR", "year", (), ends=date(2027, 1, 31), notice_days=30, renews=True)
    Contract.objects.create(
        service=service, since=date(2026, 1, 1), data=terms.as_json(), made_at=MONDAY
    )
    alerts.send_digests(MONDAY)
    text = sent()["vic@example.com"]
    for line in (
        "- An alert fires: Incidents this month is above 100, at 150.",
        "- 3 joined.",
        "- 2 findings, €30.75 a month could be saved.",
        "- 1 finding.",
        "- The contract renews by itself after 31 January 2027; notice is due by 1 January 2027.",
        "http://localhost:8000/services/pagerduty/",
    ):
        assert line in text, text


@pytest.mark.parametrize("ends", [date(2027, 2, 22), None])
def test_what_ends_in_more_than_ninety_days_or_nobody_knows_when_is_left_out(
    account: Connection, ends: date | None
) -> None:
    terms = Terms("EUR", "year", (), ends=ends)
    Contract.objects.create(
        service=account.service, since=date(2026, 1, 1), data=terms.as_json(), made_at=MONDAY
    )
    assert alerts.send_digests(MONDAY) == 0


def _finding(service: Service, amount: str | None) -> None:
    Finding.objects.create(
        service=service,
        rule="idle",
        subject=f"member:{Finding.objects.count()}",
        text="Idle.",
        confidence="high",
        reversible=True,
        counts=True,
        realisable=Decimal(amount) if amount else None,
        currency="EUR" if amount else "",
        first_at=timezone.now(),
        last_at=timezone.now(),
    )
