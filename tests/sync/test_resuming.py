"""An attempt that is cut off is gone on with by the next one, under the same run."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.db import transaction
from django.utils import timezone

from seatwise import installation, sync
from seatwise.models import Connection, Installation, Member, Notice, Service, StagedRecord, SyncRun
from seatwise.sync import bridge
from seatwise.sync.claim import start
from tests.conftest import configure
from tests.connections.granting import grant_to
from tests.sandboxes import Running, running
from tests.sync.test_doubt import shows

PEOPLE = 330


class Killed(BaseException):
    """As sudden as kill -9: nothing of ours catches it."""


@pytest.fixture(scope="module")
def larger_vendor() -> Iterator[Running]:
    """With more people than stand on three pages."""
    with running(seed=17, users=PEOPLE, months=2, now=timezone.now()) as there:
        yield there


@pytest.fixture
def larger(
    larger_vendor: Running, service: Service, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connection]:
    configure(larger_vendor, monkeypatch)
    larger_vendor.fault(rate_limit=1_000_000)
    connection = grant_to(larger_vendor, service)
    larger_vendor.forget_requests()
    yield connection
    larger_vendor.clear_faults()
    larger_vendor.forget_requests()


def after(pages: int, then: Callable[[], bool]) -> Callable[[], bool]:
    """Something that happens once that many pages were taken."""
    taken: list[int] = []

    def stopping() -> bool:
        told = sum(
            stage.get("done", 0) for run in SyncRun.objects.all() for stage in run.stages.values()
        )
        if told not in taken:
            taken.append(told)
        return len([each for each in taken if each]) >= pages and then()

    return stopping


def die() -> bool:
    raise Killed


def killed(run: SyncRun, pages: int) -> None:
    with pytest.raises(Killed):
        sync.run(run.pk, stopping=after(pages, die))


def current() -> set[str]:
    return set(Member.objects.current().values_list("external_id", flat=True))


def there(vendor: Running) -> set[str]:
    return {person["id"] for person in vendor.truth()["members"]}


def offsets(vendor: Running, path: str = "/us/users") -> list[int]:
    questions = [parse_qs(asked["query"]) for asked in vendor.requests(path)]
    return [int(question.get("offset", ["0"])[0]) for question in questions]


@pytest.mark.fault(72)
@pytest.mark.parametrize("end", ["killed", "handed over"])
def test_a_list_is_gone_on_with_from_the_page_where_it_was_cut_off(
    end: str, larger: Connection, larger_vendor: Running
) -> None:
    run, _ = sync.open_run(larger, by=None)
    if end == "killed":
        killed(run, pages=2)
    else:
        assert sync.run(run.pk, stopping=after(2, lambda: True)) is not None
    assert not Member.objects.exists()  # half a list is never shown
    larger_vendor.forget_requests()
    assert sync.run(run.pk) is None
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("done", 2), run.reason
    assert min(offsets(larger_vendor)) > 100
    assert current() == there(larger_vendor)
    assert [attempt["how"] for attempt in run.attempts] == [
        "died" if end == "killed" else "handed over",
        "ended",
    ]
    assert not StagedRecord.objects.exists()


def test_a_list_that_was_applied_is_not_read_again(
    larger: Connection, larger_vendor: Running
) -> None:
    run, _ = sync.open_run(larger, by=None)

    def licences_began() -> bool:
        run.refresh_from_db()
        return run.stages.get("licences", {}).get("done", 0) > 0 and die()

    with pytest.raises(Killed):
        sync.run(run.pk, stopping=licences_began)
    joined = run.counts
    larger_vendor.forget_requests()
    sync.run(run.pk)
    run.refresh_from_db()
    assert run.state == "done", run.reason
    assert offsets(larger_vendor) == []
    assert min(offsets(larger_vendor, "/us/license_allocations")) > 0
    assert run.counts == joined == {"joined": PEOPLE}
    held = Member.objects.exclude(license=None).values_list("external_id", "license__name")
    told = {p["id"]: p["license"] for p in larger_vendor.truth()["members"] if p["license"]}
    assert dict(list(held)) == told


def test_the_requests_of_all_attempts_are_counted(
    larger: Connection, larger_vendor: Running
) -> None:
    run, _ = sync.open_run(larger, by=None)
    sync.run(run.pk, stopping=after(2, lambda: True))
    sync.run(run.pk)
    run.refresh_from_db()
    counted = sum(count for route, count in larger_vendor.counts().items() if "oauth" not in route)
    assert 0 <= counted - run.total_requests <= 16  # those that were asked ahead, and dropped
    assert all(stage["seconds"] > 0 for stage in run.progress)


@pytest.mark.parametrize("spoilt", ["too old", "of another version", "no place"])
def test_what_cannot_be_gone_on_from_is_read_anew(
    spoilt: str, larger: Connection, larger_vendor: Running
) -> None:
    run, _ = sync.open_run(larger, by=None)
    killed(run, pages=2)
    ghost = {"external_id": "P0GHOST", "email": "", "name": "", "role": "user", "invited": False}
    StagedRecord.objects.create(run=run, kind="member", key="P0GHOST", data=ghost)
    run.refresh_from_db()
    part = run.checkpoint["stages"]["members"]
    if spoilt == "too old":
        part["at"] = (timezone.now() - timedelta(minutes=61)).isoformat()
    elif spoilt == "no place":
        part["place"] = {"another": "version"}
    else:
        run.checkpoint["version"] = 999
    run.save()
    larger_vendor.forget_requests()
    sync.run(run.pk)
    run.refresh_from_db()
    assert run.state == "done", run.reason
    assert min(offsets(larger_vendor)) == 0
    assert current() == there(larger_vendor)


def test_people_who_come_and_go_between_two_attempts_are_neither_lost_nor_doubled(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(seed=23, users=250, months=1) as vendor:
        configure(vendor, monkeypatch)
        vendor.fault(rate_limit=1_000_000)
        connection = grant_to(vendor, service)
        run, _ = sync.open_run(connection, by=None)
        killed(run, pages=1)
        before = there(vendor)
        listed = set(StagedRecord.objects.values_list("key", flat=True))
        # Not whoever authorized: their going would end the grant.
        gone = [p["email"] for p in vendor.truth()["members"] if p["id"] in listed]
        gone = [email for email in gone if email != vendor.someone("owner")]
        vendor.fault(remove=gone[:30])  # what follows moves forward
        sync.run(run.pk)
        run.refresh_from_db()
        assert run.state == "done", run.reason
        assert len(before & there(vendor)) == 220
        assert current() == there(vendor)  # rows of two readings do not pass for one


@pytest.mark.fault(54)
def test_rows_of_an_earlier_attempt_hide_no_drop(
    larger: Connection, larger_vendor: Running
) -> None:
    first, _ = sync.open_run(larger, by=None)
    sync.run(first.pk)
    run, _ = sync.open_run(larger, by=None)
    killed(run, pages=3)
    shows(larger_vendor, larger_vendor.truth()["members"][:30])
    sync.run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.doubt["gone"]) == ("retry_at", PEOPLE - 30)
    assert len(current()) == PEOPLE


def test_what_is_no_gap_any_more_is_not_told(larger: Connection, larger_vendor: Running) -> None:
    shows(larger_vendor, larger_vendor.truth()["members"][:50], total=400)
    run, _ = sync.open_run(larger, by=None)
    assert sync.run(run.pk, stopping=after(1, lambda: True)) is not None
    larger_vendor.clear_faults()
    larger_vendor.fault(rate_limit=1_000_000)
    run.refresh_from_db()
    run.checkpoint["stages"]["members"]["place"] = {"another": "version"}
    run.save()
    sync.run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.gaps) == ("done", [])


@pytest.mark.fault(79)
def test_who_was_frozen_before_it_began_takes_nothing_over(larger: Connection) -> None:
    run, _ = sync.open_run(larger, by=None)
    newer = start(run.pk, "newer")
    assert newer is not None
    assert sync.run(run.pk, is_ours=lambda: False) is None
    with transaction.atomic():
        assert newer.hold() == run


@pytest.mark.fault(81)
def test_a_run_that_takes_three_workers_down_is_put_aside_and_named(larger: Connection) -> None:
    run, _ = sync.open_run(larger, by=None)
    for _ in range(3):
        killed(run, pages=1)
    assert sync.run(run.pk) is None
    run.refresh_from_db()
    larger.refresh_from_db()
    assert (run.state, run.deaths) == ("action_needed", 3)
    assert "3 attempts in a row ended together with their worker" in run.reason
    assert larger.attention == run.reason
    assert (larger.state, larger.is_alive) == ("limited", True)
    assert Notice.objects.open().get().what == run.reason
    again, is_new = sync.open_run(larger, by=None)  # as when somebody presses Sync now
    assert is_new
    sync.run(again.pk)
    again.refresh_from_db()
    assert again.state == "done"
    assert not Notice.objects.open().exists()


@pytest.mark.fault(73)
def test_without_memory_another_worker_goes_on_and_it_counts_as_a_death(
    larger: Connection, larger_vendor: Running
) -> None:
    run, _ = sync.open_run(larger, by=None)

    def too_much() -> bool:
        raise MemoryError

    assert sync.run(run.pk, stopping=after(2, too_much)) is not None
    run.refresh_from_db()
    assert (run.state, run.deaths) == ("retry_at", 1)
    assert "ran out of memory" in run.reason
    sync.run(run.pk)
    run.refresh_from_db()
    assert run.state == "done"
    assert current() == there(larger_vendor)


@pytest.mark.fault(74)
def test_a_worker_that_goes_down_does_not_wait_for_a_slow_page(
    larger: Connection, larger_vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "GRACE", 0.2)
    larger_vendor.fault(path="/users", kind="slow", delay=20, after=1, times=None)
    run, _ = sync.open_run(larger, by=None)
    began = timezone.now()
    assert sync.run(run.pk, stopping=after(1, lambda: True)) is not None
    assert timezone.now() - began < timedelta(seconds=15)
    run.refresh_from_db()
    assert (run.state, run.attempts[-1]["how"]) == ("queued", "handed over")


@pytest.mark.fault(79)
def test_the_number_of_an_attempt_is_never_given_twice(larger: Connection) -> None:
    assert installation.check() == []
    run, _ = sync.open_run(larger, by=None)
    installation.pause("Paused by hand.")
    assert sync.run(run.pk) is not None
    run.refresh_from_db()
    assert (run.attempt, run.attempts) == (1, [])  # nothing was tried, so nothing is told
    Installation.objects.update(paused_at=None)
    sync.run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("done", 2), run.reason
    assert [attempt["number"] for attempt in run.attempts] == [2]


def test_what_an_earlier_attempt_could_not_read_stays_told(
    larger: Connection, larger_vendor: Running
) -> None:
    key = {"Authorization": f"Token token={larger_vendor.api_key()}"}
    rows = larger_vendor.http.get(
        f"{larger_vendor.base_url}/us/users?limit=50", headers=key
    ).json()["users"]
    body = {"users": rows, "more": False, "total": 400, "limit": 100, "offset": 0}
    larger_vendor.fault(path="/users", kind="json", body=body, times=None)
    run, _ = sync.open_run(larger, by=None)

    def members_ended() -> bool:
        run.refresh_from_db()
        return bool(run.stages.get("members", {}).get("state") == "limited")

    assert sync.run(run.pk, stopping=members_ended) is not None
    sync.run(run.pk)
    run.refresh_from_db()
    assert run.state == "done_with_notes", run.reason
    assert "50 of 400 members were read" in run.gaps[0]["what"]
    assert {each.name: each.word for each in run.coverage}["members"] == "in part"
