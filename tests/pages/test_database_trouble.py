"""What people see while the database is away: a page in our look, and then everything again."""

import logging
import re
from collections.abc import Iterator

import psycopg
import pytest
from django.db import OperationalError, close_old_connections
from django.db import connection as database
from django.test import Client

from seatwise.models import User
from tests.chaos.cluster import Cluster, cluster
from tests.installation.copying import _run
from tests.installation.vaulted import database_url

pytestmark = pytest.mark.django_db(transaction=True)
SAYS = "The database does not answer."
PAGES = ["/", "/services/pagerduty/", "/services/pagerduty/members/", "/audit/", "/users/"]


@pytest.fixture
def visitor(admin: User) -> Client:
    made = Client(raise_request_exception=False)
    made.force_login(admin)
    return made


@pytest.fixture
def away(visitor: Client, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The database's address leads nowhere."""
    caplog.set_level(logging.CRITICAL)
    before = dict(database.settings_dict)
    database.close()
    database.settings_dict["HOST"] = "/tmp/nobody-listens-here"
    yield
    database.close()
    database.settings_dict |= before


@pytest.mark.fault(75)
@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_who_acts_and_tries_again_by_itself(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "15")
    assert answer["Cache-Control"] == "no-store, private"
    assert SAYS in page
    assert "The operator looks after the database" in page
    assert "What was collected is kept" in page
    assert '<meta http-equiv="refresh" content="15">' in page
    assert re.search(r"css/tokens\.[0-9a-f]+\.css", page)
    for told in ("nobody-listens-here", "psycopg", "Error", "Traceback", "socket"):
        assert told not in page


@pytest.mark.fault(75)
@pytest.mark.usefixtures("away")
def test_a_stranger_is_told_the_same() -> None:
    answer = Client(raise_request_exception=False).get("/accounts/login/")
    assert (answer.status_code, SAYS in answer.content.decode()) == (503, True)


@pytest.mark.fault(75)
@pytest.mark.usefixtures("away")
def test_after_a_form_nobody_promises_that_it_was_stored_or_sends_it_again(visitor: Client) -> None:
    page = visitor.post("/services/pagerduty/sync/").content.decode()
    assert "look before you send it again" in page
    assert "http-equiv" not in page


@pytest.mark.fault(75)
@pytest.mark.usefixtures("away")
def test_a_part_of_a_page_gets_a_sentence_and_no_page(visitor: Client) -> None:
    answer = visitor.get("/services/pagerduty/progress/", headers={"HX-Request": "true"})
    assert answer.status_code == 503
    assert answer.content.decode().startswith(SAYS)
    assert "<" not in answer.content.decode()


@pytest.mark.fault(75)
def test_pages_come_back_with_the_database(visitor: Client) -> None:
    """A server that is stopped, killed and started under one and the same web process."""
    before = dict(database.settings_dict)
    with cluster() as server:
        _copy_into(server)
        database.close()
        database.settings_dict |= {"HOST": str(server.home), "USER": "postgres"}
        try:
            assert _asked(visitor) == 200
            server.stop("immediate")
            assert _asked(visitor) == 503
            server.start()
            assert _asked(visitor) == 200
            server.kill()
            assert _asked(visitor) == 200  # the dead session is noticed beforehand
        finally:
            database.close()
            database.settings_dict |= before


@pytest.mark.fault(77)
def test_a_full_disk_is_named(visitor: Client) -> None:
    def full(*_: object) -> None:
        raise OperationalError from psycopg.errors.DiskFull()

    with database.execute_wrapper(full):
        page = visitor.get("/users/")
    assert page.status_code == 503
    assert "disk is full. The operator frees space" in page.content.decode()


def test_a_defect_is_still_called_a_defect(visitor: Client) -> None:
    with database.execute_wrapper(lambda *_: 1 / 0):
        page = visitor.get("/users/")
    assert page.status_code == 500
    assert "Seatwise has a defect here" in page.content.decode()


def _asked(visitor: Client) -> int:
    close_old_connections()  # as before every real request; the tests' client leaves it out
    return visitor.get("/").status_code


def _copy_into(server: Cluster) -> None:
    """The tests' database as it is, sessions included, under the same name."""
    name = database.settings_dict["NAME"]
    with psycopg.connect(server.url, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}")
    dump = _run("pg_dump", "--no-owner", "-d", database_url())
    there = server.url.replace("/postgres?", f"/{name}?")
    _run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", there, given=dump)
