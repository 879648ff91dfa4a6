"""The queue's tables are not Django's to empty between two tests."""

from collections.abc import Iterator

import pytest
from django.db import connection as database


@pytest.fixture(autouse=True)
def _the_queue_is_empty(db: None) -> Iterator[None]:
    _empty()
    yield
    _empty()


def _empty() -> None:
    with database.cursor() as cursor:
        for table in ("jobs", "workers", "periodic_defers"):
            cursor.execute(f"DELETE FROM procrastinate_{table}")
