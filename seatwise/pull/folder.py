"""The folder that a pull writes into: one pull at a time, nothing half-written, nothing left."""

import errno
import fcntl
import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

WORK = ".seatwise-pull"  # hidden, beside the final names, so that a rename never copies
ENDINGS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
PARTIAL = ".partial"  # what is still being read ends like this


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the files go, and where they are made."""

    out: Path
    work: Path

    def publish(self, names: Iterable[str]) -> None:
        """Gives files made in `work` their final places, each in one step, in this order.

        Whoever stops the program meanwhile is heard afterwards: the files belong together.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        try:
            for name in names:
                (self.work / name).replace(self.out / name)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def folder(out: Path) -> Iterator[Folder]:
    """Holds the folder, made if need be, for one pull; removes what is temporary at the end.

    What a killed pull left behind goes, too. Raises OSError, also while another pull is there.
    """
    out.mkdir(parents=True, exist_ok=True)
    door = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(errno.EBUSY, "another pull is writing there", str(out)) from None
        work = out / WORK
        if work.exists():
            shutil.rmtree(work)
        for left in out.glob(f"members.*{PARTIAL}"):
            left.unlink()
        work.mkdir(mode=0o700)
        try:
            yield Folder(out, work)
        finally:
            with suppress(OSError):
                shutil.rmtree(work)
    finally:
        os.close(door)
