"""What people decide about findings, who may, and what is noted of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from seatwise import insights
from seatwise.models import AuditEvent, Connection, Finding, Service, User
from seatwise.models.finding import Life
from tests.insights.wasteful import Wasteful, contract, wasteful


@pytest.fixture
def wastes(db: None) -> Wasteful:
    found = wasteful()
    contract(found.service)
    found.looked()
    return found


def today() -> Any:
    return timezone.now().date()


def one(wastes: Wasteful) -> Finding:
    found = Finding.objects.of(wastes.service).of_rule("idle_full_seat").order_by("text").first()
    assert found is not None
    return found


def decide(wastes: Wasteful, by: User, state: Life, **given: Any) -> int:
    return insights.decide(wastes.service, [one(wastes).pk], state, by=by, today=today(), **given)


def test_each_decision_is_an_event_and_a_line_of_the_trail(
    wastes: Wasteful, admin: User, viewer: User
) -> None:
    soon = today() + timedelta(days=10)
    decide(wastes, admin, Life.ASSIGNED, to=viewer)
    decide(wastes, admin, Life.SNOOZED, until=soon)
    decide(wastes, admin, Life.EXEMPTED, until=soon, reason="On leave")
    decide(wastes, admin, Life.OPEN)
    decide(wastes, admin, Life.DONE)
    told = [(each.state, each.by, each.said) for each in one(wastes).events.all()]
    assert [state for state, _by, _said in told] == [
        "assigned", "snoozed", "exempted", "open", "done",
    ]  # fmt: skip
    assert {by for _state, by, _said in told} == {admin}
    assert told[0][2] == f"For {viewer}."
    assert "On leave" in told[2][2]
    assert AuditEvent.objects.filter(action="finding_decided").count() == 5


def test_who_is_assigned_stays_so_while_it_is_snoozed(
    wastes: Wasteful, admin: User, viewer: User
) -> None:
    decide(wastes, admin, Life.ASSIGNED, to=viewer)
    decide(wastes, admin, Life.SNOOZED, until=today() + timedelta(days=1))
    assert one(wastes).assigned_to == viewer
    Finding.objects.of(wastes.service).update(until=today() - timedelta(days=1))
    wastes.looked()
    assert one(wastes).state == Life.ASSIGNED


@pytest.mark.parametrize("state", [Life.REALISED, Life.SNOOZED, Life.ASSIGNED, Life.EXEMPTED])
def test_a_decision_without_what_it_needs_is_refused(
    wastes: Wasteful, admin: User, state: Life
) -> None:
    with pytest.raises(ValueError, match=r"\."):
        decide(wastes, admin, state)
    assert one(wastes).state == Life.OPEN
    assert not one(wastes).events.exists()


def test_what_is_over_or_of_another_service_is_not_decided_about(
    wastes: Wasteful, admin: User
) -> None:
    other = Service.objects.create(key="other", name="Other")
    number = one(wastes).pk
    assert insights.decide(other, [number], Life.DONE, by=admin, today=today()) == 0
    Finding.objects.of(wastes.service).update(over_at=timezone.now())
    assert insights.decide(wastes.service, [number], Life.DONE, by=admin, today=today()) == 0
    assert one(wastes).state == Life.OPEN


def test_done_is_taken_back_when_a_later_reading_still_finds_it(
    wastes: Wasteful, admin: User
) -> None:
    decide(wastes, admin, Life.DONE)
    wastes.looked()  # of the same reading, which tells nothing new
    assert one(wastes).state == Life.DONE
    Connection.objects.update(members_as_of=timezone.now())
    wastes.looked()
    assert one(wastes).state == Life.OPEN
    last = one(wastes).events.last()
    assert last is not None
    assert "still finds it" in last.said
