"""All that the rules are told of a service, on a day of today or of the past."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple

from django.conf import settings

from seatwise import history, spending
from seatwise.connectors.base import role_info
from seatwise.models import (
    Connection,
    Duty,
    LicensePool,
    Member,
    Person,
    Service,
    Signal,
    UsagePoint,
)
from seatwise.models.member_status import status_after
from seatwise.rules import DutyFact, Facts, PersonFact, PoolFact, SeatFact, StrayDuty
from seatwise.spending import Lines

Key = tuple[int, str]  # a connection, and the vendor's id of a person


class Row(NamedTuple):
    """A current member, as the tables have it; the names are the columns'."""

    pk: int
    connection: int
    external_id: str
    name: str
    email: str
    role: str
    license: str | None
    invited: bool
    last_seen_at: datetime | None
    last_seen_source: str
    last_seen_proof: str
    never_read_at: datetime | None
    joined_at: datetime | None
    first_listed_at: datetime
    reach: list[str] | None


def facts_on(service: Service, on: date, now: datetime) -> Facts:
    """The facts of a day of settings.BILLING_ZONE, as they were known at its end, or now.

    Of a day that is over the evidence is what is still kept of it: of each source the newest sign.
    Whoever was seen later by the same source has an unknown last seen on that day, and is in no
    figure. Duty, contacts and the vendor's own counts are known for today alone.
    """
    is_past = on < history.day_of(now, settings.BILLING_ZONE)
    moment = history.end_of(on, settings.BILLING_ZONE) if is_past else now
    terms = spending.terms_on(service, on)
    lines = Lines.of(service, terms) if terms else None
    known = _Known.of(service, moment, is_past=is_past)
    rows = _rows_then(service, moment) if is_past else Member.objects.of(service).current().plain()
    seats = tuple(_seat(Row(*row), service, lines, known) for row in rows)
    usage, final = UsagePoint.objects.months_until(service.shown_connections, on)
    listed = {(seat.connection, seat.external_id) for seat in seats}
    return Facts(
        service=service.name,
        on=on,
        now=moment,
        seats=seats,
        pools=() if is_past else tuple(_pools(service)),
        strays=() if is_past else tuple(_strays(known.duties, listed)),
        usage=usage,
        final=final,
        terms=terms,
        position=spending.position(service, terms, on) if terms and not is_past else None,
        has_people=bool(known.people),
        as_of=known.as_of,
    )


class _Known(NamedTuple):
    """What is known beside the members, and when it was read."""

    accounts: Mapping[int, Connection]
    moment: datetime
    duties: Mapping[Key, list[Duty]]
    people: Mapping[str, Person]
    as_of: Mapping[str, datetime | None]
    is_past: bool

    @classmethod
    def of(cls, service: Service, moment: datetime, *, is_past: bool) -> "_Known":
        accounts = {account.pk: account for account in service.shown_connections}
        shown = list(accounts.values())
        return cls(
            accounts,
            moment,
            {} if is_past else Duty.objects.in_accounts(shown).by_person(),
            Person.objects.all().by_email(),
            {
                name: moment if is_past else min(
                    (at for each in shown if (at := getattr(each, f"{name}_as_of"))), default=None
                )
                for name in ("members", "licenses", "activity", "usage", "duty")
            },
            is_past,
        )  # fmt: skip

    def duties_of(self, row: Row) -> tuple[DutyFact, ...] | None:
        """None: duty of that account was never read, or nobody tells that of the past."""
        if self.is_past or self.accounts[row.connection].duty_as_of is None:
            return None
        held = self.duties.get((row.connection, row.external_id), [])
        return tuple(DutyFact(duty.kind, duty.place, duty.url) for duty in held)

    def looked_until(self, row: Row) -> datetime:
        """How far the evidence reaches: nobody is idle only because nobody looked."""
        account = self.accounts.get(row.connection)
        looked = (account.activity_as_of or account.members_as_of) if account else None
        return min(self.moment, looked or self.moment)

    def person(self, email: str) -> PersonFact | None:
        found = self.people.get(email.lower())
        return PersonFact(found.name, found.department, found.left_on) if found else None


def _seat(row: Row, service: Service, lines: Lines | None, known: _Known) -> SeatFact:
    role = role_info(service.connector, row.role)
    kind = (lines.kinds.get(row.license or "") if lines else "") or role.seat
    return SeatFact(
        key=f"member:{row.pk}",
        member=row.pk,
        connection=row.connection,
        external_id=row.external_id,
        name=row.name,
        email=row.email,
        role=row.role,
        role_name=role.name,
        rank=role.rank,
        kind=kind,
        license=row.license or "",
        line=lines.of_seat(row.role, row.license) if lines else "",
        status=status_after(
            known.looked_until(row),
            invited=row.invited,
            seen=row.last_seen_at,
            never=row.never_read_at is not None,
        ),
        last_seen_at=row.last_seen_at,
        last_seen_source=row.last_seen_source,
        last_seen_proof=row.last_seen_proof,
        since=row.joined_at,
        listed_at=row.first_listed_at,
        duties=known.duties_of(row),
        reach=None if known.is_past or row.reach is None else tuple(row.reach),
        person=known.person(row.email),
    )


def _rows_then(service: Service, moment: datetime) -> Iterator[Row]:
    """Who held a seat then, with the signs of then that are still kept."""
    signs = Signal.objects.newest_until(service.with_data, moment)
    for row in history.held_at(service, moment).plain_then():
        then = Row(*row)
        seen = signs.get(then.pk)
        never = then.never_read_at if then.never_read_at and then.never_read_at <= moment else None
        yield then._replace(
            last_seen_at=seen.at if seen else None,
            last_seen_source=seen.source if seen else "",
            last_seen_proof=seen.proof if seen else "",
            never_read_at=never if then.last_seen_at is None else None,
            joined_at=then.joined_at if then.joined_at and then.joined_at <= moment else None,
        )


def _pools(service: Service) -> Iterator[PoolFact]:
    for account in service.shown_connections:
        for pool in LicensePool.objects.of(account):
            yield PoolFact(pool.name, pool.kind, pool.used, pool.available)


def _strays(duties: Mapping[Key, list[Duty]], listed: set[Key]) -> Iterator[StrayDuty]:
    for (connection, person), held in duties.items():
        if (connection, person) not in listed:
            for duty in held:
                fact = DutyFact(duty.kind, duty.place, duty.url)
                yield StrayDuty(person, duty.person_name, connection, fact)
