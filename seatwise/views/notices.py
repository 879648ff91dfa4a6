"""What needs a person, told to admins on every page until each has put it aside."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from seatwise.models import Notice, User
from seatwise.views.shell import came_from, person, require_admin

SHOWN = 2
MOST_NAMED = 6  # services with what the bar leaves out, each with the way to it


@dataclass(frozen=True, slots=True)
class Concerned:
    """A service, and how many of its accounts need somebody."""

    key: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Told:
    """What is open: for the bar on top of a page, and for the menu's dots."""

    bar: list[Notice] = field(default_factory=list)
    count: int = 0  # of what is not put aside
    summary: list[Concerned] = field(default_factory=list)  # where all of that is
    more: int = 0  # that the bar leaves out
    rest: list[Concerned] = field(default_factory=list)  # where those are,
    hidden: int = 0  # and at how many services beside
    services: frozenset[str] = frozenset()  # keys of those that need somebody


def told(request: HttpRequest) -> dict[str, Callable[[], Told]]:
    """For every template: asked once a page, and only by those that show it."""
    user = getattr(request, "user", None)
    return {"told": cache(lambda: _told_to(user) if isinstance(user, User) else Told())}


@require_POST
@require_admin("put a notice aside")
def seen(request: HttpRequest, pk: int) -> HttpResponse:
    """For this person only; the same trouble is not told to them again."""
    get_object_or_404(Notice, pk=pk).seen_by.add(person(request))
    return redirect(came_from(request) or "spend")


def _told_to(user: User) -> Told:
    notices = list(Notice.objects.told_to(user))
    news = [notice for notice in notices if not notice.is_aside] if user.is_admin else []
    rest = _concerned(news[SHOWN:])
    return Told(
        bar=news[:SHOWN],
        count=len(news),
        summary=_concerned(news)[:MOST_NAMED],
        more=max(0, len(news) - SHOWN),
        rest=rest[:MOST_NAMED],
        hidden=max(0, len(rest) - MOST_NAMED),
        services=frozenset(notice.connection.service.key for notice in notices),
    )


def _concerned(notices: Iterable[Notice]) -> list[Concerned]:
    """Each service once, in the order of its newest notice."""
    services = [notice.connection.service for notice in notices]
    names = {service.key: service.name for service in services}
    counts = Counter(service.key for service in services)
    return [Concerned(key, names[key], count) for key, count in counts.items()]
