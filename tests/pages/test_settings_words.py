"""What the settings say once: when the next sync is, what is wrong, as of when, what was ended."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from seatwise import connections
from seatwise.models import Connection, Revocation, SyncRun
from seatwise.models.connection import State
from tests.pages import rows
from tests.pages.runs import run_of

SETTINGS = "/services/pagerduty/settings/"
AWAY = "The vendor is away."


@pytest.fixture
def account(db: None) -> Connection:
    soon = timezone.now() + timedelta(hours=5)
    return rows.connection(rows.service(), next_sync_at=soon)


def plain(html: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


def card(client: Client, name: str) -> str:
    html = client.get(SETTINGS).content.decode()
    return plain(html.partition(f'aria-labelledby="{name}"')[2].partition("</section>")[0])


def change(account: Connection, **fields: object) -> None:
    Connection.objects.update(**fields)
    account.refresh_from_db()


def going(account: Connection) -> None:
    run_of(account, "running")


def waiting(account: Connection) -> None:
    run_of(account, "retry_at", retry_at=timezone.now() + timedelta(minutes=9, seconds=30))


def never(account: Connection) -> None:
    change(account, sync_every="never", next_sync_at=None)


def ended(account: Connection) -> None:
    change(account, state=State.NEEDS_RECONNECT, next_sync_at=None)


def unplanned(account: Connection) -> None:
    change(account, next_sync_at=None)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda account: None, "Next sync in 4 hours"),
        (going, "Next sync after the one that is running"),
        (waiting, "Next sync tried again in 9 minutes"),
        (never, "Next sync only when somebody presses Sync now"),
        (ended, "Next sync none until it is integrated again"),
        (unplanned, "Next sync not planned yet: it is once a sync has ended"),
    ],
)
def test_both_cards_say_the_same_of_the_next_sync(
    as_viewer: Client, account: Connection, prepare: object, words: str
) -> None:
    assert callable(prepare)
    prepare(account)
    assert words in card(as_viewer, "integration")
    assert words.replace("Next sync", "Next sync:") in card(as_viewer, "schedule")


def test_a_failure_is_told_once_and_what_else_is_wrong_beside_it(
    as_admin: Client, account: Connection
) -> None:
    run_of(account, "action_needed", reason=AWAY)
    change(account, state=State.LIMITED, attention=AWAY)
    assert AWAY not in card(as_admin, "integration")
    assert plain(as_admin.get(SETTINGS).content.decode()).count(AWAY) == 1
    change(account, attention="The key is missing.")
    assert "The key is missing." in card(as_admin, "integration")
    SyncRun.objects.all().delete()
    html = plain(as_admin.get(SETTINGS).content.decode())
    assert html.count("The key is missing.") == 1


def test_one_line_says_as_of_when_unless_the_parts_differ(
    as_admin: Client, account: Connection
) -> None:
    read = timezone.now() - timedelta(minutes=3)
    change(account, members_as_of=read, usage_as_of=read, activity_as_of=read)
    assert "All data as of 3 minutes ago" in card(as_admin, "integration")
    change(account, usage_as_of=None)
    said = card(as_admin, "integration")
    assert "Members as of 3 minutes ago Usage as of not read yet Activity as of 3 min" in said


def test_name_role_and_address_of_who_authorized_are_told_apart(
    as_admin: Client, account: Connection
) -> None:
    change(account, granted_by="Ada <B.> Lovelace <ada@acme.example>", granted_role="owner")
    said = card(as_admin, "integration")
    assert "Authorized at PagerDuty by Ada <B.> Lovelace , Account Owner ada@acme.example" in said
    change(account, granted_by="ada@acme.example", granted_role="")
    assert "by ada@acme.example Integrated" in card(as_admin, "integration")


def test_what_the_chip_says_of_a_revocation_is_not_said_again(
    as_admin: Client, account: Connection
) -> None:
    at = timezone.now()
    row = Revocation.objects.create(
        service=account.service,
        connection=account,
        state="confirmed",
        why="The authorization was revoked.",
        told=connections.confirmed("PagerDuty"),
        created_at=at,
    )
    assert "The authorization was revoked." in card(as_admin, "revocations")
    assert "PagerDuty confirmed" not in card(as_admin, "revocations")
    row.told = "PagerDuty confirmed that the token is revoked. Delete the app, too."
    row.save()
    assert "Delete the app, too." in card(as_admin, "revocations")


def test_the_popup_says_for_how_long_a_silent_vendor_is_asked(
    as_admin: Client, account: Connection
) -> None:
    change(account, way="scoped")
    html = plain(as_admin.get(f"{SETTINGS}?revoke").content.decode())
    assert timedelta(hours=32) < connections.ASKED_FOR < timedelta(hours=33)
    assert "tried again for about 33 hours" in html


def test_who_must_authorize_stands_above_integrate_until_it_is_connected(
    as_admin: Client, account: Connection
) -> None:
    account.delete()
    said = card(as_admin, "integration")
    assert re.search(r"Who must authorize: An Account Owner .*Integrate$", said)
    assert card(as_admin, "authorizer") == ""
    html = as_admin.get(SETTINGS).content.decode()
    assert re.search(r'<button class="button">Upload and review', html)
