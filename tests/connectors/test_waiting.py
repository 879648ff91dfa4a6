"""How long the door to the network waits when a vendor asks for it, and when it does not."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from seatwise.connectors.errors import TryAgainLater
from seatwise.connectors.http import Http, hosts_of
from tests.connectors.accounts import Pauses, impatient
from tests.connectors.faultserver import FaultServer, answer, fault_server
from tests.connectors.test_http import GOOD, ask, ok


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with fault_server() as started:
        yield started


@pytest.mark.fault(33)
@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"ratelimit_reset": "11"}, 11.0),
        ({"Retry_After": "30"}, 30.0),
        ({"Retry_After": "0"}, 0.0),
    ],
)
def test_the_short_wait_a_vendor_asks_for_is_kept(
    server: FaultServer, headers: dict[str, str], pause: float
) -> None:
    pauses = Pauses()
    assert ask(server.on("/429", answer(b"{}", 429, **headers), GOOD), pauses=pauses) == 1
    assert pauses.seconds == [pause]


@pytest.mark.fault(33)
def test_a_wait_until_a_date_is_understood(server: FaultServer) -> None:
    pauses = Pauses()
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=25), usegmt=True)
    assert ask(server.on("/429", answer(b"{}", 429, Retry_After=then), GOOD), pauses=pauses) == 1
    assert 20 < pauses.seconds[0] <= 25


@pytest.mark.fault(33)
@pytest.mark.parametrize("seconds", [31, 500, 7200])
def test_a_longer_wait_gives_the_worker_back_at_once(server: FaultServer, seconds: int) -> None:
    pauses = Pauses()
    refusal = answer(b"{}", 429, ratelimit_reset=str(seconds))
    with pytest.raises(TryAgainLater) as caught:
        ask(server.on("/429", refusal), pauses=pauses)
    assert caught.value.after == seconds
    assert pauses.seconds == []


@pytest.mark.fault(34)
@pytest.mark.parametrize(
    "nonsense", ["-5", "abc", "", "9999999999999", "Thu, 31 Dec 2099 23:59:59 GMT", "nan", "1e9"]
)
def test_a_nonsensical_wait_is_replaced_by_our_own(server: FaultServer, nonsense: str) -> None:
    pauses = Pauses()
    refusal = answer(b"{}", 429, Retry_After=nonsense)
    assert ask(server.on("/429", refusal, GOOD), pauses=pauses) == 1
    assert 0 <= pauses.seconds[0] <= 1


@pytest.mark.fault(33)
def test_the_next_request_waits_when_the_last_one_used_up_the_limit(server: FaultServer) -> None:
    used_up = answer(b'{"ok": 1}', ratelimit_remaining="0", ratelimit_reset="9")
    pauses = Pauses()

    async def twice() -> None:
        url = server.on("/limit", used_up, GOOD)
        async with Http("Acme", hosts_of(url), patience=impatient(pauses)) as http:
            await http.get(url, ok, endpoint="/things")
            await http.get(url, ok, endpoint="/things")
            assert http.requests == {"GET /things": 2}

    asyncio.run(twice())
    assert len(pauses.seconds) == 1
    assert 8 < pauses.seconds[0] <= 9


@pytest.mark.fault(33)
@pytest.mark.parametrize(("remaining", "waits"), [("8", False), ("3", True), ("-1", False)])
def test_a_minutes_limit_is_waited_out_before_what_is_under_way_overruns_it(
    server: FaultServer, remaining: str, waits: bool
) -> None:
    nearly = answer(b'{"ok": 1}', ratelimit_remaining=remaining, ratelimit_reset="55")
    pauses = Pauses()

    async def eight_at_once() -> None:
        url = server.on("/limit", nearly, GOOD)
        async with Http("Acme", hosts_of(url), patience=impatient(pauses)) as http:
            await http.get(url, ok, endpoint="/things")
            asked = [http.get(url, ok, endpoint="/things") for _ in range(8)]
            assert await asyncio.gather(*asked) == [1] * 8

    asyncio.run(eight_at_once())
    assert bool(pauses.seconds) is waits
    assert all(pause <= 30 for pause in pauses.seconds)
    if waits:
        assert 54 < sum(pauses.seconds) <= 55


@pytest.mark.fault(33)
def test_a_request_that_stood_in_line_while_the_limit_was_used_up_waits_too(
    server: FaultServer,
) -> None:
    used_up = answer(b'{"ok": 1}', ratelimit_remaining="0", ratelimit_reset="9")
    pauses = Pauses()

    async def both_at_once() -> None:
        url = server.on("/line", used_up, GOOD)
        patience = impatient(pauses, in_flight=1)
        async with Http("Acme", hosts_of(url), patience=patience) as http:
            await asyncio.gather(*(http.get(url, ok, endpoint="/things") for _ in range(2)))

    asyncio.run(both_at_once())
    assert len(pauses.seconds) == 1
