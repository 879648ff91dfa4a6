"""Figures for Prometheus, asked from the database at the moment of the scrape.

All of them are gauges: erasing collected data deletes runs, so nothing here only grows. Labels
name services, accounts, states and endpoints; never a person.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import NamedTuple

from django.db.models import Case, Q, When
from prometheus_client.core import GaugeMetricFamily, Metric

from seatwise import installation, readiness, tasks
from seatwise.models import Connection, Delivery, Member, Notice, Service, SyncRun
from seatwise.models.connection import State
from seatwise.models.member_status import STATUSES

DAY = timedelta(days=1)
MOST_RUNS = 10_000  # the newest ones that are looked at; a day of 300 connections has some 1,200


class Told(NamedTuple):
    """What a metric says, and by which labels its values are told apart."""

    help: str
    labels: tuple[str, ...] = ()


METRICS: Mapping[str, Told] = {
    "seatwise_build_info": Told("Always 1; the label says which release this is.", ("version",)),
    "seatwise_syncing_paused": Told("1 while this installation must not sync, else 0."),
    "seatwise_keys_ok": Told("1 while the encryption keys open what is stored, else 0."),
    "seatwise_disk_free_bytes": Told(
        "Free where our data lies; missing with a database elsewhere."
    ),
    "seatwise_connections": Told("Connections whose data is shown.", ("state",)),
    "seatwise_members_age_seconds": Told(
        "Since the last complete list of members was read, or since the authorization before the "
        "first, of connections with an authorization.",
        ("service", "account"),
    ),
    "seatwise_sync_overdue_seconds": Told(
        "For how long the next sync by its schedule is due and has not ended; 0 when none is.",
        ("service", "account"),
    ),
    "seatwise_last_run_seconds": Told(
        "How long the last sync that ended took, from its first attempt on.", ("service", "account")
    ),
    "seatwise_last_day_runs": Told(
        "Syncs that ended within a day, by ending, and those that are open.", ("service", "ending")
    ),
    "seatwise_last_day_requests": Told(
        "Requests to vendors of the syncs in seatwise_last_day_runs.", ("service", "endpoint")
    ),
    "seatwise_queue_jobs": Told("Background jobs that wait or run.", ("task", "status")),
    "seatwise_queue_oldest_due_seconds": Told(
        "For how long the oldest job that could run waits; 0 when none does."
    ),
    "seatwise_seats": Told(
        "Members by status; left is everybody who ever left.", ("service", "status")
    ),
    "seatwise_notices_open": Told("Troubles that need a person and are still so."),
    "seatwise_messages_waiting": Told("Messages of alerts that wait to be sent or tried again."),
    "seatwise_last_day_messages_given_up": Told("Messages of a day that were given up."),
}
Values = Iterator[tuple[str, Sequence[str], float]]


class Figures:
    """All metrics as of `now`, in a number of queries that does not grow with the data."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        families = {
            name: GaugeMetricFamily(name, told.help, labels=told.labels)
            for name, told in METRICS.items()
        }
        for values in (self._installation, self._connections, self._runs, self._queue, self._seats):
            for name, labels, value in values():
                families[name].add_metric(labels, value)
        yield from families.values()

    def _installation(self) -> Values:
        yield "seatwise_build_info", [version("seatwise")], 1
        yield "seatwise_syncing_paused", [], installation.standing() is not None
        yield "seatwise_keys_ok", [], readiness.keys_fit()
        free = readiness.disk_free()
        if free is not None:
            yield "seatwise_disk_free_bytes", [], free
        yield "seatwise_notices_open", [], Notice.objects.open().count()
        waiting, given_up = Delivery.objects.waiting_and_given_up(self._now - DAY)
        yield "seatwise_messages_waiting", [], waiting
        yield "seatwise_last_day_messages_given_up", [], given_up

    def _connections(self) -> Values:
        """Two accounts may have one name; then the worse one is told."""
        states = Counter[str](dict.fromkeys(State, 0))
        ages = dict[tuple[str, str], float]()
        late = dict[tuple[str, str], float]()
        for key, name, state, connected, read, due in Connection.objects.shown().values_list(
            "service__key",
            "account_name",
            "state",
            "connected_at",
            "members_as_of",
            "next_sync_at",
        ):
            states[state] += 1
            if state not in (State.DISCONNECTED, State.BY_FILE):
                account = key, name
                ages[account] = max(self._since(read or connected), ages.get(account, 0.0))
                late[account] = max(self._since(due or self._now), late.get(account, 0.0))
        yield from (("seatwise_connections", [state], count) for state, count in states.items())
        yield from (("seatwise_members_age_seconds", of, age) for of, age in ages.items())
        yield from (("seatwise_sync_overdue_seconds", of, wait) for of, wait in late.items())

    def _since(self, moment: datetime) -> float:
        """Seconds; 0 of what is still to come."""
        return max((self._now - moment).total_seconds(), 0.0)

    def _runs(self) -> Values:
        """The newest runs by their numbers, so that no question grows with the years."""
        runs, requests = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        seconds: dict[tuple[str, str], float] = {}
        of_late = Q(finished_at=None) | Q(finished_at__gt=self._now - DAY)
        for key, name, state, began, ended, made in (
            SyncRun.objects.order_by("-pk")
            .annotate(made=Case(When(of_late, then="requests")))  # nothing else is unpacked
            .values_list(
                "connection__service__key",
                "connection__account_name",
                "state",
                "started_at",
                "finished_at",
                "made",
            )[:MOST_RUNS]
        ):
            if began and ended:
                seconds.setdefault((key, name), (ended - began).total_seconds())
            if made is not None:
                runs[key, state] += 1
                for endpoint, count in made.items():
                    requests[key, endpoint] += count
        yield from (("seatwise_last_run_seconds", of, took) for of, took in seconds.items())
        yield from (("seatwise_last_day_runs", of, count) for of, count in runs.items())
        yield from (("seatwise_last_day_requests", of, count) for of, count in requests.items())

    def _queue(self) -> Values:
        queue = tasks.queue_now()
        for status, jobs in (("waiting", queue.waiting), ("running", queue.running)):
            for task, count in jobs.items():
                yield "seatwise_queue_jobs", [task, status], count
        oldest = queue.oldest_due
        yield "seatwise_queue_oldest_due_seconds", [], self._since(oldest or self._now)

    def _seats(self) -> Values:
        keys = dict(Service.objects.values_list("pk", "key").iterator())
        for of, counts in Member.objects.with_status(self._now).count_by_service().items():
            if of in keys:  # else it was added between the two questions
                for status in STATUSES:
                    yield "seatwise_seats", [keys[of], status], counts.get(status, 0)
