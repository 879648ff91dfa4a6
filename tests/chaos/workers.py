"""Real worker processes that may be killed, frozen and replaced as often as one likes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.processes import ending_with_us, is_stopped, send

PATIENCE = 60.0  # seconds


@dataclass
class Workers:
    """The living ones in the order of their birth, and how the others ended."""

    process: "subprocess.Popen[str]"
    wishes: dict[str, Any]
    alive: list[int] = field(default_factory=list)
    ended: dict[int, int] = field(default_factory=dict)  # exit codes; of a signal, its negative
    told_to_end: set[int] = field(default_factory=set)
    heard: threading.Condition = field(default_factory=threading.Condition)
    born: int = 0

    def more(self, count: int = 1, **wishes: Any) -> list[int]:
        """So many new ones; their process ids."""
        before, others = self.born, {*self.alive, *self.ended}
        assert self.process.stdin is not None
        for _ in range(count):
            print(json.dumps(self.wishes | wishes), file=self.process.stdin)
        self.process.stdin.flush()
        with self.heard:
            done = self.heard.wait_for(lambda: self.born == before + count, PATIENCE)
            assert done, "no worker was born"
            return [pid for pid in (*self.alive, *self.ended) if pid not in others]

    def fill_up(self, count: int) -> int:
        """Replaces those that are gone; returns how many had ended without being told to."""
        by_themselves = [pid for pid in self.ended if pid not in self.told_to_end]
        self.told_to_end.update(by_themselves)
        if (lacking := count - len(self.alive)) > 0:
            self.more(lacking)
        return len(by_themselves)

    def freeze(self, pid: int) -> bool:
        """SIGSTOP, and waits until it really stands still. False where it has gone."""
        if not send(pid, signal.SIGSTOP):
            return False
        until = time.monotonic() + 5
        while not is_stopped(pid):
            if pid in self.ended or time.monotonic() > until:
                return False
            time.sleep(0.001)
        return True

    def thaw(self, pid: int) -> None:
        send(pid, signal.SIGCONT)

    def kill(self, pid: int) -> None:
        """kill -9, also of one that is frozen."""
        self.told_to_end.add(pid)
        send(pid, signal.SIGKILL)
        self.await_end(pid)

    def ask_to_end(self, pid: int) -> None:
        """SIGTERM, as a deploy does; the process takes its time."""
        self.told_to_end.add(pid)
        send(pid, signal.SIGTERM)

    def await_end(self, pid: int, patience: float = PATIENCE) -> bool:
        with self.heard:
            return self.heard.wait_for(lambda: pid in self.ended, patience)

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told = json.loads(line)
            with self.heard:
                if "born" in told:
                    self.born += 1
                    self.alive.append(told["born"])
                elif "dead" in told:
                    self.ended[told["dead"]] = told["how"]
                    self.alive.remove(told["dead"])
                self.heard.notify_all()


@contextmanager
def workers(
    settings: Mapping[str, str], log: Path, within: Sequence[str] = (), **wishes: Any
) -> Iterator[Workers]:
    """None at first. `within`: a command before theirs, such as one that enters another machine."""
    with (
        log.open("ab") as written,
        subprocess.Popen(
            [*within, sys.executable, "-W", "ignore", "-m", "tests.chaos.zygote"],
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
            preexec_fn=ending_with_us,
        ) as process,
    ):
        there = Workers(process, wishes)
        assert process.stdin is not None
        assert process.stdout is not None
        ear = threading.Thread(target=there.listen, daemon=True)
        try:
            if not process.stdout.readline():
                raise RuntimeError(f"no worker can be made:\n{log.read_text()[-3000:]}")
            ear.start()
            yield there
        finally:
            for pid in list(there.alive):
                send(pid, signal.SIGKILL)
            process.stdin.close()
            process.terminate()
            if ear.ident:
                ear.join(10)
