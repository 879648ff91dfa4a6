"""The services in the menu: the few that matter most to whoever looks, and how many there are."""

from dataclasses import dataclass

from django import template
from django.template import Context

from seatwise.models import Service, User
from seatwise.models.service import MenuLine

register = template.Library()

MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Menu:
    """What the menu lists of the services."""

    shown: list[MenuLine]  # by name
    total: int
    hides_trouble: bool  # whether one that is not listed needs somebody

    @property
    def has_more(self) -> bool:
        return self.total > len(self.shown)


@register.simple_tag(takes_context=True)
def services_menu(context: Context) -> Menu:
    """The service one is at, those that need somebody, one's own, then those with an account.

    Nothing for somebody who is not signed in. Give the context's `told` and `place`.
    """
    user = context.get("user")
    if not isinstance(user, User):
        return Menu([], 0, hides_trouble=False)
    told = context.get("told")
    troubled: frozenset[str] = told().services if told else frozenset()
    here = context.get("place")

    def importance(service: MenuLine) -> tuple[bool, ...]:
        return (
            service.key != here,
            service.key not in troubled,
            service.owner_id != user.pk,
            not service.is_connected,
        )

    by_name = Service.objects.for_menu()
    foremost = {service.key for service in sorted(by_name, key=importance)[:MOST_SHOWN]}
    shown = [service for service in by_name if service.key in foremost]
    hidden = troubled - {service.key for service in shown}
    return Menu(shown, len(by_name), bool(hidden))
