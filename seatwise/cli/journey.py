"""The main job without a person: add a service, authorize it, sync it, print what was found."""

import sys

from rich import box
from rich.console import Console
from rich.table import Table

from seatwise import sandbox
from seatwise.cli.follow import follow, sentence
from seatwise.cli.visitor import Lost, Visitor
from seatwise.connectors.base import role_info
from seatwise.models import Connection, Member, SyncRun, UsagePoint
from seatwise.models.member_status import IDLE, STATUSES
from seatwise.models.sync_run import RunState

WIDTH = 110  # columns, where the output is not a terminal


def connect_and_report(url: str, email: str, password: str, vendors: tuple[str, ...]) -> int:
    """Goes the whole way for each vendor over HTTP. Returns the exit code."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    visitor = Visitor()
    try:
        visitor.visit(f"{url}/")
        visitor.press("Sign in", login=email, password=password)
        return max(_connect(visitor, console, url, vendor) for vendor in vendors)
    except Lost as error:
        print(f"seatwise: the demo lost its way: {error}", file=sys.stderr)
        return 1


def _connect(visitor: Visitor, console: Console, url: str, vendor: str) -> int:
    visitor.visit(f"{url}/services/add/?q={vendor}")
    visitor.press("Add")
    visitor.visit(f"{url}/services/{vendor}/settings/")
    visitor.press("Authorize")
    for words in sandbox.VENDORS[vendor].consent:
        visitor.press(words)
    connection = Connection.objects.alive_for(vendor).first()
    if connection is None:
        print(f"seatwise: {vendor} was not connected; see {visitor.url}", file=sys.stderr)
        return 1
    console.print(
        f"[bold]{connection.service.name} is connected:[/bold] "
        f"{connection.account_name}, {connection.region} region"
    )
    run = SyncRun.objects.of(connection.service).newest()
    if run is None:
        print(f"seatwise: no sync of {vendor} was started.", file=sys.stderr)
        return 1
    run = follow(run, console)
    console.print(sentence(run))
    if run.state not in {RunState.DONE, RunState.DONE_WITH_NOTES}:
        return 1
    connection.refresh_from_db()
    _report(connection, console)
    return 0


def _report(connection: Connection, console: Console) -> None:
    service = connection.service
    assert connection.members_as_of is not None
    members = Member.objects.of(service).current().with_status(connection.members_as_of)
    console.print(_roles(connection, members.count_by_role()))
    statuses = members.count_by_status()
    known = "; ".join(
        f"{label}: {statuses.get(key, 0)}" for key, label in STATUSES.items() if key in statuses
    )
    console.print(f"\n{known}")
    idle = list(members.having_status(IDLE, connection.members_as_of).sorted_by("seen").for_table())
    console.print(_idle(connection, idle))
    console.print(_usage(connection))
    for gap in connection.gaps:
        console.print(f"Note: {gap['what']} {gap['why']} {gap['remedy']}")


def _roles(connection: Connection, counts: dict[str, int]) -> Table:
    table = _table(f"{sum(counts.values())} members by role")
    table.add_column("Role")
    table.add_column("Seat")
    table.add_column("Members", justify="right")
    roles = [role_info(connection.connector, word) for word in counts]
    for role in sorted(roles, key=lambda role: role.rank):
        table.add_row(role.name, role.seat, f"{counts[role.word]:,}")
    return table


def _idle(connection: Connection, members: list[Member]) -> Table:
    table = _table(f"{len(members)} idle seats (unknown is not counted as idle)")
    for heading in ("Member", "Role", "Licence", "Last seen", "Evidence"):
        table.add_column(heading)
    for member in members:
        assert member.last_seen_at is not None
        table.add_row(
            member.name,
            role_info(connection.connector, member.role).name,
            member.license.name if member.license else "unknown",
            f"{member.last_seen_at:%Y-%m-%d}",
            member.last_seen_proof,
        )
    return table


def _usage(connection: Connection) -> Table:
    counted = connection.connector.metrics if connection.connector else ()
    metrics = [metric for metric in counted if not metric.by_home]
    table = _table("Usage by month (* provisional: a number can still change)")
    table.add_column("Month")
    for metric in metrics:
        table.add_column(metric.name, justify="right")
    for month, points in UsagePoint.objects.of(connection.service).by_month().items():
        final = all(point.final for point in points.values())
        values = (points.get(metric.key) for metric in metrics)
        table.add_row(
            f"{month:%Y-%m}{'' if final else ' *'}",
            *(f"{point.value:,}" if point else "unknown" for point in values),
        )
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
