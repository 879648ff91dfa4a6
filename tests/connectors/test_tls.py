"""A server that cannot prove who it is gets nothing."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from seatwise.connectors.errors import TryAgainLater
from seatwise.connectors.http import FixedToken, Http, hosts_of
from tests.connectors.accounts import impatient


@pytest.fixture(scope="module")
def received() -> list[bytes]:
    """What the server was told once a connection stood."""
    return []


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, received: list[bytes]) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_self_signed(tmp_path_factory.mktemp("tls")))
    listener = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()

    def accept() -> None:
        while not closing.is_set():
            connection, _ = listener.accept()
            with connection, suppress(OSError), context.wrap_socket(connection, True) as secured:
                received.append(secured.recv(1000))

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    yield f"https://127.0.0.1:{port}/"
    closing.set()
    socket.create_connection(("127.0.0.1", port)).close()  # wakes the acceptor
    thread.join(5)
    listener.close()


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    both = folder / "server.pem"
    both.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return both


@pytest.mark.fault(37)
def test_a_server_with_a_certificate_of_its_own_making_gets_no_token(
    url: str, received: list[bytes]
) -> None:
    async def attempt() -> None:
        async with Http(
            "Acme", hosts_of(url), credentials=FixedToken("t"), patience=impatient()
        ) as http:
            await http.get(url, str, endpoint="/things")

    with pytest.raises(TryAgainLater, match="prove") as caught:
        asyncio.run(attempt())
    assert "certificate" in caught.value.remedy
    assert not any(b"Authorization" in data for data in received)
