"""Every address of the REST API: what answers there, and what one needs to be let in."""

from typing import Final

from . import contacts, incidents, logs, users
from .answers import Answer, Body, Call, Need, missing
from .people import LEADING

PEOPLE: Final = Need("users.read")
REACHED: Final = Need("users:contact_methods.read")
SEATS: Final = Need("licenses.read", roles=LEADING)
POWERS: Final = Need("abilities.read")
HAPPENED: Final = Need("incidents.read")
TOLD: Final = Need("users:notifications.read")

ENDPOINTS: Final[tuple[tuple[str, str, Answer, Need], ...]] = (
    ("GET", "/users", users.list_users, PEOPLE),
    ("GET", "/incidents", incidents.list_incidents, HAPPENED),
    ("GET", "/log_entries", logs.list_log, HAPPENED),
    ("GET", "/notifications", logs.list_notifications, TOLD),
    ("GET", "/license_allocations", users.list_allocations, SEATS),
    ("GET", "/licenses", users.list_licenses, SEATS),
    ("GET", "/abilities", users.list_abilities, POWERS),
    ("GET", "/abilities/{name}", users.one_ability, POWERS),
    ("GET", "/users/me", users.me, Need()),
    ("GET", "/users/{id}", users.one_user, PEOPLE),
    ("GET", "/users/{id}/contact_methods", contacts.list_contact_methods, REACHED),
    ("GET", "/users/{id}/notification_rules", contacts.list_rules, REACHED),
    ("GET", "/users/{id}/license", users.user_license, Need("licenses.read")),
    ("GET", "/incidents/{id}", incidents.one_incident, HAPPENED),
    ("GET", "/incidents/{id}/alerts", incidents.list_alerts, HAPPENED),
    ("GET", "/incidents/{id}/alerts/{alert_id}", incidents.one_alert, HAPPENED),
    ("GET", "/incidents/{id}/log_entries", logs.list_incident_log, HAPPENED),
    ("GET", "/log_entries/{id}", logs.one_log_entry, HAPPENED),
)


def _nothing(_call: Call) -> Body:
    raise missing()


NOTHING: Final[tuple[tuple[str, str, Answer, Need], ...]] = tuple(
    (method, "/{path:path}", _nothing, Need()) for method in ("GET", "POST")
)
