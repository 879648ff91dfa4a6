"""The one door to the network, against a server that misbehaves byte by byte."""

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import Awaitable, Iterator

import pytest

from seatwise.connectors.errors import (
    AccessDenied,
    BrokenAnswer,
    CredentialsRejected,
    NotFound,
    NotOnThisPlan,
    RequestRefused,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.http import FixedToken, Http, hosts_of
from tests.connectors.accounts import Pauses, impatient
from tests.connectors.faultserver import (
    Behaviour,
    FaultServer,
    answer,
    endless,
    fault_server,
    head,
    reset_after,
)

GOOD = answer(b'{"ok": 1}')
HTML = answer(b"<html>maintenance</html>", kind="text/html; charset=utf-8")


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with fault_server() as started:
        yield started


def ok(data: object) -> int:
    if not isinstance(data, dict) or "ok" not in data:
        raise ValueError("not the documented shape")
    return int(data["ok"])


def ask(url: str, *, pauses: Pauses | None = None, **limits: float) -> int:
    return asyncio.run(_ask(url, pauses or Pauses(), limits))


async def _ask(url: str, pauses: Pauses, limits: dict[str, float]) -> int:
    async with Http("Acme", hosts_of(url), patience=impatient(pauses, **limits)) as http:
        return await http.get(url, ok, endpoint="/things")


TRANSIENT: list[tuple[int, Behaviour]] = [
    (38, reset_after(head(length=500) + b'{"ok"')),
    (39, head(length=500) + b'{"ok"'),
    (39, head(Transfer_Encoding="chunked") + b'5\r\n{"ok"'),
    (40, head() + b'{"ok": [1, 2'),
    (41, HTML),
    (41, answer(b"upstream connect error", kind="text/plain")),
    (46, answer(b"")),
    (46, answer(b"{}")),
    (46, answer(b"null")),
    (46, answer(b"[]")),
    (47, answer(b'{"ok": "\xff\xfe"}')),
    (47, answer(b'\xef\xbb\xbf{"ok": 1}')),
    (47, answer(b'{"ok": NaN}')),
    (47, answer(b'{"ok": -Infinity}')),
    (47, answer(b'{"ok": 1e999}')),
    (47, answer(b'{"ok": 1, "ok": 2}')),
    (47, answer(b"[" * 200_000 + b"]" * 200_000)),
    (47, answer(b'{"ok": ' + b"9" * 10_000 + b"}")),
    (35, answer(b"oops", 500, kind="text/plain")),
    (35, answer(b"{}", 503)),
    (34, answer(b'{"error": {"code": 2020}}', 429)),
]


@pytest.mark.fault(35)
@pytest.mark.fault(38)
@pytest.mark.fault(39)
@pytest.mark.fault(40)
@pytest.mark.fault(41)
@pytest.mark.fault(46)
@pytest.mark.fault(47)
@pytest.mark.parametrize(("number", "fault"), TRANSIENT)
def test_what_is_broken_once_is_asked_again(
    server: FaultServer, number: int, fault: Behaviour
) -> None:
    pauses = Pauses()
    assert ask(server.on("/a", fault, fault, GOOD), pauses=pauses) == 1
    assert len(pauses.seconds) == 2
    assert 0 <= pauses.seconds[0] <= 1
    assert 0 <= pauses.seconds[1] <= 2


@pytest.mark.parametrize(("number", "fault"), TRANSIENT)
def test_what_stays_broken_is_given_up_with_a_sentence(
    server: FaultServer, number: int, fault: Behaviour
) -> None:
    before = len(server.requests)
    with pytest.raises((TryAgainLater, BrokenAnswer)) as caught:
        ask(server.on("/b", fault))
    assert len(server.requests) - before == 4
    sentence = str(caught.value)
    assert "Acme" in sentence
    assert "GET /things" in sentence
    assert sentence.endswith(".")
    assert caught.value.remedy


@pytest.mark.fault(36)
def test_a_closed_port_and_an_unknown_name_are_tried_again_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TryAgainLater, match="cannot be reached"):
        ask(f"http://127.0.0.1:{port}/")
    with pytest.raises(TryAgainLater, match="cannot be reached"):
        ask("https://no-such-host.invalid/")


@pytest.mark.fault(42)
def test_a_body_that_drips_is_cut_off_at_the_deadline(server: FaultServer) -> None:
    begun = time.monotonic()
    with pytest.raises(TryAgainLater, match=r"within 0\.3 s"):
        ask(server.on("/slow", server.drip), deadline=0.3, tries=1)
    assert time.monotonic() - begun < 3


@pytest.mark.fault(43)
def test_a_server_that_never_answers_is_cut_off_at_the_deadline(server: FaultServer) -> None:
    with pytest.raises(TryAgainLater, match="did not finish"):
        ask(server.on("/hang", server.stay_silent), deadline=0.3, tries=1)


@pytest.mark.fault(44)
def test_an_endless_body_is_cut_off_at_the_limit_and_not_asked_again(server: FaultServer) -> None:
    before = len(server.requests)
    with pytest.raises(BrokenAnswer, match="more than 1 MB"):
        ask(server.on("/endless", endless(head(), b" " * 65_536)), most_bytes=1_000_000)
    assert len(server.requests) - before == 1


@pytest.mark.fault(44)
def test_a_gzip_bomb_is_cut_off_at_the_limit(server: FaultServer) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    with pytest.raises(BrokenAnswer, match="more than 1 MB"):
        ask(server.on("/bomb", answer(bomb, Content_Encoding="gzip")), most_bytes=1_000_000)


def test_a_packed_answer_is_unpacked(server: FaultServer) -> None:
    packed = answer(gzip.compress(b'{"ok": 7}'), Content_Encoding="gzip")
    assert ask(server.on("/gz", packed)) == 7
    with pytest.raises(BrokenAnswer):
        ask(server.on("/gz", answer(b"not gzip at all", Content_Encoding="gzip")))


@pytest.mark.fault(45)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: FaultServer, status: int) -> None:
    before = len(server.requests)
    url = server.on("/redir", answer(b"", status, Location=f"{server.url}/elsewhere"))
    with pytest.raises(BrokenAnswer, match="redirect"):
        ask(url)
    assert len(server.requests) - before == 1


@pytest.mark.fault(45)
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "https://169.254.169.254/latest/meta-data",
        "http://api.acme.example/",
        "https://api.acme.example@evil.example/",
        "https://[::]/",
        "file:///etc/passwd",
        "//api.acme.example/",
        "https://api.acme.example:99999/",
        "",
    ],
)
def test_nothing_is_sent_to_an_address_that_is_not_on_the_list(url: str) -> None:
    async def attempt() -> None:
        async with Http("Acme", hosts_of("https://api.acme.example"), patience=impatient()) as http:
            try:
                await http.get(url, ok, endpoint="/things")
            finally:
                assert not http.requests

    with pytest.raises(BrokenAnswer):
        asyncio.run(attempt())


def test_plain_http_is_for_this_machine_only() -> None:
    async def attempt() -> None:
        async with Http("Acme", frozenset({"api.acme.example:80"}), patience=impatient()) as http:
            await http.get("http://api.acme.example/", ok, endpoint="/things")

    with pytest.raises(BrokenAnswer, match="https"):
        asyncio.run(attempt())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRefused),
        (401, CredentialsRejected),
        (402, NotOnThisPlan),
        (403, AccessDenied),
        (404, NotFound),
        (422, RequestRefused),
    ],
)
def test_a_refusal_is_named_by_what_to_do_next(
    server: FaultServer, status: int, kind: type[VendorError]
) -> None:
    before = len(server.requests)
    with pytest.raises(kind) as caught:
        ask(server.on("/no", answer(b"<html>", status, kind="text/html")))
    assert caught.value.status == status
    assert len(server.requests) - before == 1


class Renewing:
    """Credentials whose first token is worth nothing any more."""

    def __init__(self, *later: str) -> None:
        self.rejected: list[str] = []
        self._later = list(later)

    async def token(self) -> str:
        return "first"

    async def renew(self, rejected: str) -> str:
        self.rejected.append(rejected)
        return self._later.pop(0)


@pytest.mark.fault(17)
def test_a_rejected_token_is_renewed_once_and_the_request_repeated(server: FaultServer) -> None:
    credentials = Renewing("second")
    url = server.on("/me", answer(b"{}", 401), GOOD)
    assert asyncio.run(_with(credentials, url)) == 1
    assert credentials.rejected == ["first"]
    assert b"Authorization: Bearer second" in server.requests[-1]


def test_a_second_rejected_token_is_not_renewed_again(server: FaultServer) -> None:
    credentials = Renewing("second", "third")
    with pytest.raises(CredentialsRejected):
        asyncio.run(_with(credentials, server.on("/me", answer(b"{}", 401))))
    assert credentials.rejected == ["first"]


async def _with(credentials: Renewing | FixedToken, url: str) -> int:
    async with Http(
        "Acme", hosts_of(url), credentials=credentials, explain=_loudly, patience=impatient()
    ) as http:
        return await http.get(url, ok, endpoint="/things")


def _loudly(data: object) -> str:
    return f"you sent {data.get('token')}\r\nX: y\x00" if isinstance(data, dict) else ""


@pytest.mark.fault(71)
def test_an_error_never_repeats_a_token_and_stays_on_one_line(server: FaultServer) -> None:
    url = server.on("/echo", answer(b'{"token": "s3cret+/="}', 403))
    with pytest.raises(AccessDenied) as caught:
        asyncio.run(_with(FixedToken("s3cret+/="), url))
    assert str(caught.value) == "Acme does not allow this (GET /things): you sent … X: y."
    assert caught.value.__cause__ is None
    assert "s3cret" not in repr(FixedToken("s3cret+/="))


@pytest.mark.fault(11)
@pytest.mark.parametrize("fault", [reset_after(b""), HTML, answer(b"{}", 500), answer(b"", 429)])
def test_a_form_is_sent_exactly_once_whatever_happens(
    server: FaultServer, fault: Behaviour
) -> None:
    async def post() -> None:
        url = server.on("/token", fault)
        async with Http("Acme", hosts_of(url), patience=impatient()) as http:
            await http.post_form(url, {"code": "a+/="}, endpoint="/token")

    before = len(server.requests)
    with pytest.raises((TryAgainLater, BrokenAnswer)) as caught:
        asyncio.run(post())
    assert len(server.requests) - before == 1
    assert b"code=a%2B%2F%3D" in server.requests[-1]
    assert "a+/=" not in str(caught.value)


def test_no_more_requests_are_under_way_at_once_than_allowed(server: FaultServer) -> None:
    highest, under_way = 0, 0
    eight_together = threading.Barrier(8, timeout=30)

    def slowly(connection: socket.socket) -> None:
        nonlocal highest, under_way
        under_way += 1
        highest = max(highest, under_way)
        eight_together.wait()
        under_way -= 1
        connection.sendall(GOOD)

    url = server.on("/many", GOOD, slowly)

    async def many() -> list[int]:
        async with Http("Acme", hosts_of(url), patience=impatient()) as http:
            await http.get(url, ok, endpoint="/things")  # tells that there is no limit
            jobs: list[Awaitable[int]] = [http.get(url, ok, endpoint="/things") for _ in range(24)]
            return await asyncio.gather(*jobs)

    assert asyncio.run(many()) == [1] * 24
    assert highest == 8
