"""What a Savings page was asked to show: read from its address or form, and written back to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, get_args
from urllib.parse import urlencode

from django.http import QueryDict

from seatwise.models import Finding, Service
from seatwise.models.finding import FindingQuerySet, Life, Tally
from seatwise.models.keyset import LONGEST
from seatwise.rules import RULES, Confidence

MOST_VALUES = 40
LONGEST_NUMBER = 18  # digits; a longer one is no row's
CONFIDENCES: dict[str, str] = {"certain": "Certain", "likely": "Likely", "hint": "A hint"}
assert set(CONFIDENCES) == set(get_args(Confidence))
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class FindingChoice:
    """The filters and the page; the field names are the address's parameters."""

    rule: tuple[str, ...] = ()
    state: tuple[str, ...] = ()  # none: all but what is exempted or realised
    who: tuple[str, ...] = ()  # numbers of users; "nobody"
    confidence: tuple[str, ...] = ()
    account: str = ""
    place: str = ""

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """What can be understood; the rest is as if it was not there."""

        def many(name: str, known: Iterable[str]) -> tuple[str, ...]:
            asked = dict.fromkeys(query.getlist(name)[:MOST_VALUES])
            return tuple(value for value in asked if value in known)

        people = dict.fromkeys(query.getlist("who")[:MOST_VALUES])
        return cls(
            rule=many("rule", RULES),
            state=many("state", Life.values),
            who=tuple(each for each in people if each == NOBODY or is_number(each)),
            confidence=many("confidence", CONFIDENCES),
            account=query.get("account", "") if is_number(query.get("account", "")) else "",
            place=query.get("place", "")[:LONGEST],
        )

    def rows(self, service: Service) -> FindingQuerySet:
        """The findings that are asked for, in no order."""
        found = Finding.objects.of(service).on_page(self.state)
        if self.account and service.connection is not None:
            found = found.in_account(service.connection)
        people = ["" if each == NOBODY else each for each in self.who]
        return found.fitting(self.rule, people, self.confidence)

    def address(self, **changes: Any) -> str:
        """The query of this choice with `changes`, on its first page; "?" when it is bare."""
        return f"?{urlencode(replace(self, **{'place': '', **changes}).pairs)}"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """As an address and a form carry it, without the page."""
        found = [
            (name, value)
            for name in ("rule", "state", "who", "confidence")
            for value in getattr(self, name)
        ]
        found += [("account", self.account)] if self.account else []
        return found + ([("place", self.place)] if self.place else [])

    @property
    def is_filtered(self) -> bool:
        return bool(self.rule or self.state or self.who or self.confidence)

    def without(self, name: str, value: str) -> str:
        left = tuple(each for each in getattr(self, name) if each != value)
        return self.address(**{name: left})

    def cleared(self) -> str:
        return type(self)(account=self.account).address()

    def counted(self, tallies: Sequence[Tally], beside: str = "") -> int:
        """How many findings fit all filters but the one `beside`."""
        return sum(each.findings for each in tallies if self.fits(each, beside))

    def fits(self, tally: Tally, beside: str = "") -> bool:
        states = self.state or tuple(set(Life.values) - {Life.EXEMPTED, Life.REALISED})
        who = str(tally.assigned_to or NOBODY)
        wanted = (
            ("rule", self.rule, tally.rule),
            ("state", states, tally.state),
            ("who", self.who, who),
            ("confidence", self.confidence, tally.confidence),
        )
        return all(name == beside or not some or value in some for name, some, value in wanted)


def is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER


def picked(query: QueryDict, most: int) -> list[int]:
    """The numbers of the findings that are ticked."""
    return [int(each) for each in query.getlist("pick")[:most] if is_number(each)]
