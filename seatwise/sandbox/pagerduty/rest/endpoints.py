"""Every address of the REST API: what answers there, and what one needs to be let in."""

from typing import Final

from ..company.people import LEADING
from . import (
    analytics,
    audit,
    contacts,
    directory,
    incidents,
    logs,
    oncalls,
    schedules,
    sessions,
    users,
)
from .answers import Answer, Body, Call, Need, missing

PEOPLE: Final = Need("users.read")
REACHED: Final = Need("users:contact_methods.read")
SEATS: Final = Need("licenses.read", roles=LEADING)
POWERS: Final = Need("abilities.read")
HAPPENED: Final = Need("incidents.read")
LOGGED: Final = Need("incidents.read", long=True)
TOLD: Final = Need("users:notifications.read", long=True)
SERVICES: Final = Need("services.read", long=True)
TEAMS: Final = Need("teams.read", ability="teams")
POLICIES: Final = Need("escalation_policies.read")
ROTAS: Final = Need("schedules.read", long=True)
DUTY: Final = Need("oncalls.read", sparing=8, long=True)
CHANGES: Final = Need(
    "audit_records.read", roles=LEADING, ability="audit_trail_reporting", long=True
)
SIGNED_IN: Final = Need("users:sessions.read")
DELEGATED: Final = Need("oauth_delegations.read")
COUNTED: Final = Need("analytics.write", daily=True, long=True)
COUNTED_ONE: Final = Need("analytics.read", daily=True, long=True)

ENDPOINTS: Final[tuple[tuple[str, str, Answer, Need], ...]] = (
    ("GET", "/users", users.list_users, PEOPLE),
    ("GET", "/incidents", incidents.list_incidents, HAPPENED),
    ("GET", "/log_entries", logs.list_log, LOGGED),
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
    ("GET", "/services", directory.list_services, SERVICES),
    ("GET", "/services/{id}", directory.one_service, SERVICES),
    ("GET", "/teams", directory.list_teams, TEAMS),
    ("GET", "/teams/{id}", directory.one_team, TEAMS),
    ("GET", "/teams/{id}/members", directory.list_members, TEAMS),
    ("GET", "/escalation_policies", directory.list_policies, POLICIES),
    ("GET", "/escalation_policies/{id}", directory.one_policy, POLICIES),
    ("GET", "/schedules", schedules.list_schedules, ROTAS),
    ("GET", "/schedules/{id}", schedules.one_schedule, ROTAS),
    ("GET", "/schedules/{id}/users", schedules.list_schedule_users, PEOPLE),
    ("GET", "/schedules/{id}/overrides", schedules.list_overrides, ROTAS),
    ("GET", "/oncalls", oncalls.list_oncalls, DUTY),
    ("GET", "/audit/records", audit.list_records, CHANGES),
    ("GET", "/users/{id}/audit/records", audit.list_user_records, CHANGES),
    ("GET", "/users/{id}/sessions", sessions.list_sessions, SIGNED_IN),
    ("GET", "/users/{id}/sessions/{type}/{session_id}", sessions.one_session, SIGNED_IN),
    ("GET", "/users/{id}/oauth_delegations", sessions.list_delegations, DELEGATED),
    ("GET", "/users/{id}/oauth_delegations/{delegation_id}", sessions.one_delegation, DELEGATED),
    ("POST", "/analytics/raw/users", analytics.raw_users, COUNTED),
    ("POST", "/analytics/raw/incidents", analytics.raw_incidents, COUNTED),
    ("GET", "/analytics/raw/incidents/{id}", analytics.one_raw_incident, COUNTED_ONE),
    ("POST", "/analytics/metrics/incidents/all", analytics.metrics_all, COUNTED),
    ("POST", "/analytics/metrics/incidents/services", analytics.metrics_services, COUNTED),
    ("POST", "/analytics/metrics/incidents/teams", analytics.metrics_teams, COUNTED),
    ("POST", "/analytics/metrics/responders/all", analytics.metrics_responders, COUNTED),
    ("POST", "/analytics/metrics/users/all", analytics.metrics_users, COUNTED),
)


def _nothing(_call: Call) -> Body:
    raise missing()


NOTHING: Final[tuple[tuple[str, str, Answer, Need], ...]] = tuple(
    (method, "/{path:path}", _nothing, Need()) for method in ("GET", "POST")
)
