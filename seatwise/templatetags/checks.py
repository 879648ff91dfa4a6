"""What templates say of the checks of a connection."""

from collections.abc import Sequence
from typing import Any

from django import template

from seatwise import connections

register = template.Library()

ORDER = {"limited": 0, "unknown": 1}  # then what is fine


@register.filter
def worst_first(checks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What somebody may want to act on stands on top, where no scrolling hides it."""
    return sorted(checks, key=lambda check: ORDER.get(check["verdict"], len(ORDER)))


@register.filter
def in_short(checks: Sequence[dict[str, Any]]) -> str:
    """ "9 of 10 are as they should be; not: Last sign-ins." """
    return connections.summary([(check["name"], check["verdict"]) for check in checks])
