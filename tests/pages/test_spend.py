"""The home page: the four figures count what is known, and nothing is invented."""

import re

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from seatwise.models import Service
from seatwise.models.connection import State
from tests.pages import rows


def figures(client: Client) -> dict[str, str]:
    """The tiles' names with their figures and notes, as words."""
    page = client.get("/").content.decode()
    tiles = re.findall(r'tile__name">([^<]+)</h2>(.*?)</div>', page, re.DOTALL)
    return {name: " ".join(re.sub(r"<[^>]+>", " ", rest).split()) for name, rest in tiles}


def test_before_anything_is_there_the_next_step_is_shown(as_admin: Client) -> None:
    assert "Add the first service" in as_admin.get("/").content.decode()
    assert figures(as_admin)["Paid seats"].startswith("–")


def test_the_figures_count_invited_as_paid_and_unknown_never_as_idle(as_admin: Client) -> None:
    connection = rows.connection(rows.service())
    for name, days in (("Active", 3), ("Busy", 29), ("Idle", 31)):
        rows.member(connection, name, seen=days)
    rows.member(connection, "Unknown")
    rows.member(connection, "Invited", invited=True)
    rows.member(connection, "Gone", left_at=connection.connected_at, seen=50)
    shown = figures(as_admin)
    assert shown["Paid seats"].startswith("5 ")
    assert shown["Active in 30 days"].startswith("2 67 % 1 unknown are not counted as idle")
    assert shown["What could be saved"].startswith("1 seat idle for 30 days")
    assert shown["Monthly spend"].startswith("– No price is known")


def test_a_service_that_was_never_read_has_no_number_rather_than_none(as_admin: Client) -> None:
    rows.connection(rows.service(), members_as_of=None)
    assert figures(as_admin)["Paid seats"].startswith("–")
    assert figures(as_admin)["What could be saved"].startswith("–")


def test_each_state_of_a_connection_has_its_words(as_admin: Client) -> None:
    rows.service("figma", "Figma")
    for state in State:
        rows.connection(rows.service(state, state), state=state)
    page = as_admin.get("/").content.decode()
    for words in ("Not connected", *State.labels):
        assert f">{words}</span>" in page


def test_more_services_do_not_mean_more_queries(
    as_admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        rows.member(rows.connection(rows.service(f"s{number}", f"S{number}")), "Ada")
    as_admin.get("/")  # what is counted is kept
    with django_assert_max_num_queries(11):
        as_admin.get("/")


def test_a_viewer_is_told_who_can_add_services(as_viewer: Client, admin: object) -> None:
    assert "ask Ada Admin" in as_viewer.get("/").content.decode()


def test_the_catalogue_finds_by_name_vendor_and_category(as_admin: Client) -> None:
    for words, name in (
        ("pager d", "PagerDuty"),
        ("atlassian", "Jira"),
        ("whiteb", "Miro"),
        ("cisco meet", "Webex"),
    ):
        found = as_admin.get("/services/add/", {"q": words}).content.decode()
        assert f"Add {name}" in found, words
        assert "Add Zoom" not in found, words


def test_typing_brings_only_the_rows(as_admin: Client) -> None:
    htmx = {"HX-Request": "true", "HX-Target": "div#choices"}
    found = as_admin.get("/services/add/", {"q": "zoom"}, headers=htmx).content.decode()
    assert "Add Zoom" in found
    assert "<form role=" not in found
    assert "<html" not in found


def test_a_service_is_added_once(as_admin: Client) -> None:
    for _ in range(2):
        assert as_admin.post("/services/add/zoom/")["Location"] == "/services/zoom/settings/"
    assert Service.objects.count() == 1
    assert "Already added" in as_admin.get("/services/add/?q=zoom").content.decode()


def test_what_the_catalogue_does_not_know_cannot_be_added(as_admin: Client) -> None:
    assert as_admin.post("/services/add/nonsense/").status_code == 404
