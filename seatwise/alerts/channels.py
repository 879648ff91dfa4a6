"""Slack channels and webhooks: made, given a new secret, removed. Their addresses are secrets."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from seatwise import audit
from seatwise.alerts.webhook import fresh_secret
from seatwise.connectors.posting import place_of
from seatwise.models import Channel, User
from seatwise.models.audit_event import Action


def add_channel(kind: str, name: str, address: str, *, by: User) -> Channel:
    """A webhook has a secret, which is to be shown once. Raises ValueError, with a sentence."""
    name, address = " ".join(name.split()), address.strip()
    if kind not in Channel.Kind.values:
        raise ValueError("Choose Slack or a webhook.")
    if not name or len(name) > 100:
        raise ValueError("Give the channel a name of at most 100 characters.")
    host = place_of(address, only_https=kind == Channel.Kind.SLACK)
    made = Channel(kind=kind, name=name, host=host[:260], made_at=timezone.now(), made_by=by)
    try:
        with transaction.atomic():
            made.save()  # its number is part of the seal
            made.seal("address", address)
            if kind == Channel.Kind.WEBHOOK:
                made.seal("secret", fresh_secret())
            made.save(update_fields=["address", "secret"])
            _record(made, f"{made.get_kind_display()} at {host} was added.")
    except IntegrityError:
        raise ValueError("There is a channel of this name already.") from None
    return made


def new_secret(channel: Channel) -> None:
    """From now on everything is signed with it, also what still waits. Of a webhook alone."""
    with transaction.atomic():
        channel.seal("secret", fresh_secret())
        channel.save(update_fields=["secret"])
        _record(channel, "It has a new secret.")


def remove_channel(channel: Channel) -> None:
    """What still waits for it is given up; what was sent stays listed."""
    with transaction.atomic():
        _record(channel, f"{channel.get_kind_display()} at {channel.host} was removed.")
        channel.delete()


def _record(channel: Channel, said: str) -> None:
    audit.record(Action.CHANNEL_CHANGED, about=channel.name, said=said)
