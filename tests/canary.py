"""Canary secrets: whatever the tests make the program write is searched for every secret in play.

A pytest plugin, loaded by `-p`. During the run it registers secrets where they come into being
(seal keys, sealed values, passwords, sessions, codes, states, links) and keeps all that is written
(log records down to DEBUG, answers with their headers, mails, files in `tmp_path`, outputs of
programs, pages in a browser, dumps). At the end it searches for each of them, raw, in addresses, in
pages and in base64. One that is found fails the run. Of the secrets that other processes make only
the simulated vendor's tokens are known, by the mark in each of them.

Where the tests run in several processes, each searches its own writings for its own secrets, and
the one that started them adds up what they tell. One that tells nothing fails the run, too.

What is left out, and why: `Set-Cookie`, because that is how a session reaches its browser; the
simulated vendor's own pages and logs, because it is not ours; SQL that a test logs on purpose; what
a test catches of a command's output, because `capsys` keeps it to itself.
"""

import base64
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.canary_search import MOST_TOLD, Canaries

CANARIES = Canaries()
ELSEWHERE = ("django.db.backends", "uvicorn", "seatwise.sandbox", "asyncio")
LARGEST = 2_000_000  # bytes of a file that are looked at
LOUD = {"caplog", "capsys", "capfd"}  # tests that count what is logged or printed
NOWHERE: frozenset[str] = frozenset()
HANDED_OVER = {
    "/users/": frozenset({"link"}),
    "/channels/": frozenset({"webhook secret"}),
    "/renewals/link/": frozenset({"address of a calendar"}),
}
_now = "before the first test"


def write(place: str, content: str | bytes, shown: frozenset[str] = NOWHERE) -> None:
    """Keeps what was written; the place is told with the test that runs."""
    CANARIES.write(f"{place} ({_now})", content, shown)


def secret(kind: str, value: str | None) -> None:
    """Registers a secret that comes into play."""
    CANARIES.secret(kind, value)


# ---- while the tests run -------------------------------------------------------------------


class _Log(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(ELSEWHERE):
            write(f"log of {record.name}", self.format(record))


def pytest_sessionstart() -> None:
    from django.conf import settings
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.tokens import PasswordResetTokenGenerator
    from django.contrib.sessions.backends.base import SessionBase

    from seatwise import vault
    from seatwise.vault import Ring

    root = logging.getLogger()
    for handler in root.handlers:
        handler.setLevel(max(handler.level, root.level))  # as loud as before
    root.addHandler(_Log(logging.DEBUG))
    secret("secret key", settings.SECRET_KEY)
    _keys((), settings.ENCRYPTION_KEYS)
    secret("client secret", "scoped-sandbox-secret-0a+b/c=d")
    secret("client secret", "classic-sandbox-secret-9z+y/x=w")
    _watch(SessionBase, "_get_new_session_key", lambda _, made: secret("session key", made))
    _watch(Ring, "parse", _keys)
    _watch(vault, "new_key", lambda _, made: secret("encryption key", made))
    _watch(Ring, "seal", lambda given, _: _sealed(given[1], given[2]))
    _watch(AbstractBaseUser, "set_password", lambda given, _: secret("password", given[1]))
    _watch(PasswordResetTokenGenerator, "make_token", _link)
    _watch(secrets, "token_urlsafe", lambda given, made: secret(_kind(given), made))


def _watch(owner: Any, name: str, note: Callable[[tuple[Any, ...], Any], None]) -> None:
    original = getattr(owner, name)

    def watched(*given: Any, **more: Any) -> Any:
        made = original(*given, **more)
        note((*given, *more.values()), made)
        return made

    setattr(owner, name, watched)


def _keys(_: tuple[Any, ...], ring: Any) -> None:
    for _key_id, key in ring.keys:
        secret("encryption key", base64.urlsafe_b64encode(key).decode())


def _link(_: tuple[Any, ...], made: str) -> None:
    secret("link", made)


def _kind(given: tuple[Any, ...]) -> str:
    """By how long it is: what the product makes, and what the simulated vendor does."""
    kinds = {
        24: "code or session of the vendor",
        32: "state",
        40: "address of a calendar",
        48: "code verifier",
    }
    return kinds.get(given[0] if given else 0, "random secret")


def _sealed(text: str, place: str) -> None:
    """What the product's own tables keep; a test of the vault alone seals mere words."""
    if place.startswith("channel:") and " " not in text:
        secret("webhook secret" if place.endswith(":secret") else "address of a channel", text)
    if not place.startswith(("connection:", "authorization:", "revocation:")):
        return
    try:
        parts = json.loads(text)
    except ValueError:
        parts = {"token": text}
    for name, value in parts.items() if isinstance(parts, dict) else ():
        # Made-up words of a test are no canaries: they may stand in its name.
        if name != "client_id" and isinstance(value, str) and len(value) >= 20 and " " not in value:
            secret(f"sealed {name}", value)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    global _now
    _now = item.nodeid
    root = logging.getLogger()
    level = root.level
    if not LOUD & set(getattr(item, "fixturenames", ())):
        root.setLevel(logging.DEBUG)
    try:
        return (yield)
    finally:
        root.setLevel(level)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    from django.core import mail

    for message in getattr(mail, "outbox", ()):
        write("mail", str(message.message()))
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if isinstance(folder, Path):
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    write(f"file {path.name}", file.read(LARGEST))


# ---- in the tests' settings: what is answered ----------------------------------------------


def spooled(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A middleware, the outermost: every answer is written down."""

    def middleware(request: Any) -> Any:
        answer = get_response(request)
        place = f"answer to {request.method} {request.path[:60]}"
        for name, value in answer.headers.items():
            # A state belongs into the address of the vendor, which only the browser is told.
            away = name == "Location" and "state=" in value and "://" in value
            write(f"header {name} of the {place}", value, frozenset({"state"} if away else ()))
        # The only pages where an admin is shown one, to hand it over.
        shown = HANDED_OVER.get(request.path, NOWHERE)
        if answer.streaming:
            answer.streaming_content = _as_it_flows(place, answer.streaming_content)
        else:
            write(place, answer.content, shown)
        return answer

    return middleware


def _as_it_flows(place: str, content: Iterator[bytes]) -> Iterator[bytes]:
    for part in content:
        write(place, part)
        yield part


# ---- at the end ----------------------------------------------------------------------------


@dataclass
class Searched:
    """What the search came to, in one process or in several."""

    secrets: int = 0
    writings: int = 0
    size: int = 0  # bytes
    seconds: float = 0.0
    found: list[str] = field(default_factory=list)  # sentences
    silent: list[str] = field(default_factory=list)  # processes that told nothing of theirs

    def add(self, other: "Searched") -> None:
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


SEARCHED = Searched()
TOLD = "canary secrets"  # what a process of pytest-xdist's tells is kept under this name


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    start = time.monotonic()
    found = CANARIES.found()
    took = time.monotonic() - start
    known = len(CANARIES.secrets)
    here = Searched(known, len(CANARIES.writings), CANARIES.size, took, found)
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[TOLD] = asdict(here)
    elif not session.config.pluginmanager.hasplugin("dsession"):  # that one lets others test
        SEARCHED.add(here)
    if SEARCHED.found or SEARCHED.silent:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of several processes has ended, by itself or not."""
    told = getattr(node, "workeroutput", {}).get(TOLD)
    SEARCHED.add(Searched(**told) if told else Searched(silent=[node.gateway.id]))


def pytest_unconfigure() -> None:
    CANARIES.spool.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.section(TOLD)
    terminalreporter.line(
        f"{SEARCHED.secrets} secrets in play, {SEARCHED.writings} writings of "
        f"{SEARCHED.size / 1e6:.1f} MB searched in {SEARCHED.seconds:.1f} s: "
        f"{len(SEARCHED.found)} found"
    )
    for each in SEARCHED.silent:
        terminalreporter.line(f"the process {each} did not search what it wrote")
    for line in SEARCHED.found[:MOST_TOLD]:
        terminalreporter.line(line)
