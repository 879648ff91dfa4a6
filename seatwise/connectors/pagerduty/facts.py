"""What is fixed about PagerDuty: addresses, permissions, roles, metrics, words."""

from collections.abc import Mapping

from seatwise.connectors.base import (
    Config,
    MetricInfo,
    OAuthApp,
    RoleInfo,
    Scope,
    Setting,
    seconds_in,
)
from seatwise.connectors.http import hosts_of

SETTINGS = (
    Setting("CLIENT_ID", "The client id of the app registered in PagerDuty"),
    Setting("CLIENT_SECRET", "The client secret of that app", secret=True),
    Setting(
        "IDENTITY_URL",
        "Where people authorize, for every region",
        default="https://identity.pagerduty.com",
        is_url=True,
    ),
    Setting(
        "API_URL",
        "The REST API of the US region",
        default="https://api.pagerduty.com",
        is_url=True,
    ),
    Setting(
        "API_URL_EU",
        "The REST API of the EU region",
        default="https://api.eu.pagerduty.com",
        is_url=True,
    ),
    Setting(
        "REFRESH_GRACE",
        "Seconds for which PagerDuty is known to take a replaced refresh token; empty: unknown",
        default="",
        is_seconds=True,
    ),
)

# Optional scopes, of which each opens one kind of evidence.
ANALYTICS, AUDIT = "analytics.write", "audit_records.read"
DELEGATIONS, SESSIONS = "oauth_delegations.read", "users:sessions.read"

SCOPES = (
    Scope(
        "openid",
        "Which account and region",
        "to read the right account, and never mix two",
        loses="The account is known by its name only, and counts as another once it is renamed.",
        required=True,
        of_person=True,
    ),
    Scope(
        "users.read",
        "Members, roles and pending invitations",
        "who holds a seat",
        loses="Nothing is read: all the rest is told of members.",
        required=True,
    ),
    Scope(
        "licenses.read",
        "Licences and who holds which",
        "which seats are paid for, and free",
        loses="Licences and free seats stay unknown; members are read all the same.",
    ),
    Scope(
        "abilities.read",
        "What the account's plan includes",
        "to say early what is missing",
        loses="What the plan lacks stays unknown until something is refused; nothing else depends"
        " on it.",
    ),
    Scope(
        "incidents.read",
        "Incidents, their alert counts and their log",
        "monthly usage, and who acted when",
        loses="Incidents and alerts stay unknown, and so does who acted on them, which is what"
        " last seen is made of; notifications are counted all the same where they are granted.",
    ),
    Scope(
        "users:notifications.read",
        "Notifications sent by SMS, phone, e\u2011mail and push",
        "billable alerts; phone numbers and addresses are not kept",
        loses="Notifications are counted from the log where incidents.read is granted: the same"
        " numbers with more requests. Without both they stay unknown, and billable alerts too.",
    ),
    Scope(
        ANALYTICS,
        "The last sign-in of each member",
        "who signs in without acting on incidents; PagerDuty asks for this permission for every"
        " question to its analytics, though Seatwise only reads there",
        optional=True,
        loses="Last seen is known of those who act on incidents. Of whoever only looks, most"
        " Stakeholders for instance, it stays unknown.",
    ),
    Scope(
        AUDIT,
        "Who changed the configuration, and when",
        "who works on schedules and services, and not on incidents",
        optional=True,
        loses="A change of the configuration does not count as having been seen.",
    ),
    Scope(
        DELEGATIONS,
        "When a person signed in with a browser or the mobile app",
        "the last sign-in where analytics may not be read, of up to fifty people a day",
        optional=True,
        loses="Nothing where analytics.write is granted; else sign-ins stay unknown.",
    ),
    Scope(
        SESSIONS,
        "When a person's present sessions began",
        "the same, as PagerDuty told it before there were delegations",
        optional=True,
        loses="Nothing where analytics.write or oauth_delegations.read is granted; else sign-ins"
        " stay unknown.",
    ),
    Scope(
        "schedules.read",
        "Who is on which schedule",
        "nobody on duty is called idle, and whoever is on none may not need a full seat",
        optional=True,
        loses="No full seat is proposed to become a Stakeholder's; duty is read with all three of"
        " schedules, policies and on-calls only.",
    ),
    Scope(
        "escalation_policies.read",
        "Whom the escalation policies call by name",
        "the same, for who is called without a schedule",
        optional=True,
        loses="The same as without schedules.read.",
    ),
    Scope(
        "oncalls.read",
        "Who is on call, and by which kinds of contact they are reached",
        "who is on call and cannot be woken; no address and no number is kept",
        optional=True,
        loses="The same as without schedules.read.",
    ),
)
DUTY = frozenset({"schedules.read", "escalation_policies.read", "oncalls.read"})
CLASSIC = frozenset({"read", "write"})  # of a person: either opens all that they may read
SIGN_INS = frozenset({ANALYTICS, "write"})  # either of them opens analytics

ROLES: Mapping[str, RoleInfo] = {
    role.word: role
    for role in (
        RoleInfo("owner", "Account Owner", "full", 0),
        RoleInfo("admin", "Global Admin", "full", 1),
        RoleInfo("user", "Manager", "full", 2),
        RoleInfo("limited_user", "Responder", "full", 3),
        RoleInfo("observer", "Observer", "full", 4),
        RoleInfo("restricted_access", "Restricted Access", "full", 5),
        RoleInfo("read_only_user", "Stakeholder", "stakeholder", 6),
        RoleInfo("read_only_limited_user", "Limited Stakeholder", "stakeholder", 7),
    )
}
ADMIN_ROLES = frozenset({"owner", "admin"})

CHANNELS = ("sms", "phone", "email", "push")

THE_LONG_WAY = (
    "Notifications are counted from the log: the numbers are the same, but take about one request"
    " for every hundred lines of it."
)

METRICS = (
    MetricInfo(
        "incidents",
        "Incidents",
        "Incidents created in the month, whatever became of them.",
        "GET /incidents",
    ),
    MetricInfo(
        "alerts",
        "Alerts",
        "Alerts grouped under the month's incidents. An open incident can still gain some,"
        " so its month stays provisional.",
        "GET /incidents",
    ),
    MetricInfo(
        "billable_alerts",
        "Billable alerts",
        "An estimate: notifications by SMS and phone together. PagerDuty publishes no definition"
        " any more; invoices charge these two channels beyond the plan's allowance.",
        "GET /notifications",
        estimate=True,
    ),
    MetricInfo(
        "billable_alerts_home",
        "Billable alerts at home",
        "An estimate: those of the billable alerts that went to numbers of the home country, or"
        " to numbers that are not written internationally. Only there when a home country code"
        " was given.",
        "GET /notifications",
        estimate=True,
        by_home=True,
    ),
    MetricInfo(
        "billable_alerts_abroad",
        "Billable alerts abroad",
        "An estimate: those of the billable alerts that went to an international number with"
        " another country code than the home country's. Only there when a home country code was"
        " given.",
        "GET /notifications",
        estimate=True,
        by_home=True,
    ),
    MetricInfo(
        "notifications_sms",
        "SMS notifications",
        "Text messages PagerDuty sent to people in the month.",
        "GET /notifications",
    ),
    MetricInfo(
        "notifications_phone",
        "Phone notifications",
        "Phone calls PagerDuty made to people in the month.",
        "GET /notifications",
    ),
    MetricInfo(
        "notifications_email",
        "E-mail notifications",
        "E-mails about incidents PagerDuty sent to people in the month.",
        "GET /notifications",
    ),
    MetricInfo(
        "notifications_push",
        "Push notifications",
        "Notifications PagerDuty sent to its mobile app in the month.",
        "GET /notifications",
    ),
)
USAGE_HEADLINE = ("alerts", "incidents", "billable_alerts")

_INCIDENTS, _NOTIFICATIONS = ("incidents.read",), ("users:notifications.read",)


def _with_classic(*ways: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    """Those sets of scopes, or one of the two that open all that a person may read."""
    return tuple(frozenset(way) for way in (*ways, ("read",), ("write",)))


READS: Mapping[str, tuple[frozenset[str], ...]] = {
    "members": _with_classic(("users.read",)),
    "licences": _with_classic(("licenses.read",)),
    "activity": _with_classic(
        _INCIDENTS,
        ("analytics.write",),
        (AUDIT,),
        ("users.read", DELEGATIONS),
        ("users.read", SESSIONS),
    ),
    "incidents": _with_classic(_INCIDENTS),
    "alerts": _with_classic(_INCIDENTS),
    **{f"notifications_{name}": _with_classic(_NOTIFICATIONS, _INCIDENTS) for name in CHANNELS},
    **{
        name: _with_classic(_NOTIFICATIONS, _INCIDENTS)
        for name in ("billable_alerts", "billable_alerts_home", "billable_alerts_abroad")
    },
}

SOURCES: Mapping[str, str] = {
    "signed_in": "signed in",
    "acknowledged": "acknowledged an incident",
    "resolved": "resolved an incident",
    "triggered": "opened an incident",
    "assigned": "reassigned an incident",
    "escalated": "escalated an incident",
    "annotated": "wrote a note on an incident",
    "other_action": "changed an incident",
    "configured": "changed the configuration",
}

AUTHORIZER = (
    "An Account Owner or Global Admin of the PagerDuty account. Others can authorize too,"
    " but then licences cannot be read."
)
REMOVAL = (
    "In PagerDuty, open your own profile, find the apps that you authorized, and remove"
    " Seatwise there. An admin can also remove the app itself under App Registration."
)
EVIDENCE = (
    "Last seen is the newest action on an incident: acknowledging, resolving, reassigning,"
    " escalating, writing a note. Signing in or looking at a page leaves no trace that the usual"
    " permissions can read, so a Stakeholder is mostly unknown. Where more was granted, sign-ins"
    f" (analytics.write, {DELEGATIONS}, {SESSIONS}) and changes of the configuration ({AUDIT})"
    " count, too. Being paged or being on call is duty, not presence, and never counts."
)

WANTED_ABILITIES: Mapping[str, tuple[str, str]] = {  # to a name, and what its absence means
    "read_only_users": ("Stakeholders", "Stakeholder seats are not part of this account."),
    "service_support_hours": (
        "Support hours",
        "Support hours of services are not part of this account.",
    ),
}

REGIONS: Mapping[str, str] = {"US": "API_URL", "EU": "API_URL_EU"}  # to the setting's name
_PUBLIC_IDENTITY = "https://identity.pagerduty.com"
_PUBLIC_APP = "https://app.pagerduty.com"
_ISSUER_PATH = "/global/oauth/anonymous"


def base_url(config: Config, name: str) -> str:
    """The address in a setting, or its default, without a slash at the end."""
    default = next((s.default for s in SETTINGS if s.name == name), None)
    return (config.get(name) or default or "").rstrip("/")


def oauth_app(config: Config) -> OAuthApp:
    """The addresses where people authorize, and our client there. Raises ValueError."""
    identity = base_url(config, "IDENTITY_URL")
    return OAuthApp(
        client_id=config.get("CLIENT_ID", ""),
        client_secret=config.get("CLIENT_SECRET", ""),
        authorize_url=f"{identity}/oauth/authorize",
        token_url=f"{identity}/oauth/token",
        revoke_url=f"{identity}/oauth/revoke",
        hosts=hosts_of(identity),
        issuers=frozenset(believed_issuers(config)),
        grace=seconds_in(config.get("REFRESH_GRACE", "")),
    )


def issuer(config: Config) -> str:
    """Where discovery is found, and the first of the issuers that are believed."""
    return base_url(config, "IDENTITY_URL") + _ISSUER_PATH


def believed_issuers(config: Config) -> list[str]:
    """PagerDuty prints its issuer in two ways; both are believed, and nothing else."""
    return [issuer(config), _PUBLIC_IDENTITY + _ISSUER_PATH, _PUBLIC_APP + _ISSUER_PATH]


def key_hosts(config: Config) -> frozenset[str]:
    """Where the signing keys may be fetched; no token is ever sent along."""
    return hosts_of(base_url(config, "IDENTITY_URL"), _PUBLIC_IDENTITY, _PUBLIC_APP)
