"""What the tests of tokens share."""

import pytest

from seatwise.models import Connection, Service
from tests.connections.granting import grant_to
from tests.sandboxes import Running


@pytest.fixture
def living(vendor: Running, service: Service) -> Connection:
    """A connection with a grant that works, and no request on the record."""
    connection = grant_to(vendor, service)
    vendor.forget_requests()
    return connection
