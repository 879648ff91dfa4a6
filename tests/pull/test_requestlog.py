"""The request log: a line a request, with nothing in it that is a secret."""

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatwise.connectors.errors import VendorError
from seatwise.connectors.http import FixedToken, Http, hosts_of
from seatwise.connectors.requestlog import log
from tests.connectors.accounts import impatient
from tests.connectors.faultserver import (
    Behaviour,
    FaultServer,
    answer,
    fault_server,
    head,
    reset_after,
)
from tests.pull.pulling import NOW, ended, started, told
from tests.sandboxes import Running, running

FIELDS = ["time", "method", "endpoint", "status", "error", "milliseconds", "bytes", "try"]
SECRET = "u+never-to-be-seen-again"
GOOD = answer(b'{"ok": 1}')


@pytest.fixture(scope="module")
def vendor() -> Iterator[Running]:
    midnight = NOW.replace(hour=0, minute=0)
    with running(seed=3, users=120, months=2, now=midnight, rate_limit=1_000_000) as started:
        yield started


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with fault_server() as started:
        yield started


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Hears what the logger says."""
    caplog.set_level(logging.INFO, log.name)
    return caplog


def test_a_pull_writes_every_request_and_no_secret(vendor: Running, tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    vendor.fault(path="/licenses", status=500, times=1)
    began = datetime.now(UTC)
    done = ended(started(vendor, tmp_path, "--until", "2025-11-20", "--request-log", str(path)))
    vendor.clear_faults()
    assert done.code == 0, done.complained
    text = path.read_text("utf-8")
    entries = [json.loads(line) for line in text.splitlines()]
    requests = told(tmp_path)["requests"]
    counted = Counter(f"{entry['method']} {entry['endpoint']}" for entry in entries)
    assert counted == requests["by_endpoint"]
    first = entries[0]
    assert list(first)[: len(FIELDS)] == FIELDS
    assert (first["method"], first["endpoint"], first["status"]) == ("GET", "/users", 200)
    assert (first["offset"], first["limit"], first["try"]) == ("0", "100", 1)
    assert first["bytes"] > 1000
    assert began <= datetime.fromisoformat(first["time"]) <= datetime.now(UTC)
    assert first["time"].endswith("Z")
    tries = [
        (entry["status"], entry["try"]) for entry in entries if "licenses" in entry["endpoint"]
    ]
    assert tries == [(500, 1), (200, 2)]
    assert {word for entry in entries for word in entry} <= {
        *FIELDS,
        "offset",
        "limit",
        "since",
        "until",
    }
    everything = text + done.said + done.complained
    assert vendor.api_key() not in everything
    assert "Token" not in text
    for member in vendor.truth()["members"]:
        assert member["email"] not in text


@pytest.mark.fault(71)
def test_one_request_is_one_line_whatever_its_names_hold(
    server: FaultServer, logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    url = server.on("/things", GOOD)
    endpoint = f"/things/a\r\nforged\u2028\x85\x1b[2J{SECRET}?secret={SECRET}"
    params = [
        ("offset", "5\r\nforged"),
        ("limit", "100"),
        ("since", "2026-01-01T00:00:00Z"),
        ("until", f"{SECRET} 0"),
        ("query", SECRET),
        ("cursor", SECRET),
    ]
    asyncio.run(_ask(url, endpoint, params))
    (line,) = logged.messages
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert SECRET not in line
    assert re.sub(r"[\d,]+ ms", "1 ms", line) == (
        "GET /things/a??forged???[2J… 200, 1 ms, 9 bytes, try 1, limit=100,"
        " since=2026-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (answer(SECRET.encode(), 503), "503"),
        (reset_after(head(length=500) + b'{"ok"'), "TryAgainLater"),
        (head(length=30_000) + b" " * 30_000, "BrokenAnswer"),
    ],
)
def test_what_came_in_between_is_named_and_each_try_has_its_line(
    server: FaultServer, logged: pytest.LogCaptureFixture, broken: Behaviour, said: str
) -> None:
    url = server.on("/things", broken)
    with pytest.raises(VendorError):
        asyncio.run(_ask(url, "/things", []))
    lines = logged.messages
    tries = 1 if said == "BrokenAnswer" else 2  # too large an answer is final
    assert [f"try {at}" in line for at, line in enumerate(lines, 1)] == [True] * tries
    assert all(line.startswith(f"GET /things {said},") for line in lines)
    assert SECRET not in "".join(lines)


def test_a_form_leaves_its_address_and_nothing_of_itself(
    server: FaultServer, logged: pytest.LogCaptureFixture
) -> None:
    url = server.on("/token", answer(f'{{"access_token": "{SECRET}"}}'.encode()))

    async def post() -> None:
        async with Http("Acme", hosts_of(url), patience=impatient()) as http:
            await http.post_form(url, {"code": SECRET, "limit": "5"}, endpoint="/token")

    asyncio.run(post())
    (line,) = logged.messages
    assert line.startswith("POST /token 200,")
    assert SECRET not in line
    assert "limit" not in line


async def _ask(url: str, endpoint: str, params: list[tuple[str, str]]) -> None:
    patience = impatient(tries=2, most_bytes=20_000)
    key = FixedToken(SECRET)
    async with Http("Acme", hosts_of(url), credentials=key, patience=patience) as http:
        await http.get(url, lambda data: data, endpoint=endpoint, params=params)
