"""Runs a program and tells how it went, in one line of JSON. Needs nothing but Python itself.

    python -I -S watched.py AT_MOST FILE COMMAND …

AT_MOST is in seconds; FILE is one whose first content is waited for, or "".
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAUSE = 0.002  # seconds between two looks


def main() -> None:
    at_most, path, command = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complained:
        began, appeared, ended = time.time(), None, 0
        process = subprocess.Popen(command, stdout=said, stderr=complained)
        while not ended:
            time.sleep(PAUSE)
            if path and appeared is None and _has_content(path):
                appeared = time.time()
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if not ended and time.time() - began > at_most:
                process.kill()
        seconds = time.time() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        complained.seek(0)
        told = {
            "began": began,
            "seconds": seconds,
            "peak": usage.ru_maxrss / 1024,
            "appeared": appeared,
            "code": process.returncode,
            "said": said.read(),
            "complained": complained.read()[-2000:],
        }
    sys.stdout.write(json.dumps(told))


def _has_content(path: str) -> bool:
    try:
        return Path(path).stat().st_size > 0
    except OSError:
        return False


if __name__ == "__main__":
    main()
