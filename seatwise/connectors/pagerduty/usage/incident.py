"""One incident as the list of incidents shows it, and what it tells of people."""

from collections.abc import Sequence
from typing import Annotated

from seatwise.connectors.pagerduty.api import Api, PageDoc
from seatwise.connectors.pagerduty.fields import (
    Count,
    Doc,
    Id,
    Link,
    Moment,
    Perhaps,
    ReferenceDoc,
    Several,
    Word,
)
from seatwise.connectors.pagerduty.paging import Page
from seatwise.connectors.records import SignalRecord


class AcknowledgementDoc(Doc):
    at: Moment = None
    acknowledger: Annotated[ReferenceDoc | None, Perhaps] = None


class AlertCountsDoc(Doc):
    all: Count = None


class IncidentDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Incidents → List incidents."""

    id: Id
    incident_number: Count = None
    created_at: Moment = None
    status: Word = ""
    html_url: Link = ""
    service: Annotated[ReferenceDoc | None, Perhaps] = None
    acknowledgements: Annotated[list[AcknowledgementDoc], Several] = []
    resolved_at: Moment = None
    last_status_change_at: Moment = None
    last_status_change_by: Annotated[ReferenceDoc | None, Perhaps] = None
    alert_counts: Annotated[AlertCountsDoc | None, Perhaps] = None

    @property
    def is_open(self) -> bool:
        """Whether it may still gain alerts."""
        return self.status != "resolved"

    @property
    def alerts(self) -> int | None:
        """How many alerts are grouped under it."""
        return self.alert_counts.all if self.alert_counts else None


class IncidentsDoc(PageDoc):
    incidents: list[IncidentDoc]


async def page_of(
    api: Api, question: Sequence[tuple[str, str]], offset: int, limit: int
) -> Page[IncidentDoc]:
    """A page of the list that these parameters ask for. Raises VendorError."""
    paging = (("limit", str(limit)), ("offset", str(offset)), ("total", "true"))
    doc = await api.get("/incidents", IncidentsDoc, (*question, *paging))
    return Page(doc.incidents, doc.more, doc.total)


def signals(incident: IncidentDoc) -> list[SignalRecord]:
    """Who did what to it, as far as the list of incidents tells."""
    name = f"incident #{incident.incident_number}" if incident.incident_number else "an incident"
    acts = [("acknowledged", entry.acknowledger, entry.at) for entry in incident.acknowledgements]
    source = incident.status if incident.status in ("acknowledged", "resolved") else "other_action"
    acts.append((source, incident.last_status_change_by, incident.last_status_change_at))
    return [
        SignalRecord(
            who.user_id,
            source,
            at,
            f"{'changed' if source == 'other_action' else source} {name}",
            incident.html_url,
        )
        for source, who, at in acts
        if who and who.user_id and at
    ]
