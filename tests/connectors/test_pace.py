"""How fast an account is asked: together, in order, and never the whole of its limit."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.collect import collect
from seatwise.connectors.errors import TryAgainLater
from seatwise.connectors.http import FixedToken, Http, hosts_of
from seatwise.connectors.pace import PACES, Pace
from seatwise.connectors.pagerduty import PagerDuty
from seatwise.connectors.patience import Patience
from tests.connectors.accounts import Pauses, authorize, identified, impatient, plan_for
from tests.connectors.faultserver import FaultServer, answer, fault_server
from tests.connectors.test_http import GOOD, ok
from tests.sandboxes import Running, running

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with fault_server() as started:
        yield started


@dataclass
class Settled(Pauses):
    """Pauses during which everything that is under way arrives, as it would in real ones."""

    pace: Pace = field(default_factory=Pace)

    async def __call__(self, seconds: float) -> None:
        await until(lambda: not self.pace._under_way)
        await super().__call__(seconds)


async def until(settled: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not settled():  # noqa: ASYNC110 - it also waits for other event loops
            await asyncio.sleep(0.001)


@dataclass
class Metered:
    """A vendor with a limit a minute, on the clock of its reader's pauses."""

    limit: int = 20
    others: int = 0  # requests of the customer's own tools at the beginning of each minute
    pauses: Settled = field(default_factory=Settled)
    arrivals: list[float] = field(default_factory=list)
    windows: list[int] = field(default_factory=list)  # our requests in each
    refused: int = 0
    _opened: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, connection: socket.socket) -> None:
        with self._lock:
            now = self.pauses.clock()
            if now - self._opened >= 60:
                self._opened = now
                self.windows.append(0)
            self.arrivals.append(now)
            self.windows[-1] += 1
            used = self.windows[-1] + self.others
            self.refused += used > self.limit
        limits = {
            "ratelimit_limit": str(self.limit),
            "ratelimit_remaining": str(max(self.limit - used, 0)),
            "ratelimit_reset": str(int(self._opened + 60 - now)),  # never says too much
        }
        status = 429 if used > self.limit else 200
        connection.sendall(answer(b'{"ok": 1}', status, **limits))


async def ask_often(url: str, count: int, patience: Patience, pace: Pace | None = None) -> None:
    async with Http("Acme", hosts_of(url), patience=patience, pace=pace) as http:
        await asyncio.gather(*(http.get(url, ok, endpoint="/things") for _ in range(count)))


@pytest.mark.fault(33)
@pytest.mark.parametrize("limit", [5, 20, 50])
def test_a_fifth_of_the_limit_is_left_to_the_customer_in_every_minute(
    server: FaultServer, limit: int
) -> None:
    vendor = Metered(limit)
    url = server.on("/metered", vendor)
    asyncio.run(ask_often(url, 3 * limit, impatient(vendor.pauses), vendor.pauses.pace))
    assert vendor.refused == 0
    assert max(vendor.windows) <= 0.8 * limit
    assert len(vendor.windows) >= 4
    assert vendor.windows[0] >= 0.6 * limit  # and most of the rest is used


@pytest.mark.fault(33)
def test_what_the_customers_tools_use_is_not_used_again(server: FaultServer) -> None:
    vendor = Metered(limit=20, others=10)
    url = server.on("/shared", vendor)
    asyncio.run(ask_often(url, 18, impatient(vendor.pauses), vendor.pauses.pace))
    assert vendor.refused == 0
    assert max(vendor.windows) <= 6
    assert max(vendor.windows) >= 5


@pytest.mark.fault(33)
def test_two_readers_on_two_event_loops_keep_to_one_share(server: FaultServer) -> None:
    vendor = Metered(limit=20)
    url, pace = server.on("/together", vendor), vendor.pauses.pace

    def read() -> None:
        asyncio.run(ask_often(url, 24, impatient(vendor.pauses), pace))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(30)
    assert sum(vendor.windows) == 48
    assert vendor.refused == 0
    assert max(vendor.windows) <= 16
    assert not pace._line
    assert not pace._under_way


@pytest.mark.fault(33)
def test_requests_that_wait_go_in_the_order_in_which_they_came(server: FaultServer) -> None:
    vendor = Metered(limit=10)
    vendor.pauses.pace = pace = Pace(in_flight=1)
    url = server.on("/order", vendor)
    before = len(server.requests)

    async def number(http: Http, n: int) -> None:
        await http.get(url, ok, endpoint="/things", params=(("n", str(n)),))

    async def many() -> None:
        patience = impatient(vendor.pauses)
        async with Http("Acme", hosts_of(url), patience=patience, pace=pace) as http:
            await asyncio.gather(*(number(http, n) for n in range(30)))

    asyncio.run(many())
    lines = [request.split(b" ")[1].decode() for request in server.requests[before:]]
    assert lines == [f"/order?n={n}" for n in range(30)]
    assert len(vendor.windows) > 3


@pytest.mark.fault(33)
def test_a_refusal_holds_back_everybody_until_its_reset(server: FaultServer) -> None:
    pauses = Pauses()
    times: list[float] = []

    def refuse(connection: socket.socket) -> None:
        times.append(pauses.clock())
        connection.sendall(answer(b"{}", 429, ratelimit_reset="20"))

    def agree(connection: socket.socket) -> None:
        times.append(pauses.clock())
        connection.sendall(GOOD)

    url = server.on("/held", refuse, agree)
    asyncio.run(ask_often(url, 6, impatient(pauses, in_flight=1)))
    assert len(times) == 7
    assert min(times[1:]) >= times[0] + 20


@pytest.mark.fault(33)
@pytest.mark.parametrize("said", ["retry-after", "ratelimit-reset"])
def test_who_was_not_refused_waits_for_the_reset_as_well(said: str) -> None:
    pace = Pace()
    first, second = (pace.line_up("GET /a", lambda: None) for _ in range(2))
    assert pace.wait(first, 0.0) == 0
    pace.heard(first, 429, {said: "20"}, 0.0)
    pace.leave(first)
    assert pace.wait(second, 5.0) == 15
    assert pace.wait(second, 20.0) == 0


def test_what_was_sent_after_a_request_is_not_in_its_count() -> None:
    pace = Pace()
    turns = [pace.line_up("GET /a", lambda: None) for _ in range(20)]
    for turn, now in ((turns[0], 0.0), (turns[1], 50.0)):
        assert pace.wait(turn, now) == 0
        if now:  # two more are sent before the second is answered
            assert [pace.wait(turns[n], now) for n in (2, 3)] == [0, 0]
        told = {"ratelimit-limit": "20", "ratelimit-remaining": "19", "ratelimit-reset": "60"}
        pace.heard(turn, 200, told, now)
        pace.leave(turn)
    pace.leave(turns[2])
    pace.leave(turns[3])
    # The vendor began a new minute: 19 less the two leave 17, and 5 of the limit are kept.
    sent = 0
    for turn in turns[4:]:
        if pace.wait(turn, 51.0) != 0:
            break
        sent += 1
        pace.leave(turn)
    assert sent == 12


def test_somebody_who_gives_up_does_not_hold_up_the_line(server: FaultServer) -> None:
    async def leave_and_stay() -> None:
        url = server.on("/stuck", server.stay_silent)
        patience, pace = impatient(in_flight=1), Pace(in_flight=1)
        async with Http("Acme", hosts_of(url), patience=patience, pace=pace) as http:
            jobs = [asyncio.ensure_future(http.get(url, ok, endpoint="/things")) for _ in range(3)]
            await until(lambda: http.requests["GET /things"] == 1)
            server.on("/stuck", GOOD)
            for job in jobs[:2]:  # one under way, one in the line
                job.cancel()
            assert await jobs[2] == 1
        assert not pace._line
        assert not pace._under_way

    asyncio.run(leave_and_stay())


def test_a_loop_that_is_gone_does_not_hold_up_the_line() -> None:
    pace, woken = Pace(in_flight=1), threading.Event()

    def gone() -> None:
        raise RuntimeError("Event loop is closed")

    first = pace.line_up("GET /a", woken.set)
    assert pace.wait(first, 0.0) == 0
    pace.line_up("GET /a", gone)
    last = pace.line_up("GET /a", woken.set)
    assert pace.wait(last, 0.0) is None
    woken.clear()
    pace.leave(first)
    assert woken.is_set()
    assert pace.wait(last, 0.0) == 0


@pytest.mark.fault(33)
def test_two_accounts_do_not_hinder_each_other(server: FaultServer) -> None:
    pauses, others_pauses = Pauses(), Pauses()
    used_up = answer(
        b'{"ok": 1}', ratelimit_limit="9", ratelimit_remaining="0", ratelimit_reset="50"
    )
    url = server.on("/used", used_up)
    held = PACES.of("acme:443", "one", in_flight=8, share=0.8)
    free = PACES.of("acme:443", "two", in_flight=8, share=0.8)
    assert PACES.of("acme:443", "one", in_flight=8, share=0.8) is held
    asyncio.run(ask_often(url, 1, impatient(pauses), held))
    asyncio.run(ask_often(server.on("/free", GOOD), 5, impatient(others_pauses), free))
    assert others_pauses.seconds == []
    asyncio.run(ask_often(url, 1, impatient(pauses), held))
    assert 49 < sum(pauses.seconds) <= 50


DAYS_END = [
    answer(b"{}", 429, ratelimit_reset="40000", ratelimit_remaining="0"),
    answer(b"{}", 429, Retry_After="40000"),
    answer(
        b'{"ok": 1}',
        daily_ratelimit_limit="100",
        daily_ratelimit_remaining="20",
        daily_ratelimit_reset="40000",
    ),
]


@pytest.mark.fault(33)
@pytest.mark.parametrize("told", DAYS_END)
def test_a_days_limit_ends_its_source_and_no_other(server: FaultServer, told: bytes) -> None:
    pauses = Pauses()

    async def read() -> None:
        url, other = server.on("/daily", told), server.on("/other", GOOD)
        async with Http("Acme", hosts_of(url), patience=impatient(pauses)) as http:
            if b" 200 " in told:
                await http.get(url, ok, endpoint="/figures")
            for _ in range(2):
                with pytest.raises(TryAgainLater) as caught:
                    await http.get(url, ok, endpoint="/figures")
                assert 39_990 < (caught.value.after or 0) <= 40_000
            assert await http.get(other, ok, endpoint="/things") == 1
            assert http.requests == Counter({"GET /figures": 1, "GET /things": 1})

    asyncio.run(read())
    assert pauses.seconds == []


class Stopped(Exception):
    """The reading would have had to wait."""


async def stop(_seconds: float) -> None:
    raise Stopped


@pytest.mark.fault(33)
def test_two_readers_of_a_small_account_leave_a_fifth_of_its_limit() -> None:
    with running(seed=5, users=130, months=4, now=NOW) as sandbox:
        asyncio.run(_two_readers(sandbox))
        asked = [r for r in sandbox.requests() if r["path"].startswith("/us/")]
        # None: hung up on, for a reader that is told to wait leaves nothing on the way.
        assert {request["status"] for request in asked} - {None} == {200}
        assert 18 <= len(asked) <= 24


async def _two_readers(sandbox: Running) -> None:
    grant = await authorize(sandbox, sandbox.someone("owner"))
    account = await identified(sandbox, grant)
    # A token of its own for what is measured: the limit is counted by the token.
    grant = await authorize(sandbox, sandbox.someone("admin"))
    sandbox.forget_requests()
    sandbox.fault(rate_limit=30)
    plan = plan_for(NOW, 4, NOW - timedelta(days=90))

    async def read(plan: ReadPlan) -> None:
        pagerduty = PagerDuty(Patience(pause=stop))
        opened = pagerduty.reader(sandbox.settings, account, FixedToken(grant.access_token))
        async with opened as reader:
            async for _ in collect(reader, plan):
                pass

    results = await asyncio.gather(read(plan), read(plan), return_exceptions=True)
    assert all(isinstance(result, Stopped) for result in results)
