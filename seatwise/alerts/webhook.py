"""Webhooks that a receiver can trust: signed as the Standard Webhooks say.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: what is
signed is the number of the message, the second of the try and the exact bytes of the body.
"""

import base64
import json
import secrets
from datetime import UTC, datetime

from standardwebhooks import Webhook

from seatwise.connectors.posting import NotDelivered, post
from seatwise.models import Channel, Delivery

SECRET_BYTES = 32


def fresh_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def send(delivery: Delivery, channel: Channel) -> None:
    """Raises NotDelivered, vault.CannotOpen."""
    url, secret = channel.unseal("address"), channel.unseal("secret")
    if not url or not secret:
        raise NotDelivered("The channel has no address any more: make it anew.", is_final=True)
    body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":"))
    now, number = datetime.now(UTC), f"msg_{delivery.number.hex}"
    headers = {
        "Content-Type": "application/json",
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(number, now, body),
    }
    post(url, body.encode(), headers)
