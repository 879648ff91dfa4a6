"""How pages write down who somebody is."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def email(address: str) -> SafeString:
    """Where it is too long for its line, it breaks behind the @ and not within a word."""
    name, at, host = address.rpartition("@")
    return format_html("{}{}<wbr>{}", name, at, host) if at else format_html("{}", host)
