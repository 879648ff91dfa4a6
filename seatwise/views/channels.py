"""Channels: where alerts go besides the people's mail. Their addresses are shown to nobody."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from seatwise import alerts, tasks, vault
from seatwise.models import Channel, Delivery
from seatwise.views.shell import person, require_admin

HANDOVER = "channel_secret"  # whose secret is to be shown, once; the secret itself is not kept


@require_safe
@require_admin("see and change channels")
def page(request: HttpRequest) -> HttpResponse:
    """`?remove=NUMBER` and `?secret=NUMBER` open the dialogs without JavaScript, too."""
    return _page(request, {})


@require_POST
@require_admin("add channels")
def add(request: HttpRequest) -> HttpResponse:
    """What cannot be understood comes back with a sentence; the address is not said again."""
    told = request.POST
    kind, name = told.get("kind", ""), told.get("name", "")[:200]
    try:
        made = alerts.add_channel(kind, name, told.get("address", ""), by=person(request))
    except ValueError as error:
        return _page(request, {"error": str(error), "kind": kind, "name": name}, status=400)
    messages.success(request, f"{made.name} is added. Send it a test, then choose it in an alert.")
    return _hand_over(request, made)


@require_POST
@require_admin("test channels")
def test(request: HttpRequest, pk: int) -> HttpResponse:
    channel = _channel(pk)
    alerts.try_channel(channel, timezone.now())
    tasks.deliver_soon()
    messages.success(request, f"A test is on the way to {channel.name}. Look again in a moment.")
    return redirect("channels")


@require_POST
@require_admin("give channels a new secret")
def new_secret(request: HttpRequest, pk: int) -> HttpResponse:
    channel = _channel(pk)
    if channel.kind != Channel.Kind.WEBHOOK:
        messages.error(request, f"{channel.name} is no webhook: it has no secret but its address.")
        return redirect("channels")
    alerts.new_secret(channel)
    return _hand_over(request, channel)


@require_POST
@require_admin("remove channels")
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    channel = _channel(pk)
    alerts.remove_channel(channel)
    messages.success(request, f"{channel.name} is removed, and no alert tells it any more.")
    return redirect("channels")


def _page(request: HttpRequest, form: dict[str, str], status: int = 200) -> HttpResponse:
    channels = list(Channel.objects.with_use())
    last = Delivery.objects.of_channels(channels).newest_by("channel")
    context = {
        "channels": [(channel, last.get(channel.pk)) for channel in channels],
        "kinds": Channel.Kind.choices,
        "form": {"kind": Channel.Kind.SLACK, **form},
        "handover": _handover(request),
        "asked_to_remove": request.GET.get("remove", ""),
        "asked_for_secret": request.GET.get("secret", ""),
        "missing_mail": alerts.missing_mail(),
    }
    return render(request, "channels.html", context, status=status)


def _hand_over(request: HttpRequest, channel: Channel) -> HttpResponse:
    if channel.kind == Channel.Kind.WEBHOOK:
        request.session[HANDOVER] = channel.pk
    return redirect("channels")


def _handover(request: HttpRequest) -> dict[str, str] | None:
    """The secret that was just made, where it can be opened, and whose it is."""
    channel = Channel.objects.numbered(int(request.session.pop(HANDOVER, 0)))
    if channel is None:
        return None
    try:
        return {"name": channel.name, "secret": channel.unseal("secret")}
    except vault.CannotOpen:
        return None


def _channel(pk: int) -> Channel:
    channel = Channel.objects.numbered(pk)
    if channel is None:
        raise Http404("This channel is not there any more.")
    return channel
