"""The permissions an app can ask for, and what each says on the consent page."""

from typing import Final

SCOPES: Final = {
    "users.read": "Read the people of the account, their roles and teams",
    "users:contact_methods.read": "Read how people can be reached",
    "licenses.read": "Read the licences and who holds them",
    "abilities.read": "Read what the account's plan can do",
    "incidents.read": "Read incidents, their alerts and their logs",
    "users:notifications.read": "Read the notifications that were sent to people",
    "oncalls.read": "Read who is on call",
    "schedules.read": "Read the on-call schedules",
    "escalation_policies.read": "Read the escalation policies",
    "services.read": "Read the services",
    "teams.read": "Read the teams",
    "audit_records.read": "Read the audit trail of configuration changes",
    "users:sessions.read": "Read when people signed in",
    "oauth_delegations.read": "Read which apps and devices people use",
    "analytics.read": "Read the analytics of one incident",
    "analytics.write": "Run analytics queries (this permission only reads)",
}
CLASSIC_SCOPES: Final = {
    "read": "Read everything that you may read yourself",
    "write": "Read and change everything that you may change yourself",
}
