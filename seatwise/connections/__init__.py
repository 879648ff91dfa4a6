"""The verbs on a connection: begin and finish the OAuth flow, hand out tokens, revoke.

url = begin(service, user=…, session_key=…)      the person leaves for the vendor
authorization = finish(key, answer, user=…, …)   and comes back, with a yes or a no
token = fresh_token(connection.pk)               what a sync reads with
revoke(connection, by=…, erase=…)                the end
"""

from seatwise.connections.configuration import (
    NotConfigured,
    callback_url,
    config,
    consent_origins,
    missing_settings,
)
from seatwise.connections.consent import StateRejected, begin, finish
from seatwise.connections.revocation import erase, revoke
from seatwise.connections.tokens import fresh_token

__all__ = [
    "NotConfigured",
    "StateRejected",
    "begin",
    "callback_url",
    "config",
    "consent_origins",
    "erase",
    "finish",
    "fresh_token",
    "missing_settings",
    "revoke",
]
