"""Answers that are torn, cut off, late, endless or far too large, as seen on the wire."""

import gzip
import json
import re
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.sandbox.conftest import Reader
from tests.sandboxes import Running

MIB = 1024 * 1024


@dataclass
class Exchange:
    """What came back for one request, byte by byte, and how it ended."""

    received: bytes
    ended: str  # "closed", "reset"
    seconds: float

    @property
    def head(self) -> str:
        return self.received.partition(b"\r\n\r\n")[0].decode()

    @property
    def body(self) -> bytes:
        return self.received.partition(b"\r\n\r\n")[2]

    @property
    def length(self) -> int | None:
        found = re.search(r"(?im)^content-length: (\d+)", self.head)
        return int(found[1]) if found else None


def exchange(reader: Reader, path: str = "/users?limit=3") -> Exchange:
    """One request over a socket of its own."""
    address = urlsplit(str(reader.http.base_url))
    assert address.hostname
    began, received = time.monotonic(), b""
    with socket.create_connection((address.hostname, address.port or 0), timeout=10) as connection:
        request = f"GET /us{path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n"
        request += f"Authorization: Token token={reader.key}\r\n\r\n"
        connection.sendall(request.encode())
        try:
            while block := connection.recv(65_536):
                received += block
            ended = "closed"
        except ConnectionResetError:
            ended = "reset"
    return Exchange(received, ended, time.monotonic() - began)


@pytest.fixture
def good(reader: Reader) -> bytes:
    """The body of a good answer."""
    return exchange(reader).body


def test_a_reset_comes_instead_of_an_answer(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", kind="reset")
    seen = exchange(reader)
    assert (seen.received, seen.ended) == (b"", "reset")
    assert exchange(reader).ended == "closed"


@pytest.mark.parametrize("where", [{"at_byte": 11}, {"share": 0.5}, {}])
def test_a_reset_comes_within_the_body(
    reader: Reader, sandbox: Running, good: bytes, where: dict[str, float]
) -> None:
    sandbox.fault(path="/users", kind="reset_body", **where)
    seen = exchange(reader)
    cut = where.get("at_byte", int(len(good) * where.get("share", 2 / 3)))
    assert (seen.ended, seen.length, seen.body) == ("reset", len(good), good[: int(cut)])


def test_a_cut_answer_can_promise_its_own_length(
    reader: Reader, sandbox: Running, good: bytes
) -> None:
    sandbox.fault(path="/users", kind="truncate", at_byte=20)
    seen = exchange(reader)
    assert (seen.ended, seen.length, seen.body) == ("closed", 20, good[:20])


def test_a_cut_answer_can_promise_the_length_of_the_whole(
    reader: Reader, sandbox: Running, good: bytes
) -> None:
    sandbox.fault(path="/users", kind="truncate_length")
    seen = exchange(reader)
    assert (seen.ended, seen.length) == ("closed", len(good))
    assert seen.body == good[: len(good) * 2 // 3]


def test_a_cut_answer_can_promise_no_length(reader: Reader, sandbox: Running, good: bytes) -> None:
    sandbox.fault(path="/users", kind="truncate_close", share=0.25)
    seen = exchange(reader)
    assert (seen.ended, seen.length) == ("closed", None)
    assert "transfer-encoding" not in seen.head.lower()
    assert seen.body == good[: len(good) // 4]


def test_a_cut_answer_never_holds_everything(reader: Reader, sandbox: Running, good: bytes) -> None:
    sandbox.fault(path="/users", kind="truncate", at_byte=MIB)
    assert exchange(reader).body == good[:-1]


def test_an_answer_can_come_drop_by_drop(reader: Reader, sandbox: Running, good: bytes) -> None:
    piece = len(good) // 4 + 1
    sandbox.fault(path="/users", kind="trickle", piece=piece, delay=0.05)
    seen = exchange(reader)
    assert (seen.ended, seen.length, seen.body) == ("closed", len(good), good)
    assert seen.seconds >= 0.2


def test_a_connection_goes_on_after_an_answer_in_drops(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", kind="trickle", piece=4096, delay=0.001)
    assert reader.get("/users", limit=3).json()["users"]
    assert reader.get("/users", limit=3).status_code == 200


def test_silence_lasts_as_long_as_wanted(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", kind="hang", delay=0.3)
    seen = exchange(reader)
    assert (seen.received, seen.ended) == (b"", "closed")
    assert 0.3 <= seen.seconds < 5


def test_an_endless_body_stops_by_itself_in_the_end(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", kind="endless", size=3 * MIB)
    answer = reader.get("/users")
    assert len(answer.json()["padding"]) == 3 * MIB
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("size", [1, 1000, MIB, 3 * MIB + 7])
def test_what_unpacks_is_exactly_as_large_as_wanted(
    reader: Reader, sandbox: Running, size: int
) -> None:
    sandbox.fault(path="/users", kind="gzip_bomb", size=size)
    assert len(reader.get("/users").json()["padding"]) == size


@pytest.mark.parametrize("kind", ["endless", "gzip_bomb", "trickle", "hang"])
def test_a_client_that_goes_is_soon_forgotten_and_others_are_served_meanwhile(
    reader: Reader, sandbox: Running, kind: str
) -> None:
    sandbox.fault(path="/users", kind=kind)
    address = urlsplit(sandbox.base_url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        request = f"GET /us/users HTTP/1.1\r\nHost: x\r\nAuthorization: Token token={reader.key}"
        connection.sendall(f"{request}\r\n\r\n".encode())
        if kind != "hang":
            assert connection.recv(100)
        assert reader.get("/licenses").elapsed.total_seconds() < 2
    assert reader.get("/licenses").status_code == 200


def test_a_small_body_can_unpack_to_a_large_one(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", kind="gzip_bomb", size=16 * MIB)
    with reader.http.stream("GET", "/users") as answer:
        assert answer.headers["content-encoding"] == "gzip"
        packed = b"".join(answer.iter_raw())
    unpacked = gzip.decompress(packed)
    assert len(unpacked) > 16 * MIB > 800 * len(packed)
    assert json.loads(unpacked).keys() == {"padding"}


@pytest.mark.parametrize("kind", ["reset", "reset_body", "truncate_length", "truncate_close"])
def test_a_torn_connection_is_an_error_or_a_short_text_for_a_client(
    reader: Reader, sandbox: Running, kind: str
) -> None:
    sandbox.fault(path="/users", kind=kind)
    with pytest.raises((httpx2.TransportError, json.JSONDecodeError)):
        reader.get("/users").json()
    assert reader.get("/users").status_code == 200


def test_torn_answers_are_in_the_record(reader: Reader, sandbox: Running) -> None:
    for kind in ("reset", "truncate_length"):
        sandbox.fault(path="/users", kind=kind)
        exchange(reader)
    seen = sandbox.requests("/us/users")
    assert [request["status"] for request in seen] == [None, 200]
