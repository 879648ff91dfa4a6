"""Fifty processes that refresh at once, and processes that are killed while they refresh."""

import random
from collections import Counter

from django.db import connection as database

from seatwise import connections
from seatwise.models import Connection, Service
from tests.connections.crowd import Crowd
from tests.connections.granting import expire, grant_to, let_time_pass, token_calls, works
from tests.sandboxes import Running

PROCESSES, TRIALS = 50, 30
ANSWERS_AFTER, WAITS = 3.0, 1.0  # seconds: the vendor is slower than anybody waits for a lock
KILLS, GRACE = 60, 30
CUT_AT_LEAST = 20  # of the kills must hit in the middle, or nothing was proved
AT_VENDOR = 0.2  # seconds between the vendor's rotation and its answer
WINDOW = 0.3  # seconds after the marker was set in which a process is killed
IN_THE_MIDDLE = "killed in the middle"

Told = tuple[str, Counter[str], int]


def at_once(vendor: Running, service: Service, everybody: Crowd) -> Told:
    """Every trial has its own expiry; whoever gave up asks once more, as a run does."""
    everybody.wait(waits=WAITS, deadline=60)
    connection, found, wrong = grant_to(vendor, service), Counter[str](), 0
    for _ in range(TRIALS):
        expire(connection)
        vendor.forget_requests()
        vendor.fault(path="/oauth/token", kind="slow", delay=ANSWERS_AFTER)
        first = [everybody.ask(connection.pk) for _ in range(PROCESSES)]
        told = [everybody.answer(number) for number in first]
        impatient = [each for each in told if each.get("error") == "TryAgainLater"]
        told = [each for each in told if each not in impatient]
        told += [everybody.insist(connection.pk) for _ in impatient[:3]]
        tokens = {each.get("token", each.get("said")) for each in told}
        calls = token_calls(vendor)
        connection.refresh_from_db()
        alive = works(vendor, connection.unseal("access_token"))
        found["token calls"] += calls
        found["asked while the vendor was slow"] += len(impatient)
        found["grants destroyed"] += not alive
        wrong += calls != 1 or not alive or len(tokens) != 1
        print(".", end="", flush=True)
    print()
    expire(connection)
    wrong += not works(vendor, connections.fresh_token(connection.pk))  # the last one is good, too
    database.close()
    title = f"{PROCESSES} processes at once, {TRIALS} trials, the vendor answers after"
    return f"{title} {ANSWERS_AFTER:g} s and nobody waits longer than {WAITS:g} s", found, wrong


def killed(
    vendor: Running, service: Service, everybody: Crowd, grace: int, dice: random.Random
) -> Told:
    """kill -9 at a random moment after the marker was set; then somebody else comes and asks."""
    vendor.clear_faults()
    vendor.fault(rotation_grace=grace)
    everybody.wait(waits=10, deadline=60, grace=grace)
    connection, found = grant_to(vendor, service), Counter[str]()
    vendor.fault(path="/oauth/token", kind="slow", delay=AT_VENDOR, times=None)
    for _ in range(KILLS):
        if not connection.is_alive:
            connection = grant_to(vendor, service)
        expire(connection)
        vendor.forget_requests()
        number = everybody.ask(connection.pk)
        cut = everybody.kill_while_refreshing(connection, number, dice.uniform(0, WINDOW))
        asked = "asked" if token_calls(vendor) else "not asked"
        found[IN_THE_MIDDLE if cut else "killed after its answer was stored"] += 1
        if not grace:
            let_time_pass(connection)
        found[_outcome(vendor, connection, everybody, asked)] += 1
        print(".", end="", flush=True)
    print()
    database.close()
    wrong = found["LOST WITHOUT AN EXPLANATION"] + (found[IN_THE_MIDDLE] < CUT_AT_LEAST)
    if grace:
        wrong += KILLS - found["kept"]
    title = f"kill -9, {KILLS} times, at a vendor"
    return (
        f"{title} {f'with a grace period of {grace} s' if grace else 'without grace'}",
        found,
        wrong,
    )


def _outcome(vendor: Running, connection: Connection, everybody: Crowd, asked: str) -> str:
    told = everybody.insist(connection.pk)
    connection.refresh_from_db()
    if "token" in told and works(vendor, connection.unseal("access_token")):
        return "kept"
    explained = connection.refreshing_since and "Seatwise was stopped at" in connection.attention
    if connection.state == "needs_reconnect" and explained:
        return f"given up and explained by the marker (vendor {asked})"
    return "LOST WITHOUT AN EXPLANATION"
