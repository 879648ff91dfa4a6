"""Slack's incoming webhooks, and whatever takes the same (Mattermost, Rocket.Chat).

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: whoever knows the
address can write into its one channel, so it is kept sealed and shown to nobody.
"""

import json

from seatwise.connectors.posting import NotDelivered, post
from seatwise.models import Channel, Delivery

ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}  # all that Slack asks to be escaped


def send(delivery: Delivery, channel: Channel) -> None:
    """Raises NotDelivered, vault.CannotOpen."""
    url = channel.unseal("address")
    if not url:
        raise NotDelivered("The channel has no address any more: make it anew.", is_final=True)
    text = f"*{_escaped(delivery.subject)}*\n{_escaped(delivery.text)}"
    post(url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"})


def _escaped(text: str) -> str:
    """So that a service's name mentions nobody and links nowhere."""
    return "".join(ESCAPES.get(letter, letter) for letter in text)
