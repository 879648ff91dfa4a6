"""Several accounts of one service, side by side: their data never mixes, and pages say whose."""

import csv
import io
import re

import pytest
from django.test import Client
from django.utils import timezone

from seatwise.models import Authorization, Connection, Revocation, Service, SyncRun, User
from seatwise.models.connection import State
from tests.pages import rows

SERVICE = "/services/pagerduty/"


@pytest.fixture
def two(db: None) -> tuple[Connection, Connection]:
    service = rows.service()
    first = rows.connection(service, account_id="P1", account_name="harbor")
    second = rows.connection(service, account_id="P2", account_name="quarry", region="EU")
    for connection, names in ((first, ("Ada", "Bea")), (second, ("Cyd", "Dan", "Eve"))):
        for name in names:
            rows.member(connection, f"{name} of {connection.account_name}", seen=2)
    rows.usage(first, rows.last_month(), incidents=1111)
    rows.usage(second, rows.last_month(), incidents=2222)
    return first, second


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_members_of_all_accounts_are_one_list_that_says_whose_seat_it_is(
    as_viewer: Client, two: tuple[Connection, Connection]
) -> None:
    page = shown(as_viewer, f"{SERVICE}members/")
    assert "5 of 5 members" in page
    assert "in <bdi>harbor</bdi>" in page
    assert "in <bdi>quarry</bdi>" in page
    page = shown(as_viewer, f"{SERVICE}members/?account={two[1].pk}")
    assert "3 of 3 members" in page
    assert "of harbor" not in page
    assert "in <bdi>" not in page


def test_what_is_filtered_stays_in_the_chosen_account(
    as_viewer: Client, two: tuple[Connection, Connection]
) -> None:
    asked = f"{SERVICE}members/?account={two[0].pk}&q=of"
    assert "2 of 2 members" in shown(as_viewer, asked)
    assert f"account={two[0].pk}&amp;role=" in shown(as_viewer, asked).replace("&amp;q=of", "")
    told = b"".join(as_viewer.get(f"{asked}&format=csv")).decode()
    lines = list(csv.DictReader(io.StringIO(told)))
    assert [line["account"] for line in lines] == ["harbor", "harbor"]


def test_an_account_of_another_service_is_no_choice(
    as_viewer: Client, two: tuple[Connection, Connection]
) -> None:
    other = rows.connection(rows.service("zoom", "Zoom"), account_name="elsewhere")
    for strange in (other.pk, 999_999, "x", ""):
        assert "5 of 5 members" in shown(as_viewer, f"{SERVICE}members/?account={strange}")
        assert "elsewhere" not in shown(as_viewer, f"{SERVICE}settings/?account={strange}")


@pytest.mark.parametrize("tab", ["", "usage/", "settings/"])
def test_the_other_tabs_speak_of_one_account_and_lead_to_the_others(
    tab: str, as_admin: Client, two: tuple[Connection, Connection]
) -> None:
    for connection, other in (two, two[::-1]):
        page = shown(as_admin, f"{SERVICE}{tab}?account={connection.pk}")
        assert f'href="{SERVICE}{tab}?account={other.pk}"' in page
        assert f'href="{SERVICE}members/?account={connection.pk}"' in page


def test_usage_of_two_accounts_is_never_added_up_or_mixed(
    as_viewer: Client, two: tuple[Connection, Connection]
) -> None:
    first = shown(as_viewer, f"{SERVICE}usage/")
    second = shown(as_viewer, f"{SERVICE}usage/?account={two[1].pk}")
    assert "1,111" in first
    assert "2,222" not in first
    assert "2,222" in second
    assert "1,111" not in second
    assert "3,333" not in first + second
    told = b"".join(as_viewer.get(f"{SERVICE}usage/?account={two[1].pk}&format=csv")).decode()
    assert "2222" in told
    assert "1111" not in told


def test_spend_counts_the_seats_of_every_account(
    as_viewer: Client, two: tuple[Connection, Connection]
) -> None:
    page = shown(as_viewer, "/")
    assert "2 accounts" in page
    assert 'data-label="Seats"><a class="plain" href="/services/pagerduty/members/">5</a>' in page


def test_sync_now_reads_the_account_that_is_shown_or_all(
    as_admin: Client, two: tuple[Connection, Connection]
) -> None:
    as_admin.post(f"{SERVICE}sync/", {"tab": "info", "account": two[1].pk})
    assert [run.connection for run in SyncRun.objects.all()] == [two[1]]
    as_admin.post(f"{SERVICE}sync/", {"tab": "members"})
    assert {run.connection for run in SyncRun.objects.all()} == set(two)


def test_an_account_that_has_ended_stands_behind_those_that_live(db: None) -> None:
    service = rows.service()
    rows.connection(service, account_id="P1", account_name="aaa", state=State.DISCONNECTED)
    alive = rows.connection(service, account_id="P2", account_name="zzz")
    found = Service.objects.get(pk=service.pk)
    assert found.connection == alive
    found.choose("nonsense")
    assert found.connection == alive


@pytest.mark.parametrize("form", ["revoke", "check", "sync", "erase"])
def test_a_form_that_names_an_account_which_is_gone_touches_no_other(
    form: str, as_admin: Client, two: tuple[Connection, Connection]
) -> None:
    first, second = two
    Connection.objects.filter(pk=second.pk).update(
        replaced_at=timezone.now(), members_as_of=None, usage_as_of=None, activity_as_of=None
    )
    for stale in (str(second.pk), "999999", "x"):
        answer = as_admin.post(f"{SERVICE}{form}/", {"account": stale, "data": "erase"})
        assert answer.status_code == 404
    first.refresh_from_db()
    assert first.state == State.ACTIVE
    assert first.members.count() == 2
    assert not SyncRun.objects.exists()


@pytest.mark.parametrize("form", ["revoke", "check"])
def test_of_several_accounts_one_must_be_named(
    form: str, as_admin: Client, two: tuple[Connection, Connection]
) -> None:
    assert as_admin.post(f"{SERVICE}{form}/", {"data": "keep"}).status_code == 400
    assert set(Connection.objects.values_list("state", flat=True)) == {State.ACTIVE}


def test_what_was_kept_of_one_account_is_erased_beside_a_living_one(
    as_admin: Client, two: tuple[Connection, Connection]
) -> None:
    living, ended = two
    Connection.objects.filter(pk=ended.pk).update(
        state=State.DISCONNECTED, replaced_at=timezone.now()
    )
    page = shown(as_admin, f"{SERVICE}settings/?account={living.pk}")
    assert "another account took its place" in page
    as_admin.post(f"{SERVICE}erase/", {"account": ended.pk})
    assert ended.members.count() == 0
    assert living.members.count() == 2
    as_admin.post(f"{SERVICE}erase/", {"account": living.pk})
    assert living.members.count() == 2


def test_an_account_that_was_never_read_hides_nobody_of_the_others(
    as_viewer: Client, two: tuple[Connection, Connection]
) -> None:
    new = rows.connection(two[0].service, account_id="P3", account_name="aaa", members_as_of=None)
    page = shown(as_viewer, f"{SERVICE}members/")
    assert "5 of 5 members" in page
    assert "Nothing was read yet" in shown(as_viewer, f"{SERVICE}members/?account={new.pk}")


def test_with_all_accounts_each_one_says_how_it_is(
    as_viewer: Client, two: tuple[Connection, Connection]
) -> None:
    Connection.objects.filter(pk=two[1].pk).update(state=State.LIMITED)
    page = shown(as_viewer, f"{SERVICE}members/")
    assert ">1 of 2 connected, 1 limited</span>" in page
    page = shown(as_viewer, "/")
    for account, state in (("harbor", "Connected"), ("quarry", "Limited")):
        said = f'<bdi>{account}</bdi><span class="chip__state">: {state}</span>'
        assert f'title="{account}: {state}">{said}' in page


def test_what_ended_at_the_vendor_stands_with_its_own_service_alone(
    as_admin: Client, two: tuple[Connection, Connection]
) -> None:
    rows.service("zoom", "Zoom")
    given_back = Revocation(service=two[0].service, why="It never became a connection.")
    given_back.created_at = timezone.now()
    given_back.save()
    assert "It never became a connection." in shown(as_admin, f"{SERVICE}settings/")
    assert "It never became" not in shown(as_admin, "/services/zoom/settings/")


def test_another_account_is_not_asked_for_what_was_chosen_for_the_first(
    as_admin: Client, admin: User, two: tuple[Connection, Connection]
) -> None:
    Authorization.objects.create(
        service=two[0].service,
        user=admin,
        connection=two[0],
        state_hash="s",
        session_hash="s",
        asked=["openid", "users.read", "analytics.write"],
        created_at=timezone.now(),
        outcome="connected",
    )
    page = shown(as_admin, f"{SERVICE}settings/?account={two[0].pk}")  # no app is registered
    again, new = page.split('id="integrate-new"')
    ticked = re.compile(r'value="([a-z_:.]+)" checked')
    assert set(ticked.findall(again)) == {"users.read", "analytics.write"}
    assert "analytics.write" not in ticked.findall(new)
    assert "licenses.read" in ticked.findall(new)


def test_a_forms_account_is_a_plain_number_however_large(as_admin: Client, db: None) -> None:
    rows.connection(rows.service(), pk=1_234_567)
    page = shown(as_admin, f"{SERVICE}settings/")
    assert 'name="account" value="1234567"' in page
    assert "1,234,567" not in page


def test_the_head_of_several_accounts_tells_their_states_in_one_chip(
    as_admin: Client, db: None
) -> None:
    several = rows.service()
    states = ("active", "active", "limited", "needs_reconnect")
    for number, state in enumerate(states):
        rows.connection(several, account_id=str(number), account_name=f"a{number}", state=state)
    html = as_admin.get(f"{SERVICE}members/").content.decode()
    head = html.split('id="service-head"')[1].split("</header>")[0]
    title = "1 action needed, 1 limited, 2 connected"
    assert f'title="{title}">2 of 4 connected, 1 action needed</span>' in head
    assert head.count('class="chip ') == 1
    accounts = html.split('class="accounts"')[1].split("</nav>")[0]
    assert '<span class="muted">Action needed</span>' in accounts
    assert '<span class="visually-hidden">, Connected</span>' in accounts
    several.connections.update(state="active")
    html = as_admin.get(f"{SERVICE}members/").content.decode()
    assert ">4 connected</span>" in html.split('id="service-head"')[1].split("</header>")[0]
