"""What templates ask about members by file."""

from django import template

from seatwise.models import Service, Upload
from seatwise.sync import byfile

register = template.Library()


@register.simple_tag
def waiting_upload(service: Service) -> Upload | None:
    """The file of which nobody has said yet which column is what."""
    return Upload.objects.without_data().of_service(service.key)


@register.simple_tag
def no_file(service: Service) -> str:
    """Why its members cannot come from a file; "" where they can."""
    return byfile.hindrance(service)
