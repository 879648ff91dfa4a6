"""Duty, from the simulated vendor to what the rules are told."""

from django.utils import timezone

from seatwise import insights
from seatwise.connectors.base import find, scopes_to_ask
from seatwise.models import Connection, Duty, Finding, Member, Service, User
from seatwise.rules import SeatFact
from tests.conftest import authorize, read
from tests.sandboxes import Running

DUTY = ("schedules.read", "escalation_policies.read", "oncalls.read")


def seats(service: Service) -> tuple[SeatFact, ...]:
    fresh = Service.objects.for_table().get(pk=service.pk)
    return insights.facts_on(fresh, timezone.now().date(), timezone.now()).seats


def test_without_the_permissions_duty_stays_unknown(connection: Connection) -> None:
    run = read(connection)
    assert "duty" not in run.stages
    connection.refresh_from_db()
    assert connection.duty_as_of is None
    assert {seat.duties for seat in seats(connection.service)} == {None}


def test_with_them_everybody_is_on_duty_or_off_it(
    vendor: Running, service: Service, admin: User, impatient: None
) -> None:
    connector = find("pagerduty")
    assert connector is not None
    asked = scopes_to_ask(connector.scopes, DUTY)
    authorize(vendor, service, admin, scopes=asked)
    connection = Connection.objects.get()
    run = read(connection)
    assert run.stages["duty"]["state"] == "done"
    assert [each.name for each in run.coverage][-1] == "duty"
    found = seats(service)
    assert all(seat.duties is not None for seat in found)
    on_duty = [seat for seat in found if seat.duties]
    assert 0 < len(on_duty) < len(found)
    on_call = [s for s in found if any(duty.kind == "oncall" for duty in s.duties or ())]
    assert all(seat.reach is not None for seat in on_call)
    before = set(Duty.objects.values_list("person_id", "kind", "place_id"))
    read(connection)
    assert set(Duty.objects.values_list("person_id", "kind", "place_id")) == before


def test_the_rules_tell_who_is_on_call_and_out_of_reach_and_who_is_gone(
    connection: Connection,
) -> None:
    read(connection)
    connection.refresh_from_db()
    member = Member.objects.filter(connection=connection).first()
    assert member is not None
    for person in (member.external_id, "PGONE01"):
        Duty.objects.create(
            connection=connection, person_id=person, person_name="Somebody", kind="oncall",
            place_id="E1", place="Payments",
        )  # fmt: skip
    Member.objects.filter(pk=member.pk).update(reach=["email"])
    connection.duty_as_of = timezone.now()
    connection.save()
    insights.run(Service.objects.for_table().get(pk=connection.service_id), timezone.now())
    told = dict(list(Finding.objects.values_list("rule", "text")))
    assert "no phone, SMS or push contact reaches them" in told["unreachable_on_call"]
    assert (
        told["deleted_on_schedule"]
        == "Somebody is not a member any more, and is still in Payments."
    )


def test_erasing_what_was_collected_erases_duty(connection: Connection) -> None:
    Duty.objects.create(connection=connection, person_id="P1", kind="oncall", place_id="E1")
    connection.duty_as_of = timezone.now()
    connection.erase_collected()
    assert not Duty.objects.exists()
    assert connection.duty_as_of is None
