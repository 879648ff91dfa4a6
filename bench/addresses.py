"""The addresses that are asked for, and how long each kind may take at the server."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.estate import LARGE

SERVICE: Final = f"/services/{LARGE}"
MEMBERS: Final = f"{SERVICE}/members/"
BUDGETS: Final = Path(__file__).parents[1] / "tests" / "pages" / "budgets.json"
BUDGET_OF: Final[Mapping[str, str]] = {  # {kind of page: whose budget is its}
    "Members, not filtered": "members",
    "Members, one filter": "members: filtered",
    "Members, several filters": "members: filtered",
    "Members, searched": "members: searched",
    "Members, sorted": "members",
    "Members, the last pages": "members: the last by last seen",
    "Members, filtered, sorted and the last page": "members: filtered",
    "Spend": "spend",
    "Usage": "usage",
    "Info": "info",
    "A member's page": "member",
    "Seats": "seats",
    "Settings": "service_settings",
    "History": "history",
}
ROLES: Final = ("owner", "admin", "user", "limited_user", "observer", "read_only_user")
LICENSES: Final = ("Business", "Digital+Operations", "Professional", "Stakeholder", "")
SEARCHES: Final = (  # a letter, what everybody has, what many have, what one has, what nobody has
    *("a", "an", "ann", "harbor", "m%C3%BCller", "anna+chen", "anna.chen", "SCHMIDT", "12345"),
    *("p99999", "zo%C3%AB.singh.", "nobody+at+all", "o%27brien", "e+a+i"),
)


def limits() -> dict[str, float]:
    """{kind of page: milliseconds that nineteen of twenty visits may take at the server}."""
    budgets = json.loads(BUDGETS.read_text(encoding="utf-8"))
    return {kind: budgets[name]["milliseconds"] for kind, name in BUDGET_OF.items()}


def every_kind(a_member: int) -> dict[str, list[str]]:
    """{kind of page: its addresses}; `a_member` is the number of one of the large service."""
    from seatwise.models.member_order import SORTS

    one = list(_one_filter())
    several = list(_several_filters())
    orders = [order for sort in SORTS for order in (sort, f"-{sort}")]
    last = [f"?sort={order}&place=last" for order in orders]
    months = [f"{SERVICE}/usage/{query}" for query in ("", "?months=3", "?months=24")]
    return {
        "Members, not filtered": [MEMBERS],
        "Members, one filter": _members(one),
        "Members, several filters": _members(several),
        "Members, searched": _members(f"?q={words}" for words in SEARCHES),
        "Members, sorted": _members(f"?sort={order}" for order in orders),
        "Members, the last pages": _members(last),
        "Members, filtered, sorted and the last page": _members(
            f"{query}&sort={order}{place}"
            for query in ("?status=idle_90", "?seen=30", "?role=limited_user", "?q=anna", "?q=x")
            for order in orders
            for place in ("", "&place=last")
        ),
        "Spend": ["/"],
        "Usage": [*months, f"{months[0]}?month={datetime.now(UTC):%Y-%m}"],
        "Info": [f"{SERVICE}/"],
        "A member's page": [f"{MEMBERS}{a_member}/"],
        "Seats": [f"{SERVICE}/seats/"],
        "Settings": [f"{SERVICE}/settings/"],
        "History": [f"{SERVICE}/history/"],
    }


def clicks(a_member: int) -> list[str]:
    """What people click on through a day, one after the other."""
    return [
        "/",
        f"{SERVICE}/",
        MEMBERS,
        f"{MEMBERS}?status=idle_60&status=idle_90",
        f"{MEMBERS}?status=idle_60&status=idle_90&sort=-seen",
        f"{MEMBERS}?role=admin",
        f"{MEMBERS}?q=anna",
        f"{MEMBERS}?q=anna+ch",
        f"{MEMBERS}{a_member}/",
        f"{MEMBERS}?sort=role",
        f"{SERVICE}/usage/",
        f"{SERVICE}/usage/?months=24",
        f"{SERVICE}/history/",
        "/services/service-7/",
        "/services/service-7/members/",
    ]


def _members(queries: Iterator[str] | list[str]) -> list[str]:
    return [f"{MEMBERS}{query}" for query in queries]


def _one_filter() -> Iterator[str]:
    from seatwise.models.member_status import AGES, STATUSES

    this_month = datetime.now(UTC)
    yield from (f"?role={word}" for word in ROLES)
    yield from (f"?license={name}" for name in LICENSES)
    yield from (f"?status={status}" for status in STATUSES)
    yield from (f"?seen={age}" for age in AGES)
    for name in ("joined", "left"):
        yield f"?{name}={this_month:%Y-%m}"
        yield f"?{name}={this_month.year - 1}-{this_month:%m}"


def _several_filters() -> Iterator[str]:
    yield "?status=idle_30&status=idle_60&status=idle_90"
    yield "?status=active&role=user"
    yield "?status=unknown&role=admin&license=Business"
    yield "?seen=60&seen=90&license=Digital+Operations"
    yield "?role=limited_user&license=&status=left"
    yield "?q=anna&status=idle_90"
    yield "?q=harbor&role=owner"
    yield f"?q=chen&joined={datetime.now(UTC).year - 1}-06"
