"""Settings for tests and static checks: the real ones, with throw-away secrets.

The database is the embedded server in a directory of its own, unless a URL is given.
"""

import os

os.environ.setdefault("SEATWISE_SECRET_KEY", "only-for-tests-" + "x" * 40)
os.environ.setdefault("SEATWISE_ENCRYPTION_KEYS", "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=")
os.environ.setdefault("SEATWISE_DATABASE_URL", "postgresql://postgres@/postgres?host=/nowhere")
os.environ.setdefault("SEATWISE_ALLOWED_HOSTS", "localhost,127.0.0.1,testserver")

from seatwise.settings import *  # noqa: F403

# Hashing a password 600,000 times proves nothing about Seatwise.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Every answer is written down and searched for secrets at the end.
MIDDLEWARE = ["tests.canary.spooled", *MIDDLEWARE]  # noqa: F405

DESIGN_PAGE = True
