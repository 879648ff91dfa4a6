"""Works out anew what services cost and what the rules find: after readings, and once a day."""

import logging
from collections.abc import Callable
from contextlib import suppress

from django.db import transaction
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from seatwise import audit, insights, installation, spending
from seatwise.models import Service, SyncRun
from seatwise.models.sync_run import RunState
from seatwise.tasks import queue

log = logging.getLogger(__name__)

LOOK = "seatwise.look"
WELL = (RunState.DONE, RunState.DONE_WITH_NOTES)


def look_after_run(run_id: int) -> None:
    """Looks at the service of a run that ended well; whatever goes wrong there fails no sync."""
    run = SyncRun.objects.select_related("connection").get(pk=run_id)
    if run.state in WELL:
        look(run.connection.service_id)


def look_soon(service: Service) -> None:
    """Looks at a service as soon as a worker is free."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        lock = f"look {service.pk}"
        task = app.configure_task(LOOK, queue=queue.CARE, lock=lock, queueing_lock=lock)
        task.defer(service_id=service.pk)


def look(service_id: int) -> None:
    """Brings costs and findings of a service up to date. An error is written to the log alone."""
    try:
        service = Service.objects.for_table().get(pk=service_id)
        spending.refresh(service, timezone.now())
        insights.run(service, timezone.now())
    except Exception:
        log.exception("the rules could not look at service %s", service_id)


@app.task(name=LOOK, queue=queue.CARE)
def look_at(service_id: int) -> None:
    """One service, for somebody who could not wait for it."""
    with audit.acting("worker"):
        look(service_id)


@app.periodic(cron="7 3 * * *")
@app.task(
    name="seatwise.look_daily",
    queue=queue.CARE,
    lock="look_daily",
    queueing_lock="look_daily",
    pass_context=True,
)
def look_daily(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Every service: days pass, months begin, and snoozes and exemptions end without a sync."""
    if installation.hindrance():
        return
    with audit.acting("worker"):
        look_at_all(stopping=context.should_abort)


def look_at_all(*, stopping: Callable[[], bool]) -> None:
    """One service after the other; what is left when it must stop waits for tomorrow."""
    for service in Service.objects.by_name():
        if stopping():
            return
        look(service.pk)
