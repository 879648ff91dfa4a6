"""What every test may ask for: people who sign in."""

import pytest
from django.test import Client

from seatwise.models import User

PASSWORD = "correct horse battery"


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
