"""The Members page as a file: a line for each member that is filtered."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.conf import settings

from seatwise.connectors.base import Connector, role_info
from seatwise.models import Service
from seatwise.models.member import MemberQuerySet
from seatwise.models.member_status import STATUSES
from seatwise.spreadsheet import Cell, Column
from seatwise.views.export import Export

STATUS_WORDS = "; ".join(f"{key}: {words}" for key, words in STATUSES.items())
COLUMNS = (
    Column("external_id", "ID", "text", "The member’s ID at the service."),
    Column("name", "Name", "text", "As the service knows it."),
    Column("email", "E-mail", "text", "As the service knows it."),
    Column("role", "Role (raw)", "text", "The word the service’s API uses for the role."),
    Column("role_name", "Role", "text", "The role as the service’s own pages name it."),
    Column("license", "Licence", "text", "The licence that is held; empty: unknown or none."),
    Column(
        "status",
        "Status",
        "text",
        "By the last evidence of activity, with unknown never taken for idle. " + STATUS_WORDS,
    ),
    Column("invited", "Invited", "yes/no", "Whether an invitation has not been accepted yet."),
    Column("last_seen_at", "Last seen", "time", "The newest evidence of activity; empty: none."),
    Column("last_seen_source", "Last seen by", "text", "Which kind of evidence that is."),
    Column("last_seen_proof", "Proof", "text", "What exactly was seen, in the service’s terms."),
    Column("joined_at", "Joined", "time", "When the member joined; empty: before the first look."),
    Column("left_at", "Left", "time", "When the service stopped listing them; empty: it lists."),
    Column("account", "Account", "text", "The account of the service that the seat belongs to."),
)


def export(
    service: Service,
    connector: Connector | None,
    members: MemberQuerySet,
    now: datetime,
    filters: Sequence[str],
) -> Export:
    """The members in their order, which are counted here and read as the file is written."""
    day = now.astimezone(settings.BILLING_ZONE).date()
    return Export(
        file=f"{service.key}-members-{day}",
        what="members",
        title="Members",
        says="One row for each member that the filters leave.",
        columns=COLUMNS,
        rows=_rows(service, connector, members),
        count=members.count(),
        service=service,
        readings=("members", "licenses", "activity"),
        filters=filters,
    )


def _rows(
    service: Service, connector: Connector | None, members: MemberQuerySet
) -> Iterator[list[Cell]]:
    accounts = {account.pk: account.account_name for account in service.shown_connections}
    for member in members.for_export().iterator(chunk_size=1000):
        yield [
            member.external_id,
            member.name,
            member.email,
            member.role,
            role_info(connector, member.role).name,
            member.license.name if member.license else None,
            member.status,  # type: ignore[attr-defined]
            member.invited,
            member.last_seen_at,
            member.last_seen_source,
            member.last_seen_proof,
            member.joined_at,
            member.left_at,
            accounts[member.connection_id],
        ]
