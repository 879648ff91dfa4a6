"""What every test may ask for: people who sign in, a simulated vendor, a connection to it."""

from collections.abc import Iterator
from signal import SIG_DFL, SIG_IGN, SIGINT, SIGQUIT, default_int_handler, getsignal, signal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from hypothesis import HealthCheck, settings

from seatwise import connections, sync
from seatwise.connectors import base
from seatwise.connectors.base import all_connectors
from seatwise.connectors.pace import PACES
from seatwise.models import Authorization, Connection, Service, SyncRun, User
from tests.sandboxes import Running, running

PASSWORD = "correct horse battery"
SESSION = "one-browser-session"

# How long an example takes says how busy the machine is, and nothing about Seatwise.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# A shell that puts us into the background lets both be ignored, and every program we start, too.
for number, usual in ((SIGINT, default_int_handler), (SIGQUIT, SIG_DFL)):
    if getsignal(number) == SIG_IGN:
        signal(number, usual)


@pytest.fixture(autouse=True)
def _no_pace_is_known_yet() -> None:
    """The tests share a process, and each has a clock of its own."""
    PACES.forget()


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_user("ada@example.com", PASSWORD, name="Ada Admin", role="admin")


@pytest.fixture
def viewer(db: None) -> User:
    return User.objects.create_user("vic@example.com", PASSWORD, name="Vic Viewer")


@pytest.fixture
def as_admin(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def as_viewer(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client


@pytest.fixture(scope="session")
def small_vendor() -> Iterator[Running]:
    with running(seed=7, users=40, months=3) as vendor:
        yield vendor


@pytest.fixture
def vendor(small_vendor: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A small simulated account, which the connector's settings point to."""
    configure(small_vendor, monkeypatch)
    small_vendor.fault(rate_limit=1_000_000)  # many tests in one minute share this account
    yield small_vendor
    small_vendor.clear_faults()
    small_vendor.forget_requests()


@pytest.fixture
def service(db: None) -> Service:
    return Service.objects.create(key="pagerduty", name="PagerDuty", category="Incidents")


@pytest.fixture
def connection(vendor: Running, service: Service, admin: User) -> Connection:
    """Connected through the vendor's real consent pages; nothing is read yet."""
    attempt = authorize(vendor, service, admin)
    assert attempt.connection is not None, attempt.message
    return attempt.connection


def configure(vendor: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in vendor.settings.items():
        monkeypatch.setenv(f"SEATWISE_PAGERDUTY_{name}", value)


def read(connection: Connection) -> SyncRun:
    """One whole sync, in this process; the run as it ended."""
    run, _ = sync.open_run(connection, by=None)
    sync.run(run.pk)
    run.refresh_from_db()
    connection.refresh_from_db()
    return run


def authorize(
    vendor: Running,
    service: Service,
    user: User,
    *,
    role: str = "owner",
    account: str = "harbor-prod",
    decision: str = "authorize",
    **wishes: Any,
) -> Authorization:
    """From Integrate to the vendor's answer, as the person with that role there.

    `wishes` are those of `connections.begin`: way, scopes, renews.
    """
    url = connections.begin(service, user=user, session_key=SESSION, **wishes)
    back = vendor.decide(url, vendor.someone(role, account), account, decision)
    answer = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    return connections.finish(service.key, answer, user=user, session_key=SESSION)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same connectors, which do not really wait between two tries."""
    from tests.connectors.accounts import impatient as patience

    quick = {key: type(each)(patience=patience()) for key, each in all_connectors().items()}  # type: ignore[call-arg]
    monkeypatch.setattr(base, "all_connectors", lambda: quick)
