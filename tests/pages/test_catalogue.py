"""The catalogue: facts that are true, a search that finds, and a way for what it does not know."""

import html
import re
from collections import Counter

import pytest
from django.test import Client

from seatwise import catalogue
from seatwise.logos import ICONS
from seatwise.models import AuditEvent, Service, User

ROWS = {"HX-Request": "true", "HX-Target": "div#choices"}


def found(client: Client, **query: str) -> list[str]:
    """The names of the products that are shown, in their order."""
    page = client.get("/services/add/", query, headers=ROWS).content.decode()
    names = re.findall(r'choices__text"><span class="strong">([^<]+)<', page)
    return [html.unescape(name) for name in names]


def test_there_are_about_a_hundred_and_fifty_products_each_of_them_once() -> None:
    products = list(catalogue.products().values())
    assert 150 <= len(products) <= 160
    for told in ("key", "name"):
        assert (
            Counter(getattr(each, told).casefold() for each in products).most_common(1)[0][1] == 1
        )


def test_every_product_is_described_in_full() -> None:
    for product in catalogue.products().values():
        assert re.fullmatch(r"[a-z0-9-]{2,60}", product.key), product
        assert product.name.strip() == product.name != "", product
        assert product.vendor, product
        assert product.website.startswith("https://"), product
        assert product.priced in catalogue.PRICED, product
        assert all(alias == alias.strip() != "" for alias in product.aliases), product
    assert len(catalogue.categories()) <= 20


def test_every_logo_that_is_named_is_in_the_set() -> None:
    slugs = {product.icon for product in catalogue.products().values() if product.icon}
    assert [slug for slug in slugs if not (ICONS / "icons" / f"{slug}.svg").is_file()] == []


def test_no_product_would_take_an_address_away(client: Client) -> None:
    assert not {"add", "by-name"} & set(catalogue.products())


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("jira", "Jira"),
        ("gsuite", "Google Workspace"),
        ("sfdc", "Salesforce"),
        ("password", "1Password"),
        ("office 365", "Microsoft 365"),
        ("  GIT  hub ", "GitHub"),
        ("photoshop", "Adobe Creative Cloud"),
        ("zoom", "Zoom"),
        ("cop", "GitHub Copilot"),
    ],
)
def test_what_one_types_is_found_first(as_admin: Client, typed: str, first: str) -> None:
    assert found(as_admin, q=typed)[0] == first


def test_a_name_that_begins_so_stands_before_a_vendor_and_a_category(as_admin: Client) -> None:
    names = found(as_admin, q="s")
    begins = [name.casefold().startswith("s") for name in names]
    assert begins == sorted(begins, reverse=True)
    assert "Statuspage" in found(as_admin, q="atlassian")
    assert found(as_admin, q="incident")[0] == "incident.io"


def test_what_can_be_connected_stands_first(as_admin: Client) -> None:
    connector = next(each for each in catalogue.products().values() if each.connector)
    assert found(as_admin)[0] == connector.name
    assert found(as_admin, category=connector.category)[0] == connector.name


def test_a_category_narrows_down_and_says_how_many_there_are(as_admin: Client) -> None:
    names = found(as_admin, category="Monitoring and logs")
    page = as_admin.get("/services/add/?category=Monitoring+and+logs").content.decode()
    assert "Datadog" in names
    assert "Zoom" not in names
    assert f"{len(names)} found" in page
    assert f'aria-current="true">Monitoring and logs <span class="numbers">{len(names)}<' in page
    assert found(as_admin, q="cisco", category="Monitoring and logs") == ["Splunk"]
    assert len(found(as_admin, category="No such category")) == len(found(as_admin))


def test_more_than_fit_are_counted_not_hidden(as_admin: Client) -> None:
    page = as_admin.get("/services/add/").content.decode()
    total = len(catalogue.products())
    assert f"{total} found" in page
    assert f"and {total - len(found(as_admin))} more" in page


def test_what_nobody_knows_can_be_added_by_its_name(as_admin: Client) -> None:
    page = as_admin.get("/services/add/?q=Harbor+Ledger").content.decode()
    assert "Nothing in the catalogue matches" in page
    assert "Add “<bdi>Harbor Ledger</bdi>” yourself" in page
    answer = as_admin.post(
        "/services/add/by-name/", {"name": " Harbor  Ledger ", "category": "Finance"}, follow=True
    )
    assert "Harbor Ledger was added" in answer.content.decode()
    service = Service.objects.get()
    assert (service.key, service.name, service.category) == (
        "harbor-ledger",
        "Harbor Ledger",
        "Finance",
    )
    assert AuditEvent.objects.get(action="service_added").about == "Harbor Ledger"
    assert "Members by file" in answer.content.decode()


def test_a_name_of_the_catalogue_is_never_added_as_something_else(as_admin: Client) -> None:
    assert "yourself</span>" not in as_admin.get("/services/add/?q=zoom").content.decode()
    as_admin.post("/services/add/by-name/", {"name": "zoom"})
    assert Service.objects.get().vendor == "Zoom"


def test_the_same_name_is_not_added_twice(as_admin: Client) -> None:
    for name in ("Harbor Ledger", "harbor ledger"):
        answer = as_admin.post("/services/add/by-name/", {"name": name})
        assert answer["Location"] == "/services/harbor-ledger/settings/"
    assert Service.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Pager! Duty", "pager-duty"),
        ("PagerDuty.", "pagerduty-2"),  # not its connector, not its logo
        ("Add", "add-2"),  # which is another page
        ("日本語", "service"),
        ("<script>alert(1)</script>", "scriptalert1script"),
        ("x" * 300, "x" * 50),
    ],
)
def test_whatever_it_is_called_it_gets_an_address_of_its_own(
    as_admin: Client, name: str, key: str
) -> None:
    answer = as_admin.post("/services/add/by-name/", {"name": name})
    assert answer["Location"] == f"/services/{key}/settings/"
    for page in ("/", "/services/add/", answer["Location"], f"/services/{key}/"):
        shown = as_admin.get(page)
        assert shown.status_code == 200
        assert "<script>alert" not in shown.content.decode()
    assert Service.objects.get().connector is None


def test_a_name_of_nothing_adds_nothing(as_admin: Client) -> None:
    answer = as_admin.post("/services/add/by-name/", {"name": " \x00\u200b\n"}, follow=True)
    assert "Nothing was added" in answer.content.decode()
    assert not Service.objects.exists()


def test_a_viewer_can_look_and_is_told_who_can_add(as_viewer: Client, admin: User) -> None:
    page = as_viewer.get("/services/add/?q=foo").content.decode()
    assert "Only an admin can add services: ask Ada Admin" in page
    assert "yourself</span>" not in page
    assert as_viewer.post("/services/add/by-name/", {"name": "Foo"}).status_code == 403
    assert not Service.objects.exists()


def test_that_nothing_is_found_is_said_once(as_admin: Client) -> None:
    page = as_admin.get("/services/add/?q=nothing+is+called+so").content.decode()
    assert 'class="catalogue__categories"' not in page
    assert 'catalogue__found visually-hidden" role="status">0 found' in page


def test_beside_what_is_found_ones_own_is_the_quieter_choice(as_admin: Client) -> None:
    found = as_admin.get("/services/add/?q=pager").content.decode()
    assert 'class="button button--quiet button--small"><span>Add “<bdi>pager</bdi>”' in found
    nothing = as_admin.get("/services/add/?q=zzzz").content.decode()
    assert 'class="button button--primary"><span>Add “<bdi>zzzz</bdi>”' in nothing


def test_a_service_of_ones_own_has_the_initials_of_its_name(as_admin: Client) -> None:
    as_admin.post("/services/add/by-name/", {"name": "Облако почты"})
    assert ">ОП</text>" in as_admin.get("/").content.decode()
