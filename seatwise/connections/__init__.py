"""The verbs on a connection: let in, hand out tokens, look after, check, revoke.

url = begin(service, user=…, session_key=…)      the person leaves for the vendor
authorization = finish(key, answer, user=…, …)   and comes back, with a yes or a no
authorization = let_in_by_key(service, …)        or in by an API key,
authorization = let_in_by_machine(service, …)    or by a private app of the account
authorization = decide(authorization, choice, …) where another account was chosen
token = fresh_token(connection.pk)               what a sync reads with
check(connection)                                what can be read, looked at again
revoke(connection, by=…, erase=…)                the end
"""

from seatwise.connections.checking import check, summary
from seatwise.connections.configuration import (
    NotConfigured,
    callback_url,
    config,
    consent_origins,
    missing_settings,
)
from seatwise.connections.entry.accounts import NotYours, decide, release_held
from seatwise.connections.entry.consent import StateRejected, begin, finish
from seatwise.connections.entry.letting_in import let_in_by_key, let_in_by_machine
from seatwise.connections.revocation import ASKED_FOR, confirmed, erase, revoke, tell_vendors
from seatwise.connections.tokens import fresh_token
from seatwise.connections.ways import NoSuchWay

__all__ = [
    "ASKED_FOR",
    "NoSuchWay",
    "NotConfigured",
    "NotYours",
    "StateRejected",
    "begin",
    "callback_url",
    "check",
    "config",
    "confirmed",
    "consent_origins",
    "decide",
    "erase",
    "finish",
    "fresh_token",
    "let_in_by_key",
    "let_in_by_machine",
    "missing_settings",
    "release_held",
    "revoke",
    "summary",
    "tell_vendors",
]
