"""Syncs written straight into the tables, and what their pages say."""

import re
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from seatwise.models import Connection, SyncRun

HISTORY = "/services/pagerduty/history/"


def run_of(connection: Connection, state: str = "done", **fields: Any) -> SyncRun:
    """Asked for an hour ago, ended (where it has) 72 seconds after it began."""
    began = timezone.now() - timedelta(hours=1)
    is_open = state in {"queued", "running", "retry_at"}
    given = {
        "created_at": began,
        "started_at": began,
        "finished_at": None if is_open else began + timedelta(seconds=72),
        **fields,
    }
    return SyncRun.objects.create(connection=connection, state=state, **given)


def stage(state: str = "done", done: int = 5) -> dict[str, Any]:
    return {"done": done, "total": done, "unit": "rows", "state": state, "seconds": 3.2}


def words(html: str) -> str:
    """What a reader sees of it, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def page(client: Client, address: str = HISTORY) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def of(client: Client, run: SyncRun) -> str:
    return page(client, f"{HISTORY}{run.pk}/")
