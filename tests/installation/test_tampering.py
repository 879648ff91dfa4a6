"""Ciphertexts that were moved or altered in the database: not one is used."""

import random

import pytest

from seatwise import connections, installation
from seatwise.connectors.errors import CredentialsRejected, VendorError
from seatwise.models import AuditEvent, Connection, Service, User
from seatwise.vault import CannotOpen
from tests.installation.vaulted import ciphertexts, everywhere, opened
from tests.sandboxes import Running

SEED = 87


@pytest.mark.fault(87)
def test_of_a_hundred_swapped_or_flipped_ciphertexts_a_hundred_are_refused(
    service: Service, admin: User
) -> None:
    installation.check()
    everywhere(service, admin, each=2)
    before = opened()
    chance = random.Random(SEED)
    places = ciphertexts()
    refused = 0
    for trial in range(100):
        kind, pk, name = chance.choice(places)
        sealed = kind.rows().values_list(name, flat=True).get(pk=pk)
        if trial % 2:
            other, other_pk, other_name = chance.choice(
                [p for p in places if p != (kind, pk, name)]
            )
            bad = other.rows().values_list(other_name, flat=True).get(pk=other_pk)
        else:
            bad = _flipped(sealed, chance)
        kind.rows().filter(pk=pk).update(**{name: bad})
        with pytest.raises(CannotOpen):
            kind.rows().get(pk=pk).unseal(name)
        refused += 1
        kind.rows().filter(pk=pk).update(**{name: sealed})
    assert refused == 100
    assert opened() == before


@pytest.mark.fault(87)
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
@pytest.mark.parametrize("seed", range(5))
def test_an_altered_token_is_never_sent_to_a_vendor(
    connection: Connection, vendor: Running, name: str, seed: int
) -> None:
    bad = _flipped(getattr(connection, name), random.Random(seed))
    ends = connection.expires_at if name == "access_token" else None  # None: asks for a new one
    Connection.objects.filter(pk=connection.pk).update(**{name: bad}, expires_at=ends)
    vendor.forget_requests()
    with pytest.raises(VendorError):
        connections.fresh_token(connection.pk)
    assert vendor.requests() == []


@pytest.mark.fault(87)
def test_two_accounts_tokens_that_were_swapped_are_refused_and_noted(
    connection: Connection, vendor: Running
) -> None:
    mine = Connection.objects.filter(pk=connection.pk)
    mine.update(access_token=connection.refresh_token, refresh_token=connection.access_token)
    vendor.forget_requests()
    with pytest.raises(CredentialsRejected):
        connections.fresh_token(connection.pk)
    assert vendor.requests() == []
    connection.refresh_from_db()
    assert connection.state == "needs_reconnect"
    assert AuditEvent.objects.filter(action="secret_refused").count() == 1


def _flipped(sealed: str, chance: random.Random) -> str:
    index = chance.randrange(len(sealed))
    return (
        sealed[:index] + chr(ord(sealed[index]) ^ (1 << chance.randrange(7))) + sealed[index + 1 :]
    )
