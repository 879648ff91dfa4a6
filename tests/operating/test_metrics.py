"""What Prometheus is told: to whom, what, in which form, and at what cost."""

import re
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError
from django.db import connection as database
from django.db import connections as databases
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
from pytest_django import Settings

from seatwise import installation, metrics
from seatwise.models import Connection, Member, Notice, Service, SyncRun, User
from seatwise.models.connection import Every, State
from seatwise.models.notice import Kind
from seatwise.vault import Ring, new_key
from seatwise.views import metrics as views
from tests.operating.test_health import no_database
from tests.pages import rows

HOUR = timedelta(hours=1)
TOKEN = "let-prometheus-in-0123"
MOST_QUERIES = 13
NO_ANSWER = b"The database did not answer in time.\n"

__all__ = ["no_database"]


@pytest.fixture(autouse=True)
def _token(settings: Settings, db: None) -> None:
    settings.METRICS_TOKEN = TOKEN


def scrape(token: str = TOKEN, **headers: str) -> Any:
    return Client(headers={"authorization": f"Bearer {token}", **headers}).get("/metrics")


def figures(found: Iterable[Metric] | None = None) -> dict[tuple[str, ...], float]:
    """{(name, label values in their order): value}."""
    families = plain(scrape().content.decode()) if found is None else found
    return {
        (sample.name, *(sample.labels[name] for name in metrics.METRICS[sample.name].labels)): (
            sample.value
        )
        for family in families
        for sample in family.samples
    }


def run(of: Connection, state: str, hours: float, seconds: float = 60, **fields: Any) -> SyncRun:
    """A sync that ended so many hours ago."""
    ended = timezone.now() - timedelta(hours=hours)
    began = ended - timedelta(seconds=seconds)
    return SyncRun.objects.create(
        connection=of,
        state=state,
        created_at=began,
        started_at=began,
        finished_at=ended,
        **fields,
    )


def test_without_a_token_in_the_settings_there_is_no_such_page(settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    for token in ("", TOKEN):
        assert scrape(token).status_code == 404


@pytest.mark.parametrize(
    "told",
    ["", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer é"],
)
def test_only_the_token_lets_in(told: str, as_admin: Client) -> None:
    answer = as_admin.get("/metrics", headers={"authorization": told} if told else {})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert b"seatwise_" not in answer.content


def test_prometheus_is_let_in_by_any_name_and_without_tls(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = scrape(host="10.1.2.3:8000")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


def test_every_figure_is_right(service: Service, admin: User) -> None:
    installation.check()
    now = timezone.now()
    acme = rows.connection(service, members_as_of=now - timedelta(hours=3))
    late = rows.connection(
        service, account_id="P2", account_name="late", state=State.NEEDS_RECONNECT
    )
    rows.connection(service, account_id="P3", account_name="gone", state=State.DISCONNECTED)
    twin = rows.connection(service, account_id="P4", members_as_of=now - timedelta(hours=9))
    for days in (1, 2, 40, None):
        rows.member(acme, "Mia Member", seen=days)
    rows.member(late, "Lou Left", left_at=now)
    run(acme, "done", 30, requests={"GET /users": 100})
    run(acme, "done", 3, 90, requests={"GET /users": 7, "GET /teams": 2})
    run(acme, "done_with_notes", 2, 30, requests={"GET /users": 5})
    run(twin, "action_needed", 1, requests={})
    SyncRun.objects.create(
        connection=late, state="retry_at", created_at=now, requests={"GET /users": 1}
    )
    Notice.objects.tell(late, Kind.AWAY, now)
    found = figures()
    key = service.key
    assert found["seatwise_connections", "active"] == 2
    assert found["seatwise_connections", "needs_reconnect"] == 1
    assert found["seatwise_connections", "retrying"] == 0
    assert found["seatwise_members_age_seconds", key, "acme-prod"] == pytest.approx(
        9 * 3600, abs=60
    )
    assert found["seatwise_members_age_seconds", key, "late"] == pytest.approx(0, abs=60)
    assert ("seatwise_members_age_seconds", key, "gone") not in found
    assert found["seatwise_last_run_seconds", key, "acme-prod"] == 60
    ended = {each[2]: value for each, value in found.items() if each[0] == "seatwise_last_day_runs"}
    assert ended == {"done": 1, "done_with_notes": 1, "action_needed": 1, "retry_at": 1}
    assert found["seatwise_last_day_requests", key, "GET /users"] == 13
    assert found["seatwise_last_day_requests", key, "GET /teams"] == 2
    seats = {each[2]: value for each, value in found.items() if each[0] == "seatwise_seats"}
    assert {name: value for name, value in seats.items() if value} == {
        "active": 2,
        "idle_30": 1,
        "unknown": 1,
        "left": 1,
    }
    assert found["seatwise_notices_open",] == 1
    assert found["seatwise_syncing_paused",] == 0
    assert found["seatwise_keys_ok",] == 1
    assert found["seatwise_disk_free_bytes",] > 0
    assert found["seatwise_queue_oldest_due_seconds",] == 0
    told = scrape().content.decode()
    assert not re.search(r"@|Mia|Lou|Ada", told)


def test_a_pause_and_a_wrong_key_are_told(settings: Settings) -> None:
    installation.check()
    installation.pause("A snapshot is taken.")
    settings.ENCRYPTION_KEYS = Ring.parse(new_key())
    found = figures()
    assert (found["seatwise_syncing_paused",], found["seatwise_keys_ok",]) == (1, 0)


def test_what_waits_on_the_queue_is_told() -> None:
    job = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, scheduled_at) "
        "VALUES ('default', 'seatwise.sync_run', '{}', 'todo', now() + make_interval(mins => %s))"
    )
    with database.cursor() as cursor:
        for minutes in (-7, 60):
            cursor.execute(job, [minutes])
    found = figures()
    assert found["seatwise_queue_jobs", "seatwise.sync_run", "waiting"] == 2
    assert found["seatwise_queue_oldest_due_seconds",] == pytest.approx(420, abs=30)


def test_both_forms_hold_the_same_and_prometheus_own_readers_read_them(service: Service) -> None:
    rows.member(rows.connection(service, account_name='quo"te\\n'), "Mia Member", seen=1)
    wanted = {"accept": "application/openmetrics-text; version=1.0.0"}
    answer = scrape(**wanted)
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    families = list(openmetrics(answer.content.decode()))  # type: ignore[no-untyped-call]
    assert set(figures(families)) == set(figures())
    assert {family.type for family in families} == {"gauge"}
    assert {family.name for family in families} == set(metrics.METRICS)
    assert ("seatwise_members_age_seconds", service.key, 'quo"te\\n') in figures()


def test_without_a_database_it_says_so(no_database: None) -> None:
    answer = scrape()
    assert (answer.status_code, answer.content) == (503, NO_ANSWER)


@pytest.fixture
def held(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseDatabaseWrapper]:
    """Somebody else holds a table that is asked, for longer than a scrape waits."""
    monkeypatch.setattr(views, "PATIENCE", "500ms")
    other = database.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE seatwise_member")
    yield other
    other.rollback()
    other.close()


def test_a_held_table_does_not_hold_the_scrape(held: BaseDatabaseWrapper) -> None:
    began = time.monotonic()
    answer = scrape()
    assert (answer.status_code, answer.content) == (503, NO_ANSWER)
    assert time.monotonic() - began < 5
    held.rollback()
    assert scrape().status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_scrape_that_takes_long_is_not_joined_by_others(held: BaseDatabaseWrapper) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

    def first() -> int:
        try:
            return int(scrape().status_code)
        finally:
            databases.close_all()

    with ThreadPoolExecutor(1) as aside, database.cursor() as cursor:
        slow = aside.submit(first)
        found = (0,)
        while found == (0,):
            assert not slow.done()
            cursor.execute(waiting)
            found = cursor.fetchone()
        answer = scrape()
        assert answer.status_code == 503
        assert b"Another scrape is under way" in answer.content
        assert slow.result() == 503
    held.rollback()
    assert scrape().status_code == 200


def test_a_connection_that_broke_is_told_like_any_trouble_with_the_database() -> None:
    def broken(*_: Any) -> None:
        raise InterfaceError("connection already closed")

    with database.execute_wrapper(broken):
        answer = scrape()
    assert (answer.status_code, answer.content) == (503, NO_ANSWER)


def test_what_an_alert_needs_is_told_of_every_schedule(service: Service) -> None:
    """A weekly list may be days old and is not late; one that was never read has an age, too."""
    now = timezone.now()
    rows.connection(
        service,
        account_name="weekly",
        sync_every=Every.WEEK,
        members_as_of=now - timedelta(days=6),
        next_sync_at=now + timedelta(days=1),
    )
    rows.connection(service, account_id="P2", account_name="late", next_sync_at=now - 2 * HOUR)
    rows.connection(
        service,
        account_id="P3",
        account_name="never",
        connected_at=now - 5 * HOUR,
        members_as_of=None,
        sync_every=Every.NEVER,
    )
    rows.connection(
        service, account_id="P4", account_name="gone", state=State.DISCONNECTED, next_sync_at=now
    )
    found = figures()
    late = {each[2]: value for each, value in found.items() if "overdue" in each[0]}
    assert late == {"weekly": 0, "late": pytest.approx(7200, abs=60), "never": 0}
    age = found["seatwise_members_age_seconds", service.key, "never"]
    assert age == pytest.approx(5 * 3600, abs=60)


def test_the_number_of_queries_does_not_grow(service: Service) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as asked:
            assert scrape().status_code == 200
        return len(asked)

    queries()
    few = queries()
    for number in range(5):
        account = rows.connection(service, account_id=f"N{number}", account_name=f"n{number}")
        rows.member(account, "Mia Member")
        run(account, "done", 1)
    Service.objects.create(key="figma", name="Figma")
    assert queries() == few <= MOST_QUERIES


def test_many_services_are_told_quickly() -> None:
    """A large installation (300 services, 100,000 members) is measured apart."""
    with_members(services=60, members=1_200)
    scrape()
    began = time.monotonic()
    assert len(figures()) > 60 * 12
    assert time.monotonic() - began < 1


def with_members(*, services: int, members: int) -> None:
    now = timezone.now()
    made = Service.objects.bulk_create(
        Service(key=f"service-{number}", name=f"Service {number}") for number in range(services)
    )
    accounts = Connection.objects.bulk_create(
        Connection(
            service=service,
            account_id="A",
            account_name="account",
            connected_at=now,
            members_as_of=now,
            api_url="https://api.example.com",
        )
        for service in made
    )
    Member.objects.bulk_create(
        [
            Member(
                connection=accounts[number % services],
                external_id=f"M{number}",
                name=f"Member {number}",
                first_listed_at=now,
                last_seen_at=now - timedelta(days=number % 120) if number % 3 else None,
            )
            for number in range(members)
        ],
        batch_size=5_000,
    )
    made_of = {f"GET /endpoint/{number}": number for number in range(12)}
    SyncRun.objects.bulk_create(
        SyncRun(
            connection=account,
            state="done",
            created_at=now,
            started_at=now,
            finished_at=now,
            requests=made_of,
        )
        for account in accounts
        for _ in range(4)
    )
