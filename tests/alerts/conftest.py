"""Servers that take what is sent, and a service whose alerts send it."""

from collections.abc import Iterator
from typing import Any

import pytest

from seatwise.models import Alert, Connection, Service, User
from tests import canary
from tests.alerts.receiving import MailServer, Receiver, mail_server, receiver
from tests.alerts.watched import alert
from tests.pages import rows

PASSWORD = "canary-of-the-mail-server-51"


@pytest.fixture
def mails(settings: Any) -> Iterator[MailServer]:
    """A mail server, which our settings point to."""
    canary.secret("SMTP password", PASSWORD)
    with mail_server(PASSWORD) as server:
        settings.MAIL_SERVER = {
            "host": "127.0.0.1",
            "port": server.port,
            "username": "user",
            "password": PASSWORD,
            "use_ssl": False,
            "use_tls": False,
            "timeout": 20,
        }
        settings.MAIL_FROM = "Seatwise <seatwise@example.com>"
        yield server


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


@pytest.fixture
def account(service: Service, viewer: User) -> Connection:
    """Of a service that the viewer owns."""
    service.owner = viewer
    service.save()
    return rows.connection(service)


@pytest.fixture
def incidents(account: Connection) -> Alert:
    """Above 100 of the month, told to the owner."""
    return alert(account.service, unit="metric:incidents", limit=100)
