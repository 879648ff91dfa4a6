"""The schedule in a service's settings: said in words, chosen by an admin, read by a viewer."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from seatwise.models import AuditEvent, Connection
from seatwise.models.connection import State
from seatwise.views.schedule_form import Wish
from tests.pages import rows

SETTINGS = "/services/pagerduty/settings/"
SCHEDULE = "/services/pagerduty/schedule/"


@pytest.fixture
def account(db: None) -> Connection:
    return rows.connection(rows.service(), next_sync_at=timezone.now() + timedelta(hours=5))


def said(client: Client) -> str:
    html = client.get(SETTINGS).content.decode()
    card = html.partition('aria-labelledby="schedule"')[2].partition("</section>")[0]
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", card).split()))


def chosen(connection: Connection) -> tuple[str, int | None, int | None]:
    connection.refresh_from_db()
    return connection.sync_every, connection.sync_minute, connection.sync_weekday


def test_the_schedule_is_said_in_words_with_the_next_sync(
    as_viewer: Client, account: Connection
) -> None:
    assert re.search(r"Every day at \d\d:\d\d \(UTC\)", said(as_viewer))
    assert "Next sync: in 4 hours" in said(as_viewer)
    assert "ask " in said(as_viewer)
    assert "<form" not in said(as_viewer)


@pytest.mark.parametrize(
    ("form", "kept", "words"),
    [
        ({"every": "day", "time": "03:30"}, ("day", 210, None), "Every day at 03:30"),
        ({"every": "week", "time": "23:59", "weekday": "4"}, ("week", 1439, 4), "Every Friday at"),
        (
            {"every": "6h", "time": "00:00"},
            ("6h", 0, None),
            "Every 6 hours, at 00:00, 06:00, 12:00 and 18:00",
        ),
        ({"every": "never"}, ("never", None, None), "Only when somebody asks"),
    ],
)
def test_an_admin_chooses_how_often_when_and_on_which_day(
    as_admin: Client,
    account: Connection,
    form: dict[str, str],
    kept: tuple[object, ...],
    words: str,
) -> None:
    answer = as_admin.post(SCHEDULE, {"account": account.pk, **form})
    assert answer["Location"] == f"{SETTINGS}#schedule"
    assert chosen(account) == kept
    assert words in said(as_admin)
    assert AuditEvent.objects.get(action="schedule_changed").service == "pagerduty"


def test_without_a_time_seatwise_spreads_and_says_when(
    as_admin: Client, account: Connection
) -> None:
    as_admin.post(SCHEDULE, {"every": "week", "time": "04:00", "weekday": "2"})
    as_admin.post(SCHEDULE, {"every": "week", "time": "", "weekday": ""})
    assert chosen(account) == ("week", None, None)
    assert account.next_sync_at is not None
    assert f"Every {account.next_sync_at:%A at %H:%M}" in said(as_admin)
    assert f"Spread ({account.next_sync_at:%A})" in said(as_admin)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "A sync is every 6 hours, every day"),
        ({"every": "hour"}, "A sync is every 6 hours, every day"),
        ({"every": "day", "time": "24:00"}, "Write the time as hours and minutes"),
        ({"every": "day", "time": "٣:0٠"}, "Write the time as hours and minutes"),
        ({"every": "week", "weekday": "7"}, "Choose one of the days."),
        ({"every": "week", "weekday": "Monday"}, "Choose one of the days."),
    ],
)
def test_what_cannot_be_understood_comes_back_with_a_sentence(
    as_admin: Client, account: Connection, form: dict[str, str], sentence: str
) -> None:
    before = chosen(account)
    answer = as_admin.post(SCHEDULE, {"account": account.pk, **form})
    assert answer.status_code == 400
    html = answer.content.decode()
    assert f'role="alert">{sentence}' in html
    if form.get("time"):
        assert f'value="{form["time"]}"' in html
    assert chosen(account) == before
    assert not AuditEvent.objects.filter(action="schedule_changed").exists()


def test_a_viewer_changes_nothing(as_viewer: Client, account: Connection) -> None:
    before = chosen(account)
    assert as_viewer.post(SCHEDULE, {"every": "never"}).status_code == 403
    assert chosen(account) == before


def test_of_two_accounts_the_named_one_is_changed(as_admin: Client, account: Connection) -> None:
    other = rows.connection(account.service, account_id="P2", account_name="quarry")
    assert as_admin.post(SCHEDULE, {"every": "never"}).status_code == 400
    as_admin.post(SCHEDULE, {"every": "never", "account": other.pk})
    assert chosen(account)[0] == "day"
    assert chosen(other)[0] == "never"


def test_where_nothing_is_connected_nothing_is_scheduled(
    as_admin: Client, account: Connection
) -> None:
    account.state = State.DISCONNECTED
    account.save()
    assert said(as_admin) == ""
    answer = as_admin.post(SCHEDULE, {"every": "never"}, follow=True).content.decode()
    assert "is not connected; nothing was changed" in answer
    assert chosen(account)[0] == "day"


def test_the_form_shows_what_was_chosen(account: Connection) -> None:
    account.sync_minute, account.sync_weekday = 5, 0
    wish = Wish.of(account)
    assert (wish.time, wish.weekday, wish.minute, wish.day) == ("00:05", "0", 5, 0)
