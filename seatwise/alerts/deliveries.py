"""Every message is a row before it is sent, and each try at it is written on that row.

A try is claimed for ten minutes by a locked row, in a transaction of its own, before anything
leaves. So no two workers send the same message, and of a worker that died in between the next one
takes over when the claim has run out. Then nobody knows whether it had arrived: each try has the
same number, by which a receiver, or a mail program, tells that it is the same.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from seatwise import audit, vault
from seatwise.alerts import mail, messages, slack, webhook
from seatwise.alerts.messages import Message
from seatwise.alerts.units import unit_of
from seatwise.connectors.posting import NotDelivered
from seatwise.models import Alert, Channel, Delivery, Service
from seatwise.models.audit_event import Action

log = logging.getLogger(__name__)

BACK_OFF = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720)
)  # after the first try, after the second, …; then it is given up
MOST_TRIES = len(BACK_OFF) + 1
CLAIM = timedelta(minutes=10)  # longer than any try takes
KEPT = timedelta(days=400)  # of those that are over
MOST_AT_ONCE = 500
DIED = "Nobody came back to say what became of it."


def make(
    message: Message,
    now: datetime,
    *,
    service: Service | None = None,
    alert: Alert | None = None,
    to: Iterable[str] = (),
    by: Iterable[Channel] = (),
) -> list[Delivery]:
    """One row for each address, in the transaction one is in; they are due at once."""
    shared = {
        "service": service,
        "alert": alert,
        "kind": message.kind,
        "subject": message.subject,
        "text": message.text,
        "made_at": now,
        "next_at": now,
    }
    rows = [Delivery(email=email, **shared) for email in to]
    rows += [Delivery(channel=each, payload=message.payload, **shared) for each in by]
    return Delivery.objects.bulk_create(rows)


def send_due(
    clock: Callable[[], datetime] = timezone.now, stopping: Callable[[], bool] = lambda: False
) -> int:
    """Sends what is due and nobody else sends; how many arrived.

    Whoever does not answer is tried once in a round: their other messages wait for the next one,
    so that they keep nobody else waiting.
    """
    arrived, silent = 0, set[int | None]()
    for _ in range(MOST_AT_ONCE):
        delivery = None if stopping() else _claim(clock(), silent)
        if delivery is None:
            break
        try:
            _send(delivery)
        except NotDelivered as error:
            _failed(delivery, error, clock())
            if not error.is_final:
                silent.add(delivery.channel_id)
        else:
            arrived += 1
            _arrived(delivery, clock())
    return arrived


def again(delivery: Delivery, now: datetime) -> None:
    """One that was given up is tried from the beginning, by the same number."""
    if delivery.state == Delivery.State.FAILED:
        delivery.state, delivery.tries, delivery.next_at = Delivery.State.WAITING, 0, now
        delivery.save(update_fields=["state", "tries", "next_at"])


def try_alert(alert: Alert, to: Sequence[str], by: Sequence[Channel], now: datetime) -> int:
    """Sends everybody a message that says it is a test; to how many."""
    message = messages.of_alert(messages.TEST, alert, unit_of(alert.service, alert.unit), now)
    with transaction.atomic():
        made = make(message, now, service=alert.service, alert=alert, to=to, by=by)
        said = f"A test was sent to {len(made)}."
        audit.record(Action.ALERT_CHANGED, service=alert.service.key, about=alert.unit, said=said)
    return len(made)


def try_channel(channel: Channel, now: datetime) -> None:
    with transaction.atomic():
        make(messages.of_channel(channel, now), now, by=[channel])
        audit.record(Action.CHANNEL_CHANGED, about=channel.name, said="A test was sent.")


def forget_old(now: datetime) -> None:
    """What is over for more than a year."""
    Delivery.objects.older_than(now - KEPT).delete()


@transaction.atomic
def _claim(now: datetime, without: set[int | None]) -> Delivery | None:
    """The next one, ours for a while."""
    while (delivery := Delivery.objects.next_due(now, without)) is not None:
        if delivery.tries < MOST_TRIES:
            delivery.tries += 1
            delivery.next_at = now + CLAIM
            delivery.log.append({"at": now.isoformat(timespec="seconds"), "said": ""})
            delivery.save(update_fields=["tries", "next_at", "log"])
            return delivery
        delivery.state, delivery.next_at = Delivery.State.FAILED, None
        delivery.error = DIED
        delivery.save(update_fields=["state", "next_at", "error"])
    return None


def _send(delivery: Delivery) -> None:
    """Raises NotDelivered."""
    channel = delivery.channel
    try:
        if delivery.email:
            mail.send(delivery)
        elif channel is None:
            raise NotDelivered("The channel was removed.", is_final=True)
        elif channel.kind == Channel.Kind.SLACK:
            slack.send(delivery, channel)
        else:
            webhook.send(delivery, channel)
    except vault.CannotOpen:
        raise NotDelivered(
            "The address of the channel cannot be opened: the operator of Seatwise looks at the "
            "encryption keys."
        ) from None
    except NotDelivered:
        raise
    except Exception as error:
        log.exception("message %s could not be sent", delivery.number)
        raise NotDelivered(f"Seatwise itself failed ({type(error).__name__}).") from None


def _arrived(delivery: Delivery, now: datetime) -> None:
    delivery.state, delivery.sent_at, delivery.next_at = Delivery.State.SENT, now, None
    delivery.error = ""
    delivery.log[-1]["said"] = "Accepted."
    _settle(delivery)


def _failed(delivery: Delivery, error: NotDelivered, now: datetime) -> None:
    delivery.error = delivery.log[-1]["said"] = str(error)
    if error.is_final or delivery.tries >= MOST_TRIES:
        delivery.state, delivery.next_at = Delivery.State.FAILED, None
    else:
        delivery.next_at = now + BACK_OFF[delivery.tries - 1]
    _settle(delivery)


def _settle(delivery: Delivery) -> None:
    names = ("state", "sent_at", "next_at", "error", "log")
    if not Delivery.objects.settle(delivery, names):
        log.warning("message %s was taken over meanwhile", delivery.number)
