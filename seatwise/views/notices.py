"""What needs a person, told to admins on every page until each has put it aside."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from seatwise.models import Notice, User
from seatwise.views.shell import came_from, person, require_admin

SHOWN = 2


@dataclass(frozen=True, slots=True)
class Told:
    """What is open: for the bar on top of a page, and for the menu's dots."""

    bar: list[Notice] = field(default_factory=list)
    more: int = 0  # that the bar leaves out
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
    return Told(
        bar=news[:SHOWN],
        more=max(0, len(news) - SHOWN),
        services=frozenset(notice.connection.service.key for notice in notices),
    )
