"""When a connection is read, and what is asked for then."""

import logging
from dataclasses import replace

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.state import State, StateRefused
from seatwise.models import Connection, UsagePoint
from seatwise.sync.claim import Claim

log = logging.getLogger(__name__)


def plan_now(connection: Connection) -> ReadPlan:
    """The plan for this moment, from where the last sync came to.

    Months begin and end in the workspace's billing zone. Where this version cannot go on from
    what was kept, everything is read anew.
    """
    plan = ReadPlan.at(timezone.now(), settings.BILLING_ZONE, connection.reading_state)
    plan = replace(plan, home_code=settings.HOME_CODE)
    try:
        State.opened(plan.state)
    except StateRefused as reason:
        return anew(plan, connection, reason)
    return plan


@transaction.atomic
def agree_on_terms(claim: Claim, plan: ReadPlan) -> None:
    """Numbers of another zone's months, or of another home, are not final any more.

    Raises Superseded.
    """
    connection = claim.hold().connection
    terms = {"zone": plan.zone.key, "home": plan.home_code}
    before = connection.usage_terms
    if before == terms:
        return
    if before:
        known = connection.connector.metrics if connection.connector else ()
        split = [info.key for info in known if info.by_home and before["home"] != terms["home"]]
        UsagePoint.objects.filter(connection=connection).reopen(plan.months, split)
    connection.usage_terms = terms
    connection.save(update_fields=["usage_terms"])


def anew(plan: ReadPlan, connection: Connection, reason: StateRefused) -> ReadPlan:
    """The same plan without what was kept; the log says why."""
    log.warning("connection %s reads everything anew: %s", connection.pk, reason)
    return replace(plan, state={})
