"""The numbers on the pages equal the vendor's own truth, for several made-up companies."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.http import HttpResponse
from django.test import Client

from seatwise import connections
from seatwise.models import Member, Service, User
from tests.conftest import authorize, configure, read
from tests.sandboxes import Running, running


@pytest.fixture(params=[11, 12, 13])
def company(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    # Its clock stands still, or something could happen there between the sync and the truth.
    with running(seed=request.param, users=70, months=3, now=datetime.now(UTC)) as vendor:
        configure(vendor, monkeypatch)
        yield vendor


def test_the_pages_say_what_is_true(
    company: Running, service: Service, admin: User, as_admin: Client
) -> None:
    connection = authorize(company, service, admin).connection
    assert connection is not None
    read(connection)
    truth = company.truth()

    members = table(as_admin.get("/services/pagerduty/members/?format=csv"))
    assert {(row["external_id"], row["email"], row["role"], row["license"]) for row in members} == {
        (m["id"], m["email"], m["role"], m["license"]) for m in truth["members"]
    }
    page = as_admin.get("/services/pagerduty/members/").content.decode()
    assert f"{len(truth['members'])} of {len(truth['members'])} members" in page
    for role in {m["role"] for m in truth["members"]}:
        count = sum(m["role"] == role for m in truth["members"])
        filtered = as_admin.get(f"/services/pagerduty/members/?role={role}").content.decode()
        assert f"{count} of {len(truth['members'])} members" in filtered

    usage = table(as_admin.get("/services/pagerduty/usage/?format=csv"))
    shown = {(row["month"], row["metric"]): int(row["value"]) for row in usage if row["value"]}
    for month in truth["months"]:
        for metric in ("incidents", "alerts", "notifications_sms", "notifications_push"):
            assert shown[month["month"], metric] == month[metric]


def table(answer: object) -> list[dict[str, str]]:
    assert getattr(answer, "status_code", 0) == 200
    assert hasattr(answer, "streaming_content") or isinstance(answer, HttpResponse)
    content = b"".join(getattr(answer, "streaming_content", None) or [answer.content])  # type: ignore[attr-defined]
    return list(csv.DictReader(content.decode("utf-8-sig").splitlines()))


def test_what_was_collected_can_be_erased_once_nothing_is_connected(
    vendor: Running, service: Service, admin: User, as_admin: Client
) -> None:
    connection = authorize(vendor, service, admin).connection
    assert connection is not None
    read(connection)
    refused = as_admin.post(
        "/services/pagerduty/erase/", {"account": connection.pk}, follow=True
    ).content.decode()
    assert "Nothing was erased" in refused
    connections.revoke(connection, by=admin, erase=False)
    assert "Erase everything" in as_admin.get("/services/pagerduty/settings/").content.decode()
    as_admin.post("/services/pagerduty/erase/", {"account": connection.pk})
    assert not Member.objects.exists()
    assert "Erase everything" not in as_admin.get("/services/pagerduty/settings/").content.decode()
