"""Several processes, killed processes and a database that goes away, around one refresh."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import connections as databases
from django.utils import timezone

from seatwise import connections
from seatwise.connections.tokens.stored import store
from seatwise.connectors.errors import CredentialsRejected, TryAgainLater
from seatwise.models import Connection, Revocation, Service, User
from tests.connections.crowd import Crowd, crowd
from tests.connections.granting import (
    expire,
    grant_to,
    let_time_pass,
    new_grant,
    token_calls,
    works,
)
from tests.sandboxes import Running

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES, TRIALS = 8, 30
SLOW = 1.5  # seconds, in which something else can be done on a busy machine, too
KILLS, ANSWERS_AFTER = 8, 0.15


@pytest.fixture(scope="module")
def everybody(small_vendor: Running, django_db_setup: None) -> Iterator[Crowd]:
    with crowd(small_vendor) as there:
        yield there


def slow(vendor: Running, delay: float = SLOW, times: int | None = 1) -> None:
    """The vendor does its work at once and answers late."""
    vendor.fault(path="/oauth/token", kind="slow", delay=delay, times=times)


def meanwhile(connection: Connection, vendor: Running, what: Callable[[], object]) -> str:
    """Does something after the vendor was asked and before it answers; what the refresh gave."""
    before = token_calls(vendor)
    with ThreadPoolExecutor(1) as pool:
        asking: Future[str] = pool.submit(_ask, connection.pk)
        until = time.monotonic() + 10
        while token_calls(vendor) == before:
            assert time.monotonic() < until
        assert Connection.objects.get(pk=connection.pk).refreshing_since is not None
        what()
        assert not asking.done(), "the machine is too busy: the vendor has already answered"
        return asking.result(30)


def _ask(connection_id: int) -> str:
    try:
        return connections.fresh_token(connection_id)
    finally:
        databases.close_all()


def end_other_sessions() -> None:
    """What a restart of the database does to whoever is connected."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.fault(18)
def test_many_processes_make_one_refresh_at_a_vendor_slower_than_they_wait(
    living: Connection, vendor: Running, everybody: Crowd
) -> None:
    """The lock and the marker on the row each suffice for this: it is red without both."""
    everybody.wait(waits=0.05, deadline=30)
    slow(vendor, 0.15, None)
    told, given = Counter[str](), set[str]()
    for trial in range(1, TRIALS + 1):
        expire(living)
        asked = [everybody.ask(living.pk, resident=number) for number in range(PROCESSES)]
        answers = [everybody.answer(number) for number in asked]
        told.update(answer.get("error", "token") for answer in answers)
        tokens = {everybody.insist(living.pk, number).get("token") for number in range(2)}
        tokens |= {answer["token"] for answer in answers if "token" in answer}
        assert len(tokens) == 1, (trial, answers)
        assert token_calls(vendor) == trial, (trial, answers)
        given |= {str(token) for token in tokens}
    assert len(given) == TRIALS
    assert set(told) == {"token", "TryAgainLater"}
    assert told["TryAgainLater"] > TRIALS
    vendor.clear_faults()
    expire(living)
    assert works(vendor, connections.fresh_token(living.pk))  # the stored refresh token is good


@pytest.mark.fault(18)
def test_many_threads_that_wait_get_the_same_token(living: Connection, vendor: Running) -> None:
    """This is the lock's alone: by the marker they would be told to try again later."""
    expire(living)
    slow(vendor, 0.3)
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(_ask, [living.pk] * 8))
    assert len(set(tokens)) == 1
    assert token_calls(vendor) == 1


@pytest.mark.fault(19)
@pytest.mark.parametrize("grace", [0, 30])
def test_a_kill_in_a_refresh_loses_nothing_unexplained(
    vendor: Running, service: Service, everybody: Crowd, grace: int
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    dice, outcomes = random.Random(seed), Counter[str]()
    vendor.fault(rotation_grace=grace)
    slow(vendor, ANSWERS_AFTER, None)
    connection = grant_to(vendor, service)
    everybody.wait(waits=5, deadline=30, grace=grace)
    for kill in range(KILLS):  # the first ones before the answer, the last ones after it
        if not connection.is_alive:
            connection = grant_to(vendor, service)
        expire(connection)
        after = (kill + dice.random()) / KILLS * 1.5 * ANSWERS_AFTER
        number = everybody.ask(connection.pk)
        outcomes["cut"] += everybody.kill_while_refreshing(connection, number, after)
        if not grace:
            let_time_pass(connection)
        told = everybody.insist(connection.pk)
        connection.refresh_from_db()
        explained = "stopped at" in connection.attention and connection.refreshing_since
        outcomes["kept" if "token" in told else "explained" if explained else "lost"] += 1
    assert outcomes["lost"] == 0, (seed, outcomes)
    assert outcomes["cut"] >= 1, (seed, outcomes)
    if grace:
        assert outcomes["kept"] == KILLS, (seed, outcomes)
    else:
        assert outcomes["explained"] >= 1, (seed, outcomes)


@pytest.mark.fault(19)
@pytest.mark.fault(75)
def test_a_database_that_goes_away_during_the_call_does_not_cost_the_answer(
    living: Connection, vendor: Running
) -> None:
    expire(living)
    slow(vendor)
    token = meanwhile(living, vendor, end_other_sessions)
    living.refresh_from_db()
    assert living.unseal("access_token") == token
    assert living.refreshing_since is None
    assert works(vendor, token)


@pytest.mark.fault(19)
def test_a_late_answer_heals_what_was_given_up(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up() -> None:
        end_other_sessions()  # so the lock is free, although its holder goes on
        then = timezone.now() - timedelta(minutes=3)
        marker = Connection.objects.get(pk=living.pk).refreshing_since
        assert marker is not None
        with monkeypatch.context() as patch:
            patch.setattr("seatwise.connections.tokens.refreshing.STORING", -100.0)
            with pytest.raises(CredentialsRejected):
                connections.fresh_token(living.pk)
        assert Connection.objects.get(pk=living.pk).state == "needs_reconnect"
        assert then < marker

    expire(living)
    slow(vendor)
    token = meanwhile(living, vendor, give_up)
    living.refresh_from_db()
    assert (living.state, living.attention, living.refreshing_since) == ("active", "", None)
    assert living.next_sync_at is not None
    assert works(vendor, token)


@pytest.mark.fault(83)
def test_what_arrives_after_a_revocation_is_revoked_too(
    living: Connection, vendor: Running, admin: User
) -> None:
    expire(living)
    slow(vendor)
    with pytest.raises(CredentialsRejected, match="revoked"):
        meanwhile(living, vendor, lambda: connections.revoke(living, by=admin, erase=False))
    living.refresh_from_db()
    assert (living.state, living.access_token, living.refresh_token) == ("disconnected", "", "")
    assert Revocation.objects.of_connection(living).count() == 2
    connections.tell_vendors(timezone.now())
    assert not Revocation.objects.waiting().exists()


@pytest.mark.fault(23)
def test_a_refusal_judges_nothing_when_somebody_has_authorized_again_meanwhile(
    living: Connection, vendor: Running, service: Service
) -> None:
    def authorize_again() -> None:
        vendor.clear_faults()
        row = Connection.objects.get(pk=living.pk)
        row.granted_at, row.refreshing_since = timezone.now(), None
        store(row, new_grant(vendor, service), row.granted_at)
        row.save()

    living.seal("refresh_token", "pdus+_dead")
    living.save()
    expire(living)
    slow(vendor)
    token = meanwhile(living, vendor, authorize_again)
    living.refresh_from_db()
    assert living.state == "active"
    assert works(vendor, token)


@pytest.mark.fault(23)
def test_an_answer_for_a_replaced_grant_does_not_take_the_new_ones_place(
    living: Connection, vendor: Running, service: Service
) -> None:
    def authorize_again() -> None:
        row = Connection.objects.get(pk=living.pk)
        row.granted_at, row.refreshing_since = timezone.now(), None
        store(row, new_grant(vendor, service), row.granted_at)
        row.save()

    expire(living)
    slow(vendor)
    token = meanwhile(living, vendor, authorize_again)
    living.refresh_from_db()
    assert living.unseal("access_token") == token
    assert Revocation.objects.of_connection(living).count() == 1
    connections.tell_vendors(timezone.now())
    assert works(vendor, token)  # what was revoked was the other


@pytest.mark.fault(23)
def test_a_refusal_judges_nothing_while_somebody_else_repeats_the_refresh(
    living: Connection, vendor: Running
) -> None:
    def repeat() -> None:
        Connection.objects.update(refreshing_since=timezone.now())

    living.seal("refresh_token", "pdus+_dead")
    living.save()
    expire(living)
    slow(vendor)
    with pytest.raises(TryAgainLater):
        meanwhile(living, vendor, repeat)
    living.refresh_from_db()
    assert living.state == "active"
    assert living.refreshing_since is not None
