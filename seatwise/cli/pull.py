"""`seatwise pull`: an account read into files, with its progress on standard error."""

import errno
import os
import re
import signal
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from seatwise import pull
from seatwise.cli.meter import meter
from seatwise.connectors.base import Connector, all_connectors, find
from seatwise.connectors.errors import BrokenAnswer, CredentialsRejected, TryAgainLater, VendorError
from seatwise.connectors.home import home_code as digits_of
from seatwise.pull.order import CAPABILITIES, FORMATS, Order, plan_until
from seatwise.pull.requestfile import logged

COMPLETE, FAILED, WITH_NOTES = 0, 1, 3
REMEDIES: Mapping[type[VendorError], str] = {
    CredentialsRejected: "Check the key or token in the environment, and the address.",
    TryAgainLater: "Run it again later.",
    BrokenAnswer: "Check the address, then run it again; a proxy in between may be the cause.",
}
EARLIEST = 2000  # years before are a slip of the pen
ENDS_OF_A_STATE = ("", "-wal", "-shm")  # SQLite's own files beside it
ENDINGS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def carry_out(vendor: str, *, request_log: Path | None, **options: Any) -> int:
    """Reads the account as the command's options say. Returns the exit code.

    What makes no sense ends the program with one line and exit code 2.
    """
    order = _order(vendor, **options)
    _usable("--state", order.state)
    _usable("--request-log", request_log)
    _apart(order.state, request_log)
    with _ending_in_order() as came:
        try:
            with logged(request_log, order.without_secret), meter() as watch:
                report = pull.run(order, watch)
        except VendorError as error:
            return _failed(order.without_secret(f"{error} {_remedy(error)}"))
        except pull.StateRefused as reason:
            return _failed(str(reason))
        except OSError as error:
            where = error.filename2 or error.filename or order.out
            return _failed(f"{where} cannot be written: {error.strerror or error}.")
        except KeyboardInterrupt:
            _say("Stopped; the files of an earlier run are as they were.")
            return 128 + (came[0] if came else signal.SIGINT)
    for note in report.notes:
        _say(note)
    rows = ", ".join(f"{count} rows in {name}" for name, count in report.rows.items())
    asked = sum(report.requests.values())
    typer.echo(f"{rows}; {asked} requests in {report.seconds:.1f} s: {order.out}")
    return WITH_NOTES if report.notes else COMPLETE


def _remedy(error: VendorError) -> str:
    """What to do now. The usual sentences are for the product, which asks again by itself."""
    if error.remedy == error.default_remedy:
        for kind, remedy in REMEDIES.items():
            if isinstance(error, kind):
                return remedy
    return error.remedy


def _order(
    vendor: str,
    *,
    api_key_env: str,
    bearer_env: str,
    base_url: str,
    months: int,
    until: datetime | None,
    zone: str,
    out: Path,
    form: str,
    only: str,
    activity_days: int,
    state: Path | None,
    home_code: str,
) -> Order:
    connector = find(vendor)
    if connector is None:
        _misused(f"there is no connector of that name, but {', '.join(sorted(all_connectors()))}.")
    secret, token = _credential(connector, api_key_env, bearer_env)
    if form not in FORMATS:
        _misused(f"--format must be one of {', '.join(FORMATS)}.")
    return Order(
        connector=connector,
        base_url=_address(base_url or connector.default_api_url),
        token=token,
        secret=secret,
        plan=plan_until(
            _day(until),
            _zone(zone),
            months,
            timedelta(days=activity_days),
            datetime.now(UTC),
            _home(home_code),
        ),
        out=out,
        format=form,
        only=_only(only),
        state=state,
    )


def _credential(connector: Connector, api_key_env: str, bearer_env: str) -> tuple[str, str]:
    """The secret as it was given, and the token that the connector's reader takes."""
    if bool(api_key_env) == bool(bearer_env):
        _misused("give one of --api-key-env and --bearer-env.")
    option = "--api-key-env" if api_key_env else "--bearer-env"
    # Never repeat what stands there: somebody may have put the secret itself.
    secret = os.environ.get(api_key_env or bearer_env, "").strip()
    if not secret:
        _misused(f"{option} must name an environment variable that holds the key or token.")
    if not re.fullmatch(r"[!-~]+", secret):
        _misused(f"the variable that {option} names holds what no key or token is made of.")
    return secret, connector.token_of(secret) if api_key_env else secret


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in {"https", "http"} or not parts.hostname or not plain or port == 0:
        _misused("--base-url must be an address such as https://api.example.com.")
    return url.rstrip("/")


def _day(until: datetime | None) -> date | None:
    if until is not None and until.year < EARLIEST:
        _misused(f"--until must not lie before the year {EARLIEST}.")
    return until.date() if until else None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder such as Europe
        _misused("--zone must be a zone such as Europe/Berlin.")


def _home(code: str) -> str:
    try:
        return digits_of(code)
    except ValueError:
        _misused("--home-code must be a country's calling code such as 49.")


def _only(words: str) -> frozenset[str]:
    """What is wanted; activity is told in the file of members, so it brings them along."""
    if not words:
        return frozenset(CAPABILITIES)
    wanted = frozenset(word.strip() for word in words.split(","))
    if not wanted <= CAPABILITIES.keys():
        _misused(f"--only takes words out of {','.join(CAPABILITIES)}.")
    return wanted | {"members"} if "activity" in wanted else wanted


def _usable(option: str, path: Path | None) -> None:
    """That a file of that name can be written, or made; nothing is made here."""
    if path is None:
        return
    try:
        try:
            door = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        except FileNotFoundError:
            if not path.parent.is_dir():
                raise
            if not os.access(path.parent, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
            return
    except OSError as error:
        _misused(f"{option} cannot be used: {error.strerror} ({path}).")
    try:
        if not stat.S_ISREG(os.fstat(door).st_mode):
            _misused(f"{option} must name a file, not a device or a pipe.")
    finally:
        os.close(door)


def _apart(state: Path | None, log: Path | None) -> None:
    """That the log is not written over the state, nor over what belongs to it."""
    if state is None or log is None:
        return
    same = state.exists() and log.exists() and state.samefile(log)
    kept = state.resolve()
    if same or log.resolve() in {kept.with_name(f"{kept.name}{end}") for end in ENDS_OF_A_STATE}:
        _misused("--state and --request-log must name two files.")


@contextmanager
def _ending_in_order() -> Iterator[list[int]]:
    """Other signals end the program as Ctrl-C does: what is temporary is removed first.

    Gives the signals that came, besides Ctrl-C's own.
    """
    came: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        came.append(number)
        for each in ENDINGS:
            signal.signal(each, signal.SIG_IGN)  # once is enough; the next would cut the end short
        # While requests are under way, Ctrl-C is handled by stopping them first.
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):
            raise KeyboardInterrupt
        interrupt(number, frame)

    ours = [number for number in ENDINGS if signal.getsignal(number) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, end)
    try:
        yield came
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _failed(sentence: str) -> int:
    _say(sentence)
    return FAILED


def _misused(sentence: str) -> NoReturn:
    _say(sentence)
    raise typer.Exit(2)


def _say(sentence: str) -> None:
    typer.echo(f"seatwise: {sentence}", err=True)
