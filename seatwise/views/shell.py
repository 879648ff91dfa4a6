"""What the pages share: the frame around them, who may change things, and which service."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme

from seatwise.models import Service, User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def shell(request: HttpRequest) -> dict[str, Any]:
    """For every template: the menu, where one is in it, and whom a viewer can ask."""
    match = getattr(request, "resolver_match", None)
    signed_in = getattr(request, "user", None) is not None and request.user.is_authenticated
    return {
        "place": match and (match.kwargs.get("key") or match.url_name),
        "admins": User.objects.admins().names if signed_in else "",
    }


def require_admin(what: str) -> Callable[[View[P]], View[P]]:
    """Refuses everybody else with a page that says who can: "Only an admin can `what`."."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not is_admin(request):
                raise PermissionDenied(f"Only an admin can {what}.")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def person(request: HttpRequest) -> User:
    """Who is signed in; the middleware lets nobody else through."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


def is_admin(request: HttpRequest) -> bool:
    return person(request).is_admin


def came_from(request: HttpRequest) -> str | None:
    """Our own page that somebody comes from, its path with the query; None where it is none of
    ours, or where nothing tells.

    A browser says it, and whoever made the page that sent somebody here can have made it up.
    """
    told = request.headers.get("Referer", "")
    try:
        there = urlsplit(told)
    except ValueError:
        return None
    path = f"{there.path}?{there.query}" if there.query else there.path
    is_ours = url_has_allowed_host_and_scheme(told, {request.get_host()})
    # A path that begins with two slashes would name a host again.
    is_path = path.startswith("/") and url_has_allowed_host_and_scheme(path, None)
    return path if is_ours and is_path else None


def service_or_404(key: str) -> Service:
    """With its connections and their open syncs."""
    return get_object_or_404(Service.objects.for_table(), key=key)


def one_account(request: HttpRequest, key: str) -> Service:
    """The service, showing one account: the one that `account` numbers, else its first.

    Only for looking: whoever changes something asks `named_account`.
    """
    service = service_or_404(key)
    service.choose(request.GET.get("account", ""))
    return service


def asked_accounts(request: HttpRequest, key: str) -> Service:
    """The service, showing the account that `account` numbers, or all where it numbers none."""
    service = service_or_404(key)
    if request.GET.get("account", "") in {str(each.pk) for each in service.accounts}:
        service.choose(request.GET["account"])
    return service


def named_account(request: HttpRequest, key: str) -> Service:
    """The service, showing the account that a form names; another one is never taken for it.

    Raises Http404 where it is not there (any more), BadRequest where one of several must be named.
    """
    service = service_or_404(key)
    number = request.POST.get("account", "")
    if number and number not in {str(each.pk) for each in service.accounts}:
        raise Http404("This account is not there any more. Nothing was changed.")
    if not number and service.has_several:
        raise BadRequest("There are several accounts; say which one is meant.")
    service.choose(number)
    return service
