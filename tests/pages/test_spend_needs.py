"""The home page says what needs somebody, of which account, and never that all is well untruly."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from seatwise.models import SyncRun
from seatwise.models.connection import State
from tests.pages import rows
from tests.pages.test_spend import ISOLATES, figures, names, needs

LONG_AGO = timedelta(days=25)


def words(client: Client, address: str = "/") -> str:
    page = client.get(address).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_figures_of_a_disconnected_account_are_said_to_stand_still(as_admin: Client) -> None:
    read = timezone.now() - LONG_AGO
    account = rows.connection(rows.service(), state=State.DISCONNECTED, members_as_of=read)
    rows.member(account, "Ada", seen=1)
    assert needs(as_admin)["PagerDuty is disconnected."] == "/services/pagerduty/settings/"
    day = f"{read.day} {read:%B %Y}"
    assert f"Its figures stand still since {day}." in words(as_admin)
    rows.connection(rows.service("zoom", "Zoom"), state=State.DISCONNECTED)
    assert f"Their figures, the oldest of them, stand still since {day}." in words(as_admin)
    assert names(as_admin, "/?need=still") == ["PagerDuty", "Zoom"]


def test_a_first_reading_that_is_not_there_is_told(as_admin: Client) -> None:
    rows.connection(rows.service(), members_as_of=None)
    told = needs(as_admin)
    assert told["The first reading of PagerDuty is not there yet."].endswith("/settings/")
    assert not any("not been read" in sentence for sentence in told)
    assert names(as_admin, "/?need=waiting") == ["PagerDuty"]


def test_a_pending_invitation_is_not_called_seen(as_admin: Client) -> None:
    rows.member(rows.connection(rows.service()), "Ivo", invited=True)
    page = words(as_admin)
    assert "Nothing needs somebody now." in page
    assert "everybody was seen" not in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"state": State.NEEDS_RECONNECT}, "{} needs somebody to authorize again."),
        ({"members_as_of": timezone.now() - LONG_AGO}, "{} has not been read for a long time."),
        ({"state": State.LIMITED}, "Something at {} cannot be read."),
        ({}, "An unusual drop at {} is held back."),
    ],
)
def test_a_sentence_names_the_account_that_it_is_about_and_leads_there(
    as_admin: Client, fields: dict[str, object], sentence: str
) -> None:
    service = rows.service()
    rows.connection(service, account_name="a-healthy")
    account = rows.connection(service, account_id="P2", account_name="b-sick", **fields)
    if not fields:
        SyncRun.objects.create(
            connection=account,
            state="retry_at",
            created_at=timezone.now(),
            doubt={"stage": "members", "what": "m", "before": 9, "gone": 8, "at": "2026-11-01"},
        )
    url = needs(as_admin)[sentence.format("PagerDuty (b-sick)")]
    assert url == f"/services/pagerduty/settings/?account={account.pk}"
    assert "b-sick" in words(as_admin, url)


def test_of_two_accounts_of_which_one_was_never_read_the_row_is_not_whole(
    as_admin: Client,
) -> None:
    service = rows.service()
    rows.member(rows.connection(service), "Ada", seen=1)
    other = rows.connection(service, account_id="P2", members_as_of=None)
    assert "1 of 2 accounts read" in words(as_admin)
    assert "1 of these only in part." in figures(as_admin)["Seats"]
    other.members_as_of = timezone.now()
    other.save()
    assert "accounts read" not in words(as_admin)
    assert "the oldest of 2 lists" in words(as_admin)


def test_a_chosen_value_that_is_gone_stays_a_field_of_the_form(as_admin: Client) -> None:
    rows.service()
    page = as_admin.get("/?category=Gone&owner=999").content.decode()
    for name, value in (("category", "Gone"), ("owner", "999")):
        field = re.search(rf'<input[^>]*name="{name}"[^>]*value="{value}"[^>]*>', page)
        assert field
        assert "checked" in field[0]
    assert "Owner: somebody who owns none" in page


def test_seats_are_said_to_be_everybody_who_is_listed(as_admin: Client) -> None:
    account = rows.connection(rows.service())
    rows.member(account, "Sam", "read_only_user", seen=1)
    assert figures(as_admin)["Seats"].startswith("1 Everybody listed, whatever the role")
    assert "Paid seats" not in words(as_admin)


def test_the_owner_has_a_column_and_hides_nothing(as_admin: Client, admin: object) -> None:
    service = rows.service()
    service.owner = admin  # type: ignore[assignment]
    service.save()
    rows.connection(service, account_name="acme-prod")
    page = as_admin.get("/?sort=owner").content.decode()
    assert re.search(r'data-label="Owner"><bdi>Ada Admin<', page)
    assert '<th scope="col" aria-sort="ascending"><a href="?sort=-owner">Owner' in page
    assert re.search(r'service-owner"><bdi>acme-prod<', page)


def told(client: Client) -> tuple[str, str]:
    """The number of the only need, and its words."""
    page = client.get("/").content.decode()
    [found] = re.findall(r'need__count numbers">([^<]+)</span>.*?<strong>([^<]+)<', page, re.DOTALL)
    return found[0], found[1].translate(ISOLATES)


def test_how_many_are_unknown_stands_once_before_its_words(as_admin: Client) -> None:
    account = rows.connection(rows.service())
    rows.member(account, "Uma")
    assert told(as_admin) == ("1", "Seat at PagerDuty whose last use is unknown.")
    rows.member(account, "Udo")
    rows.event(rows.member(account, "Ulf"), "joined")
    assert told(as_admin) == ("3", "Seats at PagerDuty whose last use is unknown.")
    assert figures(as_admin)["Active in 30 days"].endswith("· 3 unknown")


@pytest.mark.parametrize(("address", "enter"), [("/services/add/", "Enter searches")])
def test_the_catalogue_says_what_enter_does(as_admin: Client, address: str, enter: str) -> None:
    assert enter in words(as_admin, address)
    in_popup = as_admin.get(address, headers={"HX-Request": "true"}).content.decode()
    said = " ".join(re.sub(r"<[^>]+>", " ", in_popup).split())
    assert "Enter goes to the first, and adds it when pressed again" in said
    assert 'aria-describedby="catalogue-keys"' in in_popup
