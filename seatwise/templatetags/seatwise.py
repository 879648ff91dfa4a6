"""What every template can say: when, how many, which chip, whose logo."""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from seatwise import icons, logos, pricing
from seatwise.models import Connection, Service, SyncRun
from seatwise.models.connection import State

register = template.Library()

UNKNOWN = "–"
JUST_NOW = "just now"
STATE_TONES = {
    State.ACTIVE: "ok",
    State.LIMITED: "warn",
    State.RETRYING: "warn",
    State.NEEDS_RECONNECT: "bad",
    State.DISCONNECTED: "neutral",
    State.BY_FILE: "neutral",
}
WORST_FIRST = (
    State.NEEDS_RECONNECT,
    State.RETRYING,
    State.LIMITED,
    State.DISCONNECTED,
    State.BY_FILE,
    State.ACTIVE,
)
AVATAR_COLOURS = 8


@register.simple_tag
def when(value: datetime | None, unknown: str = "unknown") -> SafeString:
    """`<time>` with "6 minutes ago", the exact UTC time in its title; None is `unknown`."""
    if value is None:
        return format_html('<span class="muted">{}</span>', unknown)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        value.isoformat(timespec="seconds"),
        f"{value:%Y-%m-%d %H:%M:%S}",
        ago(value, timezone.now()),
    )


@register.simple_tag
def since(value: datetime) -> SafeString:
    """ "since 6 minutes ago"; only "just now" for what has hardly begun."""
    said = when(value)
    return said if ago(value, timezone.now()) == JUST_NOW else format_html("since {}", said)


@register.simple_tag
def exactly(value: datetime | None) -> SafeString:
    """`<time>` with date and time in UTC, which the page's script turns to the viewer's zone."""
    if value is None:
        return format_html('<span class="muted">{}</span>', "unknown")
    return format_html(
        '<time datetime="{}" data-local>{} UTC</time>',
        value.isoformat(timespec="seconds"),
        f"{value:%Y-%m-%d %H:%M}",
    )


def ago(value: datetime, now: datetime) -> str:
    """How long before (or after) `now`, as one says it."""
    seconds = (now - value).total_seconds()
    if abs(seconds) < 60:
        return JUST_NOW if seconds >= 0 else "in a moment"
    words = _span(abs(seconds))
    if seconds < 0:
        return f"in {words}"
    return "yesterday" if words == "1 day" else f"{words} ago"


@register.filter
def number(value: float | None) -> str:
    """1,234; what is not known is a dash, never 0."""
    return UNKNOWN if value is None else str(intcomma(value))


@register.filter
def money(value: Decimal | None, currency: str) -> str:
    """ "US$1,234.50"; what is not known is a dash, never 0."""
    return UNKNOWN if value is None else pricing.words(value, currency)


@register.filter
def seats(value: Decimal) -> str:
    """ "12" or "12.5": whoever is in two teams counts half for each."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


@register.simple_tag
def chip(text: str, tone: str = "neutral", dot: bool = True, title: str = "") -> SafeString:
    """A chip in one of the tones ok, warn, bad, info, neutral."""
    return format_html(
        '<span class="chip chip--{}{}"{}>{}</span>',
        tone,
        " chip--dot" if dot else "",
        format_html(' title="{}"', title) if title else "",
        text,
    )


@register.simple_tag
def connection_chip(connection: Connection | None, account: str = "") -> SafeString:
    """How a service is connected, in one or two words; with `account`, which of several it is."""
    if connection is None:
        return chip("Not connected")
    state = State(connection.state)
    words, tone = state.label, STATE_TONES[state]
    if _is_syncing(connection):
        words, tone = "Syncing", "info"
    if not account:
        return chip(words, tone)
    return format_html(
        '<span class="chip chip--{} chip--dot" title="{}: {}"><bdi>{}</bdi>'
        '<span class="chip__state">: {}</span></span>',
        *(tone, account, words, account, words),
    )


@register.simple_tag
def accounts_chip(service: Service) -> SafeString:
    """How the several accounts of a service are connected: how many are, and the worst of the rest.

    The title counts every state; which account it is stands at the accounts below.
    """
    accounts = service.accounts
    counts = Counter(State(each.state) for each in accounts)
    said = [f"{counts[state]:,} {state.label.lower()}" for state in WORST_FIRST if counts[state]]
    worst = next(state for state in WORST_FIRST if counts[state])
    tone, syncing = STATE_TONES[worst], sum(map(_is_syncing, accounts))
    words = said[0]
    if len(counts) > 1:
        words = f"{counts[State.ACTIVE]:,} of {len(accounts):,} connected, {said[0]}"
    if syncing:
        said.append(f"{syncing:,} syncing now")
        if worst == State.ACTIVE:
            words, tone = f"{words}, {said[-1]}", "info"
    return chip(words, tone, title=", ".join(said))


@register.simple_tag
def newest_run(service: Service) -> SyncRun | None:
    """The sync that is going on, or the last one."""
    return SyncRun.objects.of(service).foremost()


@register.simple_tag
def logo(key: str, size: int = 40, name: str = "") -> SafeString:
    """A service's logo as inline SVG, `size` pixels wide; decorative, the name stands beside.

    Without a picture of its own it has the initials of `name`.
    """
    return logos.draw(key, size, name)


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """A line icon in the colour of its words; decorative, so the words stand beside it."""
    return icons.draw(name, size)


@register.simple_tag
def sort_arrow(now: str) -> SafeString:
    """Beside a column's name how it is sorted: `ascending`, `descending`, or not at all."""
    names = {"ascending": "arrow-up", "descending": "arrow-down"}
    return icons.draw(names[now], 13) if now in names else SafeString("")


@register.simple_tag
def avatar(name: str) -> SafeString:
    """A round tile with a person's initials; decorative, the name stands beside."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word]
    initials = "".join(word[0] for word in (words[:1] + words[1:][-1:]))
    colour = sum(name.encode()) % AVATAR_COLOURS + 1
    return format_html(
        '<span class="avatar avatar--{}" aria-hidden="true">{}</span>',
        colour,
        initials.upper() or "?",
    )


@register.simple_tag
def bar(percent: float, tone: str = "", label: str = "") -> SafeString:
    """A horizontal bar filled to `percent` of 100; without a label it is decorative."""
    return format_html(
        '<svg class="bar{}" viewBox="0 0 100 6" preserveAspectRatio="none" {}>'
        '<rect class="bar__fill" width="{}" height="6"/></svg>',
        f" bar--{tone}" if tone else "",
        format_html('role="img" aria-label="{}"', label)
        if label
        else SafeString('aria-hidden="true"'),
        max(0, min(100, round(percent, 1))),
    )


@register.simple_tag
def at(service: Service, name: str, **query: object) -> str:
    """The address of a page of this service, for the account that is shown; with `query`."""
    account = {"account": service.account_query.partition("=")[2]} if service.account_query else {}
    pairs = urlencode({**account, **{key: value for key, value in query.items() if value != ""}})
    return reverse(name, args=[service.key]) + (f"?{pairs}" if pairs else "")


@register.simple_tag
def at_account(service: Service, account: Connection, tab: str) -> str:
    """The same page of another account of the service."""
    name = "service_settings" if tab == "settings" else tab
    return f"{reverse(name, args=[service.key])}?account={account.pk}"


@register.filter
def tone(connection: Connection) -> str:
    """The tone of how a connection is doing: ok, warn, bad or neutral."""
    return STATE_TONES[State(connection.state)]


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """The mapping's value for a key that is in a variable."""
    return mapping.get(key)


def _is_syncing(connection: Connection) -> bool:
    run = connection.open_run
    return run is not None and not run.retry_at and connection.is_alive


def _span(seconds: float) -> str:
    for unit, length, until in (
        ("minute", 60, 3600),
        ("hour", 3600, 86_400),
        ("day", 86_400, 2 * 365 * 86_400),
    ):
        if seconds < until:
            count = int(seconds // length)
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{int(seconds // (365 * 86_400))} years"
