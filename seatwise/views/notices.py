"""What needs a person, told to admins on every page until each has put it aside."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from seatwise.models import Notice, User
from seatwise.views.shell import person, require_admin

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
    came_from = request.headers.get("Referer", "")
    there = urlsplit(came_from)
    ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()})
    query = f"?{there.query}" if there.query else ""
    return redirect(f"{there.path}{query}" if ours and there.path else "spend")


def _told_to(user: User) -> Told:
    notices = list(Notice.objects.told_to(user))
    news = [notice for notice in notices if not notice.is_aside] if user.is_admin else []
    return Told(
        bar=news[:SHOWN],
        more=max(0, len(news) - SHOWN),
        services=frozenset(notice.connection.service.key for notice in notices),
    )
