"""The sandbox's answers look as the vendor says: checked against its published API description.

The description must not be passed on, so these tests run only where it is at hand.
"""

import os
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from seatwise.sandbox.pagerduty.endpoints import ENDPOINTS
from tests.sandbox.conftest import App, Reader
from tests.sandbox.described import Description
from tests.sandboxes import Running

VARIABLE: Final = "SEATWISE_PAGERDUTY_OPENAPI"
WINDOW: Final = {"since": "2026-11-01T00:00:00Z", "until": "2026-11-20T00:00:00Z"}
CLOSED: Final = {"created_at_start": WINDOW["since"], "created_at_end": WINDOW["until"]}
ROUTES: Final = [(method, path) for method, path, _, _ in ENDPOINTS]
WINDOWED: Final = ("/notifications", "/oncalls", "/log_entries", "/audit/records")


EVERYWHERE: Final = "*"
DEVIATIONS: Final = (  # endpoint, what is found there, why the sandbox is right all the same
)


@cache
def _description(included: bool) -> Description:
    path = os.environ.get(VARIABLE)
    if not path:
        pytest.skip(f"PagerDuty's API description is not at hand: {VARIABLE} names no file")
    return Description(Path(path), included=included)


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda word: str(word))
def test_an_answer_looks_as_described(
    sandbox: Running, reader: Reader, app: App, method: str, path: str
) -> None:
    plain = _description(False)
    assert plain.names(method, path)
    wanted = plain.parameter(method, path, "include[]")
    if path == "/users/me":
        reader.http.headers["authorization"] = f"Bearer {app.tokens()['access_token']}"
    answers = 0
    for address in _addresses(reader, path):
        for include in ([], wanted) if wanted else ([],):
            answer = _ask(reader, method, address, _question(path, include))
            assert answer.status_code in (200, 204), answer.text
            if answer.status_code == 200:
                _check(_description(bool(include)), method, path, answer)
            answers += 1
    assert answers


def _check(described: Description, method: str, path: str, answer: httpx2.Response) -> None:
    status = 201 if path.endswith("/overrides") else answer.status_code  # as it says by mistake
    schema = described.schema(method, path, status)
    assert schema is not None, f"{answer.status_code} is not described"
    body = answer.json()
    told = (described.flaws(schema, body), described.strangers(schema, body))
    found = {f"{'.'.join(place)}: {how}" for flaws in told for place, how in flaws}
    unknown = sorted(flaw for flaw in found if not _expected(path, flaw))
    assert not unknown, "\n" + "\n".join(f"{path} {flaw}" for flaw in unknown)


def _expected(path: str, flaw: str) -> bool:
    return any(
        fnmatchcase(path, where) and fnmatchcase(flaw, what.replace("[]", "[[]]"))
        for where, what, _ in DEVIATIONS
    )


def _question(path: str, include: list[str]) -> dict[str, Any]:
    """The parameters to ask with."""
    plain: dict[str, Any] = {"limit": 5}
    if path in WINDOWED or path.startswith("/schedules/"):
        plain |= WINDOW
    return plain | ({"include[]": include} if include else {})


def _ask(reader: Reader, method: str, address: str, asked: dict[str, Any]) -> httpx2.Response:
    if method == "GET":
        return reader.get(address, **asked)
    body: dict[str, Any] = {"filters": CLOSED}
    if "/raw/" in address:
        body["limit"] = 5
    if address.endswith("/raw/users"):
        body = {"limit": 5}
    return reader.http.post(address, json=body)


def _addresses(reader: Reader, path: str) -> list[str]:
    """The path with the ids of a few things that are there."""
    if "{" not in path:
        return [path]
    if path.startswith("/abilities"):
        return ["/abilities/teams"]
    collection, _, rest = path.removeprefix("/analytics/raw").partition("/{id}")
    name = collection.strip("/")
    known = reader.get(collection, limit=3, **(WINDOW if name == "log_entries" else {})).json()
    addresses = [path.replace("{id}", row["id"], 1) for row in known[name]]
    if "{" not in rest:
        return addresses
    inner, _, key = rest.rpartition("/{")
    if "{type}" in rest:
        inner = "/sessions"
    found = []
    for address in addresses:
        base = address.partition("/{")[0].partition(inner)[0] + inner
        listed = reader.get(base).json()
        rows = next(value for value in listed.values() if isinstance(value, list))
        found += [
            address.replace("{type}", row.get("type", "")).replace("{" + key, row["id"])
            for row in rows[:2]
        ]
    return found
