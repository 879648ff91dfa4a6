"""The door-keeper: every address needs sign-in unless it says that it does not."""

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse

from seatwise import audit
from seatwise.models import User
from seatwise.models.audit_event import Action

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class Compressed(GZipMiddleware):
    """Compresses text, also while it streams, and adds bytes by chance, so that the length of a
    page tells less about what stands in it. A file that is packed already stays as it is."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not response.headers.get("Content-Type", "").startswith("text/"):
            return response
        return super().process_response(request, response)


class Attributed:
    """Tells the audit trail who asks and from where, and writes down what was refused."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        person = request.user if isinstance(request.user, User) else None
        with audit.acting(_client(request), user=person, who=audit.STRANGER):
            return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Of the same refusal, one event a minute for each person and address."""
        match = request.resolver_match
        if isinstance(exception, PermissionDenied) and match is not None:
            place = f"{request.method} {match.url_name}"
            if audit.is_news(place):
                service = "" if "uidb36" in match.kwargs else str(match.kwargs.get("key", ""))[:60]
                audit.record(
                    Action.ACCESS_DENIED, service=service, about=place, said=str(exception)
                )


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


def _client(request: HttpRequest) -> str:
    """The visitor's address, as the sign-in limits count it; "" where it is not told."""
    try:
        return str(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        return ""


def _is_open(request: HttpRequest) -> bool:
    """Whether the address is for anybody (Django's own `login_not_required` marks it)."""
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return False
    open_to_all = not getattr(view, "login_required", True)
    keeps_open = getattr(view, "before_first_run", False)
    return open_to_all and (keeps_open or User.objects.exists())


def _place(request: HttpRequest) -> str:
    """Where to go on after sign-in. A vendor's answer is not carried along: its code and state
    would stand in our own addresses, and they belong to a session that is over."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return request.get_full_path()
    back = match.view_name == "callback"
    return f"{request.path}?session=ended" if back else request.get_full_path()


def _to_the_door(request: HttpRequest) -> HttpResponseBase:
    door = settings.LOGIN_URL if User.objects.exists() else "first_run"
    if request.headers.get("HX-Request"):
        here = urlsplit(request.headers.get("HX-Current-URL", ""))
        page = urlunsplit(("", "", here.path, here.query, ""))
        address = redirect_to_login(page, door).url if page else reverse(door)
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    if door == settings.LOGIN_URL and request.method in {"GET", "HEAD"}:
        return redirect_to_login(_place(request))
    return redirect(door)
