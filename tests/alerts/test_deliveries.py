"""What is said arrives: by mail, in Slack, signed at a webhook; tried again, and never twice."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.header import decode_header, make_header
from typing import Any

import pytest
from django.db import connections as databases
from django.utils import timezone

from seatwise import alerts
from seatwise.alerts import deliveries
from seatwise.connectors import posting
from seatwise.models import Alert, Channel, Connection, Delivery, User
from tests.alerts.receiving import MailServer, Receiver
from tests.alerts.watched import count, slack, webhook

PATIENCE = 60.0


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = timezone.now() + timedelta(seconds=30)  # behind whatever is made in the test

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fire(account: Connection, *channels: Channel) -> None:
    alert = Alert.objects.get()
    alert.channels.set(channels)
    count(account, 150)
    alerts.watch(timezone.now())


def only() -> Delivery:
    return Delivery.objects.select_related("channel").get(email="")


def test_a_mail_arrives_with_who_when_and_why(
    account: Connection, incidents: Alert, mails: MailServer, clock: Clock
) -> None:
    fire(account)
    assert alerts.send_due(clock) == 1
    assert alerts.send_due(clock) == 0
    (mail,) = mails.mails
    assert (mail.sender, mail.to) == ("seatwise@example.com", "vic@example.com")
    assert mail.message["From"] == "Seatwise <seatwise@example.com>"
    subject = str(make_header(decode_header(mail.message["Subject"])))
    assert subject == "PagerDuty – Incidents this month: 150, above 100"
    sent = Delivery.objects.get()
    assert mail.message["Message-ID"] == f"<{sent.number}@localhost>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert "Incidents this month of PagerDuty: 150." in mail.text
    assert "http://localhost:8000/services/pagerduty/alerts/" in mail.text
    assert (sent.state, sent.error, sent.tries) == ("sent", "", 1)
    assert [each["said"] for each in sent.log] == ["Accepted."]
    assert mails.signed_in == [True]


def test_a_webhook_gets_exact_bytes_that_are_signed(
    account: Connection, incidents: Alert, hook: Receiver, admin: User, clock: Clock
) -> None:
    channel = webhook(hook.url, admin)
    secret = channel.unseal("secret")
    fire(account, channel)
    alerts.send_due(clock)
    (got,) = hook.got
    assert got.is_signed_with(secret)
    assert not got.is_signed_with(secret[:-6] + "AAAAA=")
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == f"msg_{only().number.hex}"
    sent = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), tz=timezone.now().tzinfo)
    assert abs(timezone.now() - sent) < timedelta(minutes=1)
    assert not {"authorization", "cookie"} & set(got.headers)
    data = got.data
    assert data["type"] == "alert.firing"
    assert data["data"]["service"] == {"key": "pagerduty", "name": "PagerDuty"}
    assert data["data"]["value"] == 150
    assert data["data"]["alert"] == {
        "id": Alert.objects.get().pk,
        "unit": "metric:incidents",
        "name": "Incidents this month",
        "way": "above",
        "limit": 100,
    }
    count(account, 50)
    alerts.watch(timezone.now())
    alerts.send_due(clock)
    over = hook.got[-1].data
    assert over["type"] == "alert.over"
    assert over["data"]["since"] == data["data"]["since"]


def test_slack_gets_text_that_mentions_nobody(
    account: Connection, incidents: Alert, hook: Receiver, admin: User, clock: Clock
) -> None:
    account.service.name = "<!channel> & <https://evil.example|Co>"
    account.service.save()
    fire(account, slack(hook.url, admin))
    alerts.send_due(clock)
    (got,) = hook.got
    text = got.data["text"]
    assert text.startswith("*&lt;!channel&gt; &amp; &lt;https://evil.example|Co&gt; – ")
    assert set(got.data) == {"text"}
    assert "webhook-signature" not in got.headers


def test_it_is_tried_again_at_growing_intervals_and_then_given_up(
    account: Connection, incidents: Alert, hook: Receiver, admin: User, clock: Clock
) -> None:
    channel = webhook(hook.url, admin)
    fire(account, channel)
    Delivery.objects.exclude(email="").delete()
    hook.answers = [500] * 99
    begun, waits = clock.now, []
    for _ in range(20):
        alerts.send_due(clock)
        row = only()
        if row.next_at is None:
            break
        waits.append(row.next_at - clock.now)
        clock.now = row.next_at - timedelta(seconds=1)
        assert alerts.send_due(clock) == 0
        assert only().tries == row.tries
        clock.now = row.next_at
    assert waits == list(deliveries.BACK_OFF)
    assert clock.now - begun == timedelta(hours=14, minutes=36)
    gone = only()
    assert (gone.state, gone.tries) == ("failed", 6)
    assert gone.error == f"127.0.0.1:{hook.port} answered 500."
    assert len(gone.log) == 6
    assert len({got.headers["webhook-id"] for got in hook.got}) == 1
    assert all(got.is_signed_with(channel.unseal("secret")) for got in hook.got)
    assert len({got.body for got in hook.got}) == 1
    hook.answers = []
    alerts.again(gone, clock.now)
    assert alerts.send_due(clock) == 1
    assert only().state == "sent"


@pytest.mark.parametrize(
    ("status", "state"),
    [(302, "waiting"), (307, "waiting"), (400, "failed"), (404, "failed"), (408, "waiting"),
     (410, "failed"), (429, "waiting"), (503, "waiting"), (204, "sent")],
)  # fmt: skip
def test_what_another_try_may_mend_is_tried_again(
    account: Connection,
    incidents: Alert,
    hook: Receiver,
    admin: User,
    clock: Clock,
    status: int,
    state: str,
) -> None:
    fire(account, webhook(hook.url, admin))
    hook.answers = [status]
    alerts.send_due(clock)
    assert only().state == state
    assert [got.path for got in hook.got] == ["/hooks/canary-path-9f2c71d0a4"]  # never elsewhere


def test_whoever_is_silent_or_endless_costs_a_bounded_time(hook: Receiver) -> None:
    hook.silent.set()
    with pytest.raises(posting.NotDelivered, match=r"did not finish answering within 0.3 s"):
        posting.post(hook.url, b"{}", {}, deadline=0.3)
    hook.over.set()
    hook.silent.clear()
    hook.answers, hook.body = [200], b"x" * 3_000_000
    assert posting.post(hook.url, b"{}", {}, most_bytes=1000) == 200


def test_nobody_there_is_a_sentence_without_the_address(
    account: Connection, incidents: Alert, admin: User, clock: Clock
) -> None:
    fire(account, webhook("http://127.0.0.1:9/canary-path-of-nobody-8841", admin))
    alerts.send_due(clock)
    assert only().error == "127.0.0.1:9 cannot be reached."


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ftp://example.com/x", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://user:canary-word@example.com/x", "Leave name and password out"),
        ("https://exa mple.com:99999/", "no address"),
        ("file:///etc/passwd", "begins with https://"),
        ("https://example.com/\nX: y", "begins with https://"),
    ],
)
def test_an_address_that_is_none_is_refused_with_a_sentence(
    admin: User, address: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        webhook(address, admin)
    assert Channel.objects.count() == 0


def test_slack_is_not_spoken_to_in_the_clear(admin: User) -> None:
    with pytest.raises(ValueError, match="must begin with https://"):
        slack("http://hooks.example.com/services/T/B/x", admin)


def test_without_a_mail_server_it_says_which_setting(
    account: Connection, incidents: Alert, clock: Clock, settings: Any
) -> None:
    fire(account)
    alerts.send_due(clock)
    row = Delivery.objects.get()
    assert row.state == "failed"
    assert "SEATWISE_SMTP_URL and SEATWISE_MAIL_FROM" in row.error
    settings.MAIL_SERVER = {"host": "127.0.0.1", "port": 1}
    assert "sets SEATWISE_MAIL_FROM." in alerts.missing_mail()


@pytest.mark.parametrize(
    ("refuse", "state", "error"),
    [
        ({"RCPT": "550 unknown"}, "failed", "did not accept the address vic@example.com (550)."),
        ({"RCPT": "451 later"}, "waiting", "did not accept the address vic@example.com (451)."),
        ({"MAIL": "550 not you"}, "failed", "did not accept the sender of SEATWISE_MAIL_FROM"),
        ({"AUTH": "535 who"}, "waiting", "the name and password of SEATWISE_SMTP_URL (535)."),
        ({"DATA": "cut"}, "waiting", "cannot be reached, or broke off"),
        ({"EHLO": "cut"}, "waiting", "cannot be reached, or broke off"),
    ],
    ids=["no such address", "later", "sender", "password", "cut off late", "cut off at once"],
)
def test_what_the_mail_server_refuses_is_said_by_its_number(
    account: Connection,
    incidents: Alert,
    mails: MailServer,
    clock: Clock,
    refuse: dict[str, str],
    state: str,
    error: str,
) -> None:
    mails.refuse = refuse
    fire(account)
    alerts.send_due(clock)
    row = Delivery.objects.get()
    assert (row.state, error in row.error) == (state, True), row.error
    assert mails.mails == []


def test_a_mail_server_without_tls_gets_nothing_where_tls_is_asked_for(
    account: Connection, incidents: Alert, mails: MailServer, clock: Clock, settings: Any
) -> None:
    settings.MAIL_SERVER = settings.MAIL_SERVER | {"use_tls": True}
    fire(account)
    alerts.send_due(clock)
    assert "does not offer what SEATWISE_SMTP_URL asks for" in Delivery.objects.get().error
    assert (mails.mails, mails.signed_in) == ([], [])


def test_one_that_is_silent_keeps_nobody_else_waiting(
    account: Connection,
    incidents: Alert,
    hook: Receiver,
    mails: MailServer,
    admin: User,
    clock: Clock,
) -> None:
    """Its second message is not even tried in this round."""
    channel = webhook(hook.url, admin)
    fire(account, channel)
    count(account, 1)
    alerts.watch(timezone.now())
    hook.answers = [500, 500, 500]
    assert alerts.send_due(clock) == 2
    assert (len(mails.mails), len(hook.got)) == (2, 1)


def test_a_worker_that_died_leaves_its_message_to_the_next_when_the_claim_has_run_out(
    account: Connection, incidents: Alert, hook: Receiver, admin: User, clock: Clock
) -> None:
    fire(account, webhook(hook.url, admin))
    Delivery.objects.exclude(email="").delete()
    claimed = deliveries._claim(clock(), set())
    assert claimed is not None
    assert alerts.send_due(clock) == 0  # it may still be at work
    clock.now += deliveries.CLAIM
    assert alerts.send_due(clock) == 1
    row = only()
    assert [each["said"] for each in row.log] == ["", "Accepted."]
    assert len(hook.got) == 1
    deliveries._failed(claimed, posting.NotDelivered("Too late."), clock())  # it was only frozen
    assert only().state == "sent"


def test_a_message_that_kills_every_worker_is_given_up(
    account: Connection, incidents: Alert, hook: Receiver, admin: User, clock: Clock
) -> None:
    fire(account, webhook(hook.url, admin))
    Delivery.objects.exclude(email="").delete()
    for _ in range(20):
        deliveries._claim(clock(), set())
        clock.now += deliveries.CLAIM
    row = only()
    assert (row.state, row.tries, row.error) == ("failed", 6, deliveries.DIED)


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_send_each_message_once(
    account: Connection, incidents: Alert, hook: Receiver, admin: User
) -> None:
    channel = webhook(hook.url, admin)
    now = timezone.now()
    for _ in range(40):
        alerts.try_channel(channel, now)
    together = threading.Barrier(8)

    def work(_: int) -> int:
        together.wait(PATIENCE)
        try:
            return alerts.send_due()
        finally:
            databases.close_all()

    with ThreadPoolExecutor(8) as workers:
        arrived = sum(workers.map(work, range(8)))
    assert arrived == len(hook.got) == 40
    assert len({got.headers["webhook-id"] for got in hook.got}) == 40


def test_a_new_secret_signs_what_still_waits(
    account: Connection, incidents: Alert, hook: Receiver, admin: User, clock: Clock
) -> None:
    channel = webhook(hook.url, admin)
    old = channel.unseal("secret")
    fire(account, channel)
    alerts.new_secret(channel)
    alerts.send_due(clock)
    assert not hook.got[0].is_signed_with(old)
    assert hook.got[0].is_signed_with(channel.unseal("secret"))


def test_what_waits_for_a_removed_channel_is_given_up_with_a_word(
    account: Connection, incidents: Alert, hook: Receiver, admin: User, clock: Clock
) -> None:
    channel = webhook(hook.url, admin)
    fire(account, channel)
    alerts.remove_channel(channel)
    alerts.send_due(clock)
    assert (only().state, only().error) == ("failed", "The channel was removed.")
    assert hook.got == []


def test_a_key_that_does_not_fit_is_waited_for(
    account: Connection, incidents: Alert, hook: Receiver, admin: User, clock: Clock, settings: Any
) -> None:
    from seatwise import vault

    fire(account, webhook(hook.url, admin))
    right = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = vault.Ring.parse(vault.new_key())
    alerts.send_due(clock)
    assert (only().state, "encryption keys" in only().error) == ("waiting", True)
    settings.ENCRYPTION_KEYS = right
    clock.now += timedelta(minutes=1)
    assert alerts.send_due(clock) == 1


def test_the_bytes_that_are_stored_hold_no_address_and_no_secret(
    hook: Receiver, admin: User
) -> None:
    channel = webhook(hook.url, admin)
    kept = json.dumps(
        {f.name: str(getattr(channel, f.name)) for f in channel._meta.concrete_fields}
    )
    assert "canary-path" not in kept
    assert channel.unseal("secret").removeprefix("whsec_") not in kept
    assert channel.host == f"127.0.0.1:{hook.port}"
