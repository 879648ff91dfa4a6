"""A large installation, written straight into the tables: what the pages are measured with."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

MEMBERS: Final = 100_000  # of the one large service, those who left included
SERVICES: Final = 300  # the large one included
FEW: Final = 100  # members of each of the others
MONTHS: Final = 24
LARGE: Final = "pagerduty"


@dataclass(frozen=True, slots=True)
class Estate:
    """What was built, as far as somebody needs to know it who asks for its pages."""

    cookies: list[str]  # of people who are signed in, the first of them an admin
    members: int
    member: int  # the number of one of them


def build(people: int) -> Estate:
    """Builds it in an empty database, with so many people who are signed in."""
    from django.db import connection as database
    from django.utils import timezone

    now = timezone.now()
    with database.cursor() as cursor:
        for statement in STATEMENTS:
            given: dict[str, Any] = {
                "now": now,
                "large": LARGE,
                "services": SERVICES - 1,
                "members": MEMBERS,
                "few": FEW,
                "two_years": timedelta(days=730),
                "this_month": date(now.year, now.month, 1),
                "months": MONTHS,
            }
            cursor.execute(statement, given)
    with database.cursor() as cursor:
        cursor.execute(SOMEONE, {"large": LARGE})
        someone = int(cursor.fetchone()[0])
    cookies = [_signed_in(number) for number in range(people)]
    return Estate(cookies, members=MEMBERS, member=someone)


def _signed_in(number: int) -> str:
    """A person, and the cookie of a browser that is signed in."""
    from django.test import Client

    from seatwise.models import User

    role = "viewer" if number else "admin"
    email = f"person{number}@example.com"
    client = Client()
    client.force_login(User.objects.create_user(email, None, name=f"Person {number}", role=role))
    return client.cookies["sessionid"].value


SOMEONE: Final = """
    SELECT member.id FROM seatwise_member member JOIN seatwise_signal signal
        ON signal.member_id = member.id AND signal.source = 'resolved'
    JOIN seatwise_connection connection ON connection.id = connection_id
    WHERE account_id = %(large)s AND left_at IS NULL ORDER BY member.id LIMIT 1
"""
STATEMENTS: Final = (
    """
    INSERT INTO seatwise_service (key, name, vendor, category, website, added_at)
    SELECT %(large)s, 'PagerDuty', 'PagerDuty', 'Incident response', '', %(now)s
    UNION ALL
    SELECT 'service-' || n, 'Service ' || n, 'Vendor ' || n, 'Category ' || n %% 20, '', %(now)s
    FROM generate_series(1, %(services)s) n
    """,
    """
    INSERT INTO seatwise_connection (service_id, state, account_id, account_name, region, api_url,
        granted_by, granted_role, scopes, access_token, refresh_token, account_gaps, sync_gaps,
        attention, remedy, revocation, connected_at, members_as_of, members_whole_at,
        licenses_as_of, usage_as_of, activity_as_of, activity_since)
    SELECT id, CASE WHEN key = %(large)s OR id %% 10 > 1 THEN 'active' ELSE 'by_file' END, key,
        'harbor-' || key, 'US', 'https://api.example.com', '', '', '{}', '', '', '[]', '[]',
        '', '', '', %(now)s - %(two_years)s, %(now)s, %(now)s, %(now)s, %(now)s, %(now)s,
        %(now)s - %(two_years)s
    FROM seatwise_service
    """,
    """
    INSERT INTO seatwise_licensepool (connection_id, external_id, name, kind, used, available,
        description, as_of)
    SELECT connection.id, name, name, kind, NULL, NULL, '', %(now)s
    FROM seatwise_connection connection
    CROSS JOIN (VALUES ('Business', 'full'), ('Digital Operations', 'full'),
                       ('Professional', 'full'), ('Stakeholder', 'stakeholder')) pool(name, kind)
    """,
    # By n: names as people search for them, roles and licences as unevenly spread as they are.
    """
    INSERT INTO seatwise_member (connection_id, external_id, email, name, role, invited, url,
        job_title, teams, first_listed_at, joined_at, left_at, last_seen_at, last_seen_source,
        last_seen_proof, never_source, never_read_at, license_id)
    SELECT connection.id, 'P' || n, lower(first) || '.' || lower(last) || '.' || n
        || '@harbor.example', first || ' ' || last,
        CASE WHEN n %% 97 = 0 THEN 'admin' WHEN n %% 7 = 0 THEN 'read_only_user'
             WHEN n %% 5 = 0 THEN 'limited_user' WHEN n %% 11 = 0 THEN 'observer'
             WHEN n = 1 THEN 'owner' ELSE 'user' END,
        n %% 53 = 0, 'https://harbor.example/users/P' || n, 'Engineer',
        ARRAY['Team ' || n %% 50], since.at, CASE WHEN n %% 3 = 0 THEN since.at END,
        CASE WHEN n %% 12 = 0 THEN %(now)s - n %% 700 * interval '1 day' END,
        seen.at, CASE WHEN seen.at IS NULL THEN '' ELSE 'acknowledged' END,
        CASE WHEN seen.at IS NULL THEN '' ELSE 'acknowledged incident #' || n END,
        CASE WHEN n %% 19 = 0 THEN 'signed_in' ELSE '' END,
        CASE WHEN n %% 19 = 0 THEN %(now)s END, pool.id
    FROM seatwise_connection connection
    CROSS JOIN LATERAL generate_series(
        1, CASE WHEN account_id = %(large)s THEN %(members)s ELSE %(few)s END) n
    CROSS JOIN LATERAL (SELECT
        (ARRAY['Anna', 'Ben', 'Chloé', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hana', 'Ivan', 'José',
               'Katarzyna', 'Liam', 'Maria', 'Noor', 'Oskar', 'Priya', 'Quentin', 'Rosa', 'Søren',
               'Tomas', 'Usha', 'Viktor', 'Wei', 'Ximena', 'Yusuf', 'Zoë'])[1 + n * 7 %% 26]
        AS first,
        (ARRAY['Almeida', 'Bauer', 'Chen', 'Dubois', 'Eriksson', 'Fischer', 'García', 'Haddad',
               'Ito', 'Jensen', 'Kowalski', 'Lopez', 'Müller', 'Nakamura', 'O''Brien', 'Petrov',
               'Quinn', 'Rossi', 'Schmidt', 'Tanaka', 'Usman', 'Varga', 'Wang', 'Xu', 'Young',
               'Zimmermann', 'Okafor', 'Novak', 'Larsen', 'Silva', 'Singh'])[1 + n * 13 %% 31]
        || CASE n %% 3 WHEN 0 THEN '-' || upper(substr(md5(n::text), 1, 1))
                       || substr(md5(n::text), 2, 4) ELSE '' END AS last) person
    CROSS JOIN LATERAL (SELECT %(now)s - %(two_years)s * (n * 31 %% 1000) / 1000 AS at) since
    CROSS JOIN LATERAL (SELECT CASE WHEN n %% 53 = 0 OR n %% 19 = 0 OR n %% 9 = 0 THEN NULL
        ELSE %(now)s - (n * 17 %% 1000) * (n * 17 %% 1000) * interval '13 second'
             - n * interval '1 millisecond' END AS at) seen
    LEFT JOIN seatwise_licensepool pool ON pool.connection_id = connection.id AND n %% 23 > 0
        AND pool.external_id = CASE WHEN n %% 7 = 0 THEN 'Stakeholder' WHEN n %% 4 = 0
            THEN 'Business' WHEN n %% 31 = 0 THEN 'Professional' ELSE 'Digital Operations' END
    """,
    """
    INSERT INTO seatwise_signal (member_id, source, at, proof, url, read_at)
    SELECT id, source, last_seen_at - back, 'acknowledged incident #' || id,
        'https://harbor.example/incidents/' || id, %(now)s
    FROM seatwise_member
    CROSS JOIN (VALUES ('acknowledged', interval '0'), ('resolved', interval '3 hours'))
        told(source, back)
    WHERE last_seen_at IS NOT NULL AND (back = interval '0' OR id %% 2 = 0)
    """,
    """
    INSERT INTO seatwise_memberevent (member_id, at, kind, field, before, after, facts)
    SELECT id, first_listed_at, CASE WHEN joined_at IS NULL THEN 'listed' ELSE 'joined' END,
        '', '', '', jsonb_build_object('email', email, 'name', name, 'role', role,
                                       'invited', invited)
    FROM seatwise_member ORDER BY first_listed_at, id
    """,
    """
    INSERT INTO seatwise_memberevent (member_id, at, kind, field, before, after, facts)
    SELECT id, first_listed_at + (%(now)s - first_listed_at) / 2, 'changed', 'role',
        'limited_user', role, '{}'::jsonb
    FROM seatwise_member WHERE id %% 4 = 0 AND role <> 'limited_user'
    UNION ALL
    SELECT id, left_at, 'left', '', '', '', '{}'::jsonb
    FROM seatwise_member WHERE left_at IS NOT NULL
    ORDER BY 2
    """,
    """
    INSERT INTO seatwise_usagepoint (connection_id, month, metric, value, final, source, as_of)
    SELECT connection.id, %(this_month)s - back * interval '1 month', metric,
        1000 + (back * 37 + length(metric) * 101) %% 900, back > 0, 'GET /incidents', %(now)s
    FROM seatwise_connection connection
    CROSS JOIN generate_series(0, %(months)s - 1) back
    CROSS JOIN unnest(ARRAY['incidents', 'alerts', 'billable_alerts', 'notifications_sms',
        'notifications_phone', 'notifications_email', 'notifications_push']) metric
    """,
    """
    INSERT INTO seatwise_syncrun (connection_id, state, attempt, stages, requests, gaps, counts,
        reason, remedy, created_at, touched_at, started_at, finished_at)
    SELECT connection.id, 'done', 1, '{}', '{"GET /users": 1000}', '[]',
        '{"joined": 1, "left": 1, "changed": 1}', '', '', at, at, at, at
    FROM seatwise_connection connection
    CROSS JOIN LATERAL (SELECT %(now)s - n * interval '1 day' AS at FROM generate_series(
        0, CASE WHEN account_id = %(large)s THEN 729 ELSE 9 END) n) day
    ORDER BY at
    """,
    "VACUUM ANALYZE",  # as the server does by itself
)
