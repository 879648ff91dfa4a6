"""Who never came in, by the vendor's own word, is shown as that: not unknown, not idle."""

from html import unescape

from django.test import Client
from django.utils import timezone

from seatwise.models import Connection, Member
from tests.pages import rows
from tests.pages.test_members import exported, page


def test_never_is_shown_with_its_source_and_counted_apart(as_viewer: Client, db: None) -> None:
    account: Connection = rows.connection(rows.service())
    rows.member(account, "Nora Never")
    rows.member(account, "Uma Unknown")
    rows.member(account, "Ada Active", seen=2)
    said = {"never_source": "signed_in", "never_read_at": timezone.now()}
    Member.objects.filter(name="Nora Never").update(**said)
    html = page(as_viewer)
    assert "Never signed in, says PagerDuty itself" in html
    assert "over 90 days ago" in html
    assert "never, as the vendor knows" in html
    found = {line["name"]: line["status"] for line in exported(as_viewer)}
    assert found == {"Nora Never": "never", "Uma Unknown": "unknown", "Ada Active": "active"}
    assert [line["name"] for line in exported(as_viewer, status="never")] == ["Nora Never"]
    assert [line["name"] for line in exported(as_viewer, seen="never")] == ["Nora Never"]
    info = as_viewer.get("/services/pagerduty/").content.decode()
    assert "never seen, as the vendor itself says" in info
    assert "of the 2 whose last use is known" in info
    spend = as_viewer.get("/").content.decode()
    assert "1 unknown" in " ".join(unescape(spend).split())
    assert "1</a> <small>seat</small>" in spend
    assert "Idle 30 days or more, 1 of them never seen" in spend
    assert "50 %" in spend  # one of the two of whom it is known


def test_nobody_is_offered_a_bar_for_never_where_no_vendor_says_so(
    as_viewer: Client, db: None
) -> None:
    rows.member(rows.connection(rows.service()), "Uma Unknown")
    assert "never, as the vendor knows" not in page(as_viewer)
