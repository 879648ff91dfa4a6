"""An embedded database of the benchmark's own, with nothing in it but the schema."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def database(**settings: str) -> Iterator[None]:
    """Django uses it from here on; it is gone at the end. `settings`: what else to set."""
    from seatwise import database
    from seatwise.vault import new_key

    with tempfile.TemporaryDirectory(prefix="seatwise-bench-") as place:
        os.environ |= {
            database.DATA_SETTING: place,
            "SEATWISE_SECRET_KEY": secrets.token_urlsafe(50),
            "SEATWISE_ENCRYPTION_KEYS": new_key(),
            "SEATWISE_ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
            "DJANGO_SETTINGS_MODULE": "seatwise.settings",
            **settings,
        }
        os.environ.pop(database.URL_SETTING, None)
        server = database.ensure()
        try:
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            call_command("createcachetable", verbosity=0)
            yield
        finally:
            database.release(server)
