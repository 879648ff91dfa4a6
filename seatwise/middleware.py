"""The door-keeper: every address needs sign-in unless it says that it does not."""

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse

from seatwise.models import User

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def signed_in(get_response: GetResponse) -> GetResponse:
    """Sends strangers to sign-in (or, before there is anybody, to the first-run page)."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated or _is_open(request):
            response = get_response(request)
        else:
            response = _to_the_door(request)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return middleware


def _is_open(request: HttpRequest) -> bool:
    """Whether the address is for anybody (Django's own `login_not_required` marks it)."""
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return False
    open_to_all = not getattr(view, "login_required", True)
    keeps_open = getattr(view, "before_first_run", False)
    return open_to_all and (keeps_open or User.objects.exists())


def _to_the_door(request: HttpRequest) -> HttpResponseBase:
    door = settings.LOGIN_URL if User.objects.exists() else "first_run"
    if request.headers.get("HX-Request"):
        here = urlsplit(request.headers.get("HX-Current-URL", ""))
        page = urlunsplit(("", "", here.path, here.query, ""))
        address = redirect_to_login(page, door).url if page else reverse(door)
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    if door == settings.LOGIN_URL and request.method in {"GET", "HEAD"}:
        return redirect_to_login(request.get_full_path())
    return redirect(door)
