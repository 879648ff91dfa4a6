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

from seatwise.sandbox.pagerduty.rest.endpoints import ENDPOINTS
from tests.sandbox.conftest import App, Reader
from tests.sandbox.described import Description
from tests.sandboxes import Running

VARIABLE: Final = "SEATWISE_PAGERDUTY_OPENAPI"
WINDOW: Final = {"since": "2026-11-01T00:00:00Z", "until": "2026-11-20T00:00:00Z"}
CLOSED: Final = {"created_at_start": WINDOW["since"], "created_at_end": WINDOW["until"]}
ROUTES: Final = [(method, path) for method, path, _, _ in ENDPOINTS]
WINDOWED: Final = ("/notifications", "/log_entries", "/audit/records")


NOTHING: Final = "the vendor sends null for what is not set, in its own examples or in fact"
KNOWN: Final = "the vendor is known to send it though it is not described"
DEVIATIONS: Final = (  # endpoint, flaw that is found there, why the sandbox is right all the same
    ("*license*", "*license*.self: None is not of type 'string'", NOTHING),
    ("*license*", "*license*.html_url: None is not of type 'string'", NOTHING),
    ("/incidents*", "incident*.priority: None is not of type 'object'", NOTHING),
    ("/incidents*", "incident*.resolve_reason: None is not of type 'object'", NOTHING),
    ("/services*", "service*.support_hours: None is not of type 'object'", NOTHING),
    ("/escalation_policies*", "*services.[].support_hours: None is not of type 'object'", NOTHING),
    ("/incidents*", "*.service.support_hours: None is not of type 'object'", NOTHING),
    ("*", "error.errors: None is not of type 'array'", NOTHING),
    ("*", "error.required_scopes: is not described", KNOWN),
    ("*", "error.token_scopes: is not described", KNOWN),
    ("*", "user*.subdomains: is not described", "it is described as an include only"),
    (
        "/users/{id}/oauth_delegations*",
        "*type: is not described",
        "the example of the single one has it",
    ),
    ("/oncalls", "oncalls.[].schedule: None is not of type 'object'", NOTHING),
    ("*", "*.billed: is not described", KNOWN),
    ("*", "*.coordinated_incidents: is not described", KNOWN),
    ("/incidents*", "incident*.description: is not described", KNOWN),
    (
        "/incidents/{id}/alerts*",
        "alert*.resolved_at: is not described",
        "alerts can be sorted by it, by the same description",
    ),
    (
        "*log_entries*",
        "log_entr*.type: 'acknowledge_log_entry' is not one of [[]'acknowledgement_log_entry']",
        "the same description lists acknowledge_log_entry among the types of log entries",
    ),
    (
        "*log_entries*",
        "log_entr*.channel.notification.type: '*' is not one of *",
        "in a log entry the type is the bare channel, unlike in the list of notifications",
    ),
    (
        "/analytics/raw/users",
        "data.[].*_at: * is not a 'date-time'",
        "its own example has no offsets; such times are in UTC",
    ),
    (
        "/analytics/raw/incidents*",
        "*resolved_by_user_*: None is not of type 'string'",
        "an incident that is open, or that a machine resolved, has nobody who resolved it",
    ),
    (
        "/analytics/raw/incidents*",
        "*seconds_to_*: None is not of type 'integer'",
        "what has not happened has taken no time yet",
    ),
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


@pytest.mark.parametrize(
    ("path", "status", "asked"),
    [
        ("/users", 401, {"authorization": "Token token=wrong"}),
        ("/users", 403, {"withheld": "users.read"}),
        ("/teams", 402, {"lacking": "teams"}),
        ("/teams", 429, {"limit": 1}),
        ("/schedules/{id}", 404, {}),
        ("/escalation_policies/{id}", 404, {}),
        ("/services/{id}", 404, {}),
        ("/oncalls", 400, {"since": "never"}),
        ("/incidents", 400, {"limit": "many"}),
    ],
)
def test_an_error_looks_as_described(
    sandbox: Running, reader: Reader, app: App, path: str, status: int, asked: dict[str, Any]
) -> None:
    described = _description(False)
    if status == 403:
        reader.http.headers["authorization"] = f"Bearer {app.tokens(scope='')['access_token']}"
    elif status == 401:
        reader.http.headers["authorization"] = asked["authorization"]
    elif status == 402:
        sandbox.fault(lack_ability=["teams"])
    elif status == 429:
        sandbox.fault(rate_limit=1)
        reader.get(path)
    answer = reader.get(path.replace("{id}", "PNOTHIN"), **(asked if status == 400 else {}))
    assert answer.status_code == status, answer.text
    _check(described, "GET", path, answer)


def test_the_check_finds_what_is_wrong(reader: Reader) -> None:
    described = _description(False)
    schema = described.schema("GET", "/oncalls", 200)
    assert schema is not None
    body = reader.get("/oncalls", limit=2).json()
    body["oncalls"][0]["escalation_level"] = "first"
    body["oncalls"][0]["colour"] = "red"
    body["oncalls"][1]["start"] = "today"
    body["oncalls"][1]["user"] = {"id": 7}
    del body["oncalls"][1]["escalation_policy"]["id"]
    places = {".".join(place) for place, _ in described.flaws(schema, body)}
    row = "oncalls.[]."
    assert {f"{row}escalation_level", f"{row}start", f"{row}user"} <= places
    assert f"{row}escalation_policy" in places
    assert list(described.strangers(schema, body)) == [
        (("oncalls", "[]", "colour"), "is not described")
    ]


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
    return any(_fits(path, flaw, where, what) for where, what, _ in DEVIATIONS)


def _fits(path: str, flaw: str, where: str, what: str) -> bool:
    return fnmatchcase(path, where) and fnmatchcase(flaw, what.replace(".[].", ".[[]]."))


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
    if "/responders/" in address:
        body = {
            "filters": {name.replace("created_at", "date_range"): CLOSED[name] for name in CLOSED}
        }
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
    many = 40 if "{type}" in rest or "delegation_id" in rest else 3  # not everybody signs in
    known = reader.get(collection, limit=many, **(WINDOW if name == "log_entries" else {})).json()
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
