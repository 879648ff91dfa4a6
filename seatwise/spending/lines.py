"""Which line of a contract bills which seat, and how it stands this month."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from seatwise import history
from seatwise.connectors.base import Connector, role_info
from seatwise.history import Mark, Seat
from seatwise.models import Contract, LicensePool, Member, Reduction, Service
from seatwise.pricing import Billed, Position, Reset, Terms, bill


def terms_on(service: Service, day: date) -> Terms | None:
    """What was agreed for that day; None where nobody has written down a contract for it."""
    contract = Contract.objects.in_force(service, day)
    return contract.terms if contract else None


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the seats of a service are billed by one state of its contract."""

    service: Service
    terms: Terms
    kinds: Mapping[str, str]  # of licences, by name
    connector: Connector | None

    @classmethod
    def of(cls, service: Service, terms: Terms) -> "Lines":
        kinds = LicensePool.objects.kinds(service.accounts)
        return cls(service, terms, kinds, service.connector)

    def of_seat(self, role: str, license_name: str | None) -> str:
        """The key of the line; "" where none bills it."""
        kind = self.kinds.get(license_name or "") or role_info(self.connector, role).seat
        line = self.terms.line_for(license_name or "", kind)
        return line.key if line else ""

    def marks(self) -> dict[date, dict[str, Mark]]:
        """{first day of a month: {line: the most held, and held at its end}}, as far as known."""
        ways = sorted((line.key, line.kind, line.licenses) for line in self.terms.lines)

        def line_of(seat: Seat) -> str:
            return self.of_seat(seat.role, seat.license)

        return history.marks(self.service, line_of, f"{ways} {sorted(self.kinds.items())}")

    def held_now(self) -> Counter[str]:
        """{line: members who hold a seat of it now}."""
        held: Counter[str] = Counter()
        for (role, name), seats in Member.objects.of(self.service).current().tally_seats().items():
            held[self.of_seat(role, name)] += seats
        return held

    def billed(
        self,
        month: date,
        most: Mapping[str, Mapping[date, int]],
        resets: Mapping[str, Sequence[Reset]],
    ) -> list[Billed]:
        """Each line in that month. `most` and `resets`: by line."""
        return [
            bill(line, month, most.get(line.key, {}), resets.get(line.key, ()))
            for line in self.terms.lines
        ]


def resets_of(service: Service) -> dict[str, list[Reset]]:
    """{line: the reductions that the vendor confirmed}; of one month the last one written."""
    found: dict[str, dict[date, Reset]] = {}
    for each in reversed(list(Reduction.objects.of(service))):
        found.setdefault(each.line, {})[each.since] = Reset(each.since, each.seats)
    return {line: list(by_month.values()) for line, by_month in found.items()}


def by_line(marks: Mapping[date, Mapping[str, Mark]]) -> dict[str, dict[date, int]]:
    """{line: {first day of a month: the most seats held in it}}."""
    found: dict[str, dict[date, int]] = {}
    for month, lines in marks.items():
        for line, mark in lines.items():
            found.setdefault(line, {})[month] = mark.most
    return found


def position(service: Service, terms: Terms, today: date) -> Position | None:
    """What is billed this month and held now; None where members were never read.

    `today`: a day of settings.BILLING_ZONE.
    """
    if service.members_as_of is None:
        return None
    lines = Lines.of(service, terms)
    month = today.replace(day=1)
    most, held = by_line(lines.marks()), lines.held_now()
    for line in terms.lines:  # what is held now was held in this month, looked at or not
        of_month = most.setdefault(line.key, {})
        of_month[month] = max(of_month.get(month, 0), held[line.key])
    found = lines.billed(month, most, resets_of(service))
    return Position({each.line.key: each for each in found}, dict(held))
