"""Starts a PostgreSQL for the test run, before Django reads its settings.

A pytest plugin, loaded by `-p` so that it is first. Give `SEATWISE_DATABASE_URL` to test
against a server of your own instead.
"""

import atexit
import os
import shutil
import tempfile

from seatwise import database

if not os.environ.get(database.URL_SETTING):
    # Short, because a socket's path is limited, and outside of root's closed home.
    _scratch = tempfile.mkdtemp(prefix="seatwise-tests-")
    atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
    os.environ[database.DATA_SETTING] = _scratch
    database.ensure()  # stops by itself at exit
