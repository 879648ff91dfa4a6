"""People: who works at the company, by the people file; searched, filtered, by department."""

from dataclasses import dataclass
from datetime import date
from typing import Self

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from seatwise import history
from seatwise.models import PeopleUpload, Person
from seatwise.models.person import PersonQuerySet
from seatwise.views.choice import Choice
from seatwise.views.members import is_fragment
from seatwise.views.paging import part_of, steps
from seatwise.views.spend_choice import Option

PAGE_SIZE = 50
MOST_VALUES = 40
SEARCH_BOX = "input#people-search"
NONE = "-"  # a department that is none
THERE, LEFT = "there", "left"
STATES = {THERE: "Still there", LEFT: "Has left"}


@dataclass(frozen=True, slots=True)
class PeopleChoice(Choice):
    """See `Choice`."""

    department: tuple[str, ...] = ()
    state: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """What can be understood of an address; the rest is as if it was not there."""
        return cls(
            q=" ".join(query.get("q", "").replace("\0", "")[:200].split()),
            department=tuple(
                dict.fromkeys(
                    name.replace("\0", "")[:200]
                    for name in query.getlist("department")[:MOST_VALUES]
                    if name
                )
            ),
            state=tuple(name for name in STATES if name in query.getlist("state")),
            place=query.get("place", "")[:20],
        )

    def chosen(self, today: date) -> PersonQuerySet:
        found = Person.objects.matching(self.q)
        if self.department:
            names = ["" if name == NONE else name for name in self.department]
            found = found.in_departments(names)
        if len(self.state) == 1:
            found = found.left_by(today) if LEFT in self.state else found.there_on(today)
        return found.by_name()

    @property
    def kept(self) -> list[tuple[str, str]]:
        return []

    @property
    def is_filtered(self) -> bool:
        return self != type(self)(place=self.place)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The page, or the list that htmx asks for."""
    choice = PeopleChoice.from_query(request.GET)
    if is_fragment(request):
        response = render(request, "people_block.html", _block(choice))
        typed = request.headers.get("HX-Source", "") == SEARCH_BOX
        header = "HX-Replace-Url" if typed else "HX-Push-Url"
        response[header] = request.path + choice.address(place=choice.place).removesuffix("?")
    else:
        context = _block(choice) | {
            "as_of": Person.objects.as_of(),
            "waits": PeopleUpload.objects.waiting(),
        }
        response = render(request, "people.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _block(choice: PeopleChoice) -> dict[str, object]:
    """What the part that changes with every filter shows."""
    today = history.day_of(timezone.now(), settings.BILLING_ZONE)
    pks = choice.chosen(today).numbers()
    tally = Person.objects.tally(today)
    shown = part_of(pks, place=choice.place, size=PAGE_SIZE)
    by_department = Person.objects.count_by_department()
    departments = {name or NONE: count for name, count in by_department.items()}
    gone = {name: 0 for name in choice.department if name not in departments}
    options = {
        "department": [
            Option(name, _department(name), count, name in choice.department)
            for name, count in sorted({**departments, **gone}.items(), key=_in_order)
        ],
        "state": [
            Option(THERE, STATES[THERE], tally.people - tally.left, THERE in choice.state),
            Option(LEFT, STATES[LEFT], tally.left, LEFT in choice.state),
        ],
    }
    return {
        "choice": choice,
        "total": tally.people,
        "tally": tally,
        "departments": len(departments.keys() - {NONE}),
        "count": len(pks),
        "shown": shown,
        "people": [
            (person, person.has_left(today))
            for person in Person.objects.numbered(shown.pks).by_name()
        ],
        "filters": [
            ("department", "Department", options["department"]),
            ("state", "State", options["state"]),
        ],
        "chips": _chips(choice),
        "cleared": PeopleChoice().address(),
        "steps": steps(shown, lambda place: choice.address(place=place)),
    }


def _chips(choice: PeopleChoice) -> list[tuple[str, str]]:
    """Each filter that is on, in words, and the address without it."""
    found = [(f"“{choice.q}”", choice.address(q=""))] if choice.q else []
    for name in choice.department:
        rest = tuple(other for other in choice.department if other != name)
        found.append((f"Department: {_department(name)}", choice.address(department=rest)))
    for name in choice.state:
        rest = tuple(other for other in choice.state if other != name)
        found.append((f"State: {STATES[name]}", choice.address(state=rest)))
    return found


def _department(name: str) -> str:
    return "None told" if name == NONE else name


def _in_order(each: tuple[str, int]) -> tuple[bool, str]:
    return each[0] == NONE, each[0].casefold()
