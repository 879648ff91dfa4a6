"""The Alerts tab, its form and the channels, as people use them."""

import re
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from seatwise import alerts
from seatwise.models import Alert, AuditEvent, Channel, Connection, Delivery, Service, User
from tests.alerts import watched
from tests.pages import rows
from tests.tasks.conftest import _the_queue_is_empty  # noqa: F401  (tests put something on it)
from tests.tasks.jobs import told as jobs

ALERTS = "/services/pagerduty/alerts/"
SECRET = re.compile(r'id="channel-secret"[^>]*>(whsec_[^<]+)<')


@pytest.fixture
def account(service: Service) -> Connection:
    return rows.connection(service)


def shown(client: Client, path: str = ALERTS) -> str:
    return unescape(client.get(path).content.decode())


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def add(client: Client, **told: object) -> str:
    form = {"unit": "metric:incidents", "limit": "100", "to_owner": "yes"} | told
    return unescape(client.post(f"{ALERTS}add/", form, follow=True).content.decode())


def test_nothing_is_watched_to_begin_with_and_the_next_step_is_there(
    account: Connection, as_admin: Client, as_viewer: Client
) -> None:
    assert "No alert watches PagerDuty yet" in shown(as_admin)
    assert f'href="{ALERTS}add/"' in shown(as_admin)
    assert "ask Ada Admin" in shown(as_viewer)
    assert f'href="{ALERTS}add/"' not in shown(as_viewer)


def test_an_alert_is_added_and_looked_at_at_once(
    account: Connection, as_admin: Client, admin: User
) -> None:
    watched.count(account, 150)
    page = words(add(as_admin, limit="1,00", addresses="ops@example.com, Team@example.com"))
    assert "The alert is added." in page
    assert "1 of 1 alert fires" in page
    assert "Incidents this month fires above 100 150 Firing" in page
    assert "ada@example.com" in page  # nobody owns it, so the admins are told
    assert "the admins, for nobody owns PagerDuty" in page
    made = Alert.objects.get()
    assert (made.addresses, made.made_by) == (["ops@example.com", "Team@example.com"], admin)
    assert Delivery.objects.count() == 3
    noted = AuditEvent.objects.get(action="alert_changed")
    assert noted.about == "Incidents this month is above 100"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"unit": ""}, "Choose what is to be watched."),
        ({"unit": "metric:nothing"}, "Choose what is to be watched."),
        ({"limit": "many"}, "Write the limit as a number such as 1000 or 12.5."),
        ({"limit": "-1"}, "Write the limit as a number"),
        ({"limit": ""}, "Write the limit as a number"),
        ({"way": "sideways"}, "Choose above or below."),
        ({"addresses": "not an address"}, "“not” is no e-mail address."),
        ({"addresses": "a@b.c\r\nBcc:x"}, "“Bcc:x” is no e-mail address."),
        ({"to_owner": ""}, "Choose somebody who is told."),
    ],
)
def test_what_cannot_be_understood_comes_back_as_it_was_written(
    account: Connection, as_admin: Client, told: dict[str, str], why: str
) -> None:
    page = add(as_admin, **told)
    assert why in page
    assert "Nothing was changed." in page
    if "addresses" in told:
        assert told["addresses"].split()[0] in page
    assert Alert.objects.count() == 0


def test_trouble_needs_no_limit_and_seats_left_fire_below(
    account: Connection, as_admin: Client
) -> None:
    add(as_admin, unit="trouble", limit="")
    add(as_admin, unit="seats_left", limit="5")
    first, second = Alert.objects.order_by("pk")
    assert (first.limit, second.way) == (None, "below")


def test_an_alert_is_edited_switched_tested_and_deleted(
    account: Connection, as_admin: Client, viewer: User
) -> None:
    add(as_admin)
    alert = Alert.objects.get()
    form = shown(as_admin, f"{ALERTS}{alert.pk}/")
    assert 'value="100"' in form
    changed = {"unit": "idle_share", "way": "above", "limit": "12.5", "people": [viewer.pk]}
    as_admin.post(f"{ALERTS}{alert.pk}/", changed)
    alert.refresh_from_db()
    assert (alert.unit, float(alert.limit or 0), alert.to_owner) == ("idle_share", 12.5, False)
    page = words(shown(as_admin))
    assert "Share of idle seats fires above 12.5 %" in page
    assert "vic@example.com" in page
    page = words(as_admin.post(f"{ALERTS}{alert.pk}/test/", follow=True).content.decode())
    assert "1 test message is on the way" in page
    assert [(each.kind, each.email) for each in Delivery.objects.all()] == [
        ("test", "vic@example.com")
    ]
    as_admin.post(f"{ALERTS}{alert.pk}/switch/", {"on": "no"})
    assert 'aria-checked="false"' in shown(as_admin)
    assert "Delete this alert?" in shown(as_admin, f"{ALERTS}?delete={alert.pk}")
    as_admin.post(f"{ALERTS}{alert.pk}/delete/")
    assert Alert.objects.count() == 0
    assert "Test: PagerDuty – Share of idle seats" in shown(as_admin)  # what it said stays


def test_pressing_for_a_test_twice_asks_the_worker_once(
    account: Connection, as_admin: Client
) -> None:
    add(as_admin)
    alert = Alert.objects.get()
    for _ in range(2):
        assert as_admin.post(f"{ALERTS}{alert.pk}/test/").status_code == 302
    assert jobs("task_name") == [("seatwise.deliver",)]
    assert Delivery.objects.count() == 2


def test_the_owner_may_change_the_alerts_of_their_service_and_of_no_other(
    account: Connection, as_viewer: Client, viewer: User
) -> None:
    assert as_viewer.get(f"{ALERTS}add/").status_code == 403
    account.service.owner = viewer
    account.service.save()
    assert "The alert is added." in add(as_viewer)
    other = rows.service("figma", "Figma")
    foreign = watched.alert(other, unit="trouble")
    answer = as_viewer.post("/services/figma/alerts/add/", {"unit": "trouble"})
    assert answer.status_code == 403
    # Nor by the address of their own.
    for verb in ("switch", "test", "delete"):
        assert as_viewer.post(f"{ALERTS}{foreign.pk}/{verb}/").status_code == 404
    row = watched.failed(foreign)
    assert as_viewer.post(f"{ALERTS}messages/{row.pk}/again/").status_code == 404


def test_what_was_given_up_says_why_with_every_try_and_can_be_tried_again(
    account: Connection, as_admin: Client, as_viewer: Client
) -> None:
    row = watched.failed(watched.alert(account.service, unit="trouble"))
    page = words(shown(as_viewer))
    assert "Given up The mail server said no. 2 tries" in page
    assert "Try again" not in page
    as_admin.post(f"{ALERTS}messages/{row.pk}/again/")
    row.refresh_from_db()
    assert (row.state, row.tries, len(row.log)) == ("waiting", 0, 2)
    page = words(as_admin.post(f"{ALERTS}messages/{row.pk}/again/", follow=True).content.decode())
    assert "was not given up" in page


@pytest.mark.parametrize("tab", ["", "members/", "usage/", "history/", "settings/", "alerts/"])
def test_a_red_dot_stands_on_the_tab_while_one_fires(
    account: Connection, as_admin: Client, tab: str
) -> None:
    alert = watched.alert(account.service, unit="trouble")
    path = f"/services/pagerduty/{tab}"
    assert ", one fires" not in shown(as_admin, path)
    Alert.objects.update(firing_since=timezone.now())
    assert ", one fires" in shown(as_admin, path)
    alerts.switch(alert, on=False)
    assert ", one fires" not in shown(as_admin, path)


def test_without_a_mail_server_the_tab_says_which_setting(
    account: Connection, as_admin: Client
) -> None:
    assert "sets SEATWISE_SMTP_URL and SEATWISE_MAIL_FROM" in shown(as_admin)


# ---- channels ------------------------------------------------------------------------------


def add_channel(client: Client, **told: str) -> str:
    form = {
        "kind": "webhook",
        "name": "Ops bus",
        "address": "https://hooks.example.com/s3cr3t-path-x",
    }
    return client.post("/channels/add/", form | told, follow=True).content.decode()


def test_a_webhooks_secret_is_shown_once_and_its_address_never(as_admin: Client) -> None:
    page = add_channel(as_admin)
    found = SECRET.search(page)
    assert found is not None
    assert found[1] == Channel.objects.get().unseal("secret")
    again = shown(as_admin, "/channels/")
    for each in (page, again):
        assert "s3cr3t-path-x" not in each
        assert "hooks.example.com/…" in each
    assert found[1] not in again


def test_a_new_secret_replaces_the_old_one_and_slack_has_none(as_admin: Client) -> None:
    first = SECRET.search(add_channel(as_admin))
    channel = Channel.objects.get()
    assert "A new secret for" in shown(as_admin, f"/channels/?secret={channel.pk}")
    page = as_admin.post(f"/channels/{channel.pk}/secret/", follow=True).content.decode()
    second = SECRET.search(page)
    assert first is not None
    assert second is not None
    assert first[1] != second[1]
    page = add_channel(as_admin, kind="slack", name="#seats")
    assert SECRET.search(page) is None
    slack = Channel.objects.get(kind="slack")
    page = as_admin.post(f"/channels/{slack.pk}/secret/", follow=True).content.decode()
    assert "has no secret but its address" in page


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"address": "https://user:pw@example.com/s3cr3t-path-x"}, "Leave name and password out"),
        ({"address": "gopher://example.com/s3cr3t-path-x"}, "begins with https://"),
        ({"kind": "slack", "address": "http://example.com/s3cr3t-path-x"}, "begin with https://"),
        ({"kind": "pigeon"}, "Choose Slack or a webhook."),
        ({"name": "  "}, "Give the channel a name"),
    ],
)
def test_a_channel_that_cannot_be_is_refused_and_its_address_is_not_repeated(
    as_admin: Client, told: dict[str, str], why: str
) -> None:
    page = add_channel(as_admin, **told)
    assert why in page
    assert "s3cr3t-path-x" not in page
    assert Channel.objects.count() == 0


def test_two_channels_cannot_have_one_name(as_admin: Client) -> None:
    add_channel(as_admin)
    assert "There is a channel of this name already." in add_channel(as_admin)


def test_a_channel_is_tested_told_by_an_alert_and_removed(
    account: Connection, as_admin: Client
) -> None:
    add_channel(as_admin)
    channel = Channel.objects.get()
    as_admin.post(f"/channels/{channel.pk}/test/")
    assert Delivery.objects.get().payload["type"] == "test"
    add(as_admin, channels=[channel.pk], to_owner="")
    assert "Ops bus" in words(shown(as_admin))
    assert "1 alert tells it" in shown(as_admin, f"/channels/?remove={channel.pk}")
    as_admin.post(f"/channels/{channel.pk}/remove/")
    assert "nobody" in words(shown(as_admin))
    said = [event.said for event in AuditEvent.objects.filter(action="channel_changed")]
    assert "s3cr3t-path-x" not in " ".join(said)
    assert len(said) == 3


def test_a_channel_whose_key_is_lost_says_so(as_admin: Client) -> None:
    add_channel(as_admin)
    Channel.objects.update(address="", secret="")
    assert "Lost with its key" in shown(as_admin, "/channels/")


def test_the_weekly_mail_is_turned_off_by_whoever_gets_it(as_viewer: Client, viewer: User) -> None:
    assert "You get it." in shown(as_viewer, "/users/")
    as_viewer.post("/users/digest/", {"wants": "no"})
    viewer.refresh_from_db()
    assert not viewer.wants_digest
    assert "You do not get it." in shown(as_viewer, "/users/")
    as_viewer.post("/users/digest/", {"wants": "yes"})
    viewer.refresh_from_db()
    assert viewer.wants_digest
