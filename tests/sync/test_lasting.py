"""Short transactions that stumble over others, or over a database that is away for a while."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection as database
from django.db import connections as databases
from django.db import transaction

from seatwise.models import Service
from seatwise.sync.lasting import DatabaseAway, lasting, trouble_of
from tests.chaos.cluster import Cluster, cluster

TABLE = "CREATE TABLE sheet (line int PRIMARY KEY, written int NOT NULL)"


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
def elsewhere(server: Cluster, transactional_db: None) -> Iterator[Cluster]:
    """Django's connection leads to a server that may be stopped, with an empty sheet."""
    with psycopg.connect(server.url, autocommit=True) as other:
        other.execute("ALTER SYSTEM RESET ALL")
        other.execute("SELECT pg_reload_conf()")
        other.execute("SET default_transaction_read_only = off")  # the reload may come later
        other.execute("DROP TABLE IF EXISTS sheet")
        other.execute(TABLE)
    with _living_in(server):
        yield server


def write(line: int) -> int:
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO sheet VALUES (%s, 1)", [line])
    return line


def lines(server: Cluster) -> list[int]:
    with psycopg.connect(server.url) as other:
        return [line for (line,) in other.execute("SELECT line FROM sheet ORDER BY line")]


@pytest.mark.fault(75)
@pytest.mark.parametrize("how", ["restart", "kill"])
def test_a_transaction_survives_a_restart_and_a_kill_of_the_database(
    elsewhere: Cluster, how: str
) -> None:
    times = []

    def work() -> int:
        times.append(write(7))
        if len(times) == 1:
            getattr(elsewhere, how)()
        return write(8)

    assert lasting(work) == 8
    assert len(times) == 2
    assert lines(elsewhere) == [7, 8]


@pytest.mark.fault(75)
def test_a_database_that_comes_back_is_waited_for(elsewhere: Cluster) -> None:
    elsewhere.stop()
    soon = threading.Timer(0.5, elsewhere.start)
    soon.start()
    assert lasting(lambda: write(3)) == 3
    soon.join()
    assert lines(elsewhere) == [3]


@pytest.mark.fault(75)
def test_a_database_that_stays_away_is_told_in_a_sentence_without_its_address(
    elsewhere: Cluster,
) -> None:
    elsewhere.stop()
    try:
        with pytest.raises(DatabaseAway) as told:
            lasting(lambda: write(3), patience=0.1)
    finally:
        elsewhere.start()
    assert str(told.value).startswith("The database does not answer. The operator")
    assert str(elsewhere.home) not in str(told.value)


@pytest.mark.fault(76)
def test_a_failover_to_a_read_only_copy_is_waited_out(elsewhere: Cluster) -> None:
    _only_readable(elsewhere, True)
    tries = []

    def work() -> int:
        tries.append(1)
        if len(tries) == 2:
            _only_readable(elsewhere, False)
        return write(5)

    assert lasting(work, patience=20) == 5
    assert lines(elsewhere) == [5]
    _only_readable(elsewhere, True)
    with pytest.raises(DatabaseAway, match="takes no changes"):
        lasting(lambda: write(6), patience=0.1)
    assert lines(elsewhere) == [5]


@pytest.mark.fault(76)
def test_two_that_wait_for_each_other_both_come_to_their_end(elsewhere: Cluster) -> None:
    for line in (1, 2):
        write(line)
    meeting = threading.Barrier(2)
    tries: list[int] = []

    def cross(first: int, second: int) -> Callable[[], None]:
        def work() -> None:
            tries.append(first)
            _rewrite(first)
            if tries.count(first) == 1:
                meeting.wait(10)
            _rewrite(second)

        return work

    def other() -> None:
        try:
            lasting(cross(2, 1))
        finally:
            databases.close_all()

    thread = threading.Thread(target=other)
    thread.start()
    lasting(cross(1, 2))
    thread.join(20)
    assert len(tries) == 3  # one of them was the victim, once
    with psycopg.connect(elsewhere.url) as session:
        assert session.execute("SELECT written FROM sheet ORDER BY line").fetchall() == [(3,), (3,)]


@pytest.mark.fault(76)
def test_whoever_is_crossed_again_and_again_gives_up_at_the_third_time(elsewhere: Cluster) -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        with database.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    with pytest.raises(DatabaseAway, match="by others at the same time"):
        lasting(work)
    assert len(tries) == 3


@pytest.mark.fault(77)
def test_a_full_disk_is_named_and_nothing_is_half_written(elsewhere: Cluster) -> None:
    """As PostgreSQL tells it; a disk that is really full is the chaos run's business."""
    full = [True, True]

    def work() -> None:
        write(1)
        with database.cursor() as cursor:
            if full.pop():
                cursor.execute("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$")

    with pytest.raises(DatabaseAway, match=r"disk is full\. The operator frees space"):
        lasting(work, patience=0.0)
    assert lines(elsewhere) == []
    full[:] = [False, True]
    lasting(work)
    assert lines(elsewhere) == [1]


@pytest.mark.fault(79)
def test_what_a_frozen_client_has_locked_is_free_for_its_successor(elsewhere: Cluster) -> None:
    """The session as Seatwise opens it, with a shortened patience."""
    write(1)
    given = {**database.get_connection_params(), "cursor_factory": None}
    assert "idle_in_transaction_session_timeout=20s" in given["options"]
    url = elsewhere.url
    options = given["options"].replace("=20s", "=200ms")
    frozen = psycopg.connect(url, options=options)
    frozen.execute("UPDATE sheet SET written = 9 WHERE line = 1")  # and then nothing more
    with psycopg.connect(url) as successor:
        successor.execute("SET lock_timeout = '10s'")
        successor.execute("UPDATE sheet SET written = 2 WHERE line = 1")
    with pytest.raises(psycopg.Error):
        frozen.execute("UPDATE sheet SET written = 10 WHERE line = 1")
    frozen.close()
    with psycopg.connect(url) as session:
        assert session.execute("SELECT written FROM sheet").fetchall() == [(2,)]


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_work_inside_of_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        lasting(lambda: 1)


@pytest.mark.django_db
def test_what_is_no_trouble_of_the_database_is_left_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        lasting(lambda: 1 // 0)
    with pytest.raises(Service.DoesNotExist):
        lasting(lambda: Service.objects.get(key="nowhere"))
    assert trouble_of(ZeroDivisionError()) is None


def _rewrite(line: int) -> None:
    with database.cursor() as cursor:
        cursor.execute("UPDATE sheet SET written = written + 1 WHERE line = %s", [line])


def _only_readable(server: Cluster, wanted: bool) -> None:
    with psycopg.connect(server.url, autocommit=True) as other:
        other.execute("SET default_transaction_read_only = off")
        other.execute(
            f"ALTER SYSTEM SET default_transaction_read_only = {'on' if wanted else 'off'}"
        )
        other.execute("SELECT pg_reload_conf()")
    database.close()


@contextmanager
def _living_in(server: Cluster) -> Iterator[None]:
    before = {name: database.settings_dict[name] for name in ("NAME", "HOST", "USER")}
    database.close()
    database.settings_dict |= {"NAME": "postgres", "HOST": str(server.home), "USER": "postgres"}
    try:
        yield
    finally:
        database.close()
        database.settings_dict |= before
