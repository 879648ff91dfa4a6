"""The checks before trust: asks one small question about each thing that Seatwise reads."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from seatwise.connectors.errors import (
    BrokenAnswer,
    CredentialsRejected,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.http import FixedToken
from seatwise.connectors.pagerduty import facts
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.permit import Permit
from seatwise.connectors.pagerduty.probes import MembersDoc, Probes
from seatwise.connectors.pagerduty.usage.notifications import NOT_FOR_US
from seatwise.connectors.pagerduty.verdicts import VISITS, Answers, Verdicts
from seatwise.connectors.patience import Patience
from seatwise.connectors.records import Account, Check

T = TypeVar("T")


async def inspect(
    account: Account, token: str, asked: frozenset[str], patience: Patience | None
) -> tuple[Check, ...]:
    """Each check, by at most eleven requests; what was not granted is not asked for.

    Somebody is waiting for it, so it waits for the vendor no longer than they would. Raises
    CredentialsRejected, and TryAgainLater or BrokenAnswer where no question was answered.
    """
    patience = replace(
        patience or Patience(), tries=2, deadline=15.0, hopeless=5.0, longest_window=5.0
    )
    permit = Permit.of(account, token, asked)
    known_as = account.external_id or account.name
    async with Api(account.api_url, FixedToken(token), patience, known_as) as api:
        answers = await _Questions(permit, Probes(api)).ask()
    return tuple(Verdicts(account, permit, answers).told())


class _Questions:
    def __init__(self, permit: Permit, probes: Probes) -> None:
        self._permit, self._probes = permit, probes
        self._came: list[VendorError | None] = []  # of each question; None: an answer

    async def ask(self) -> Answers:
        """All of them, together as far as none needs another's answer. Raises VendorError."""
        probes = self._probes
        async with asyncio.TaskGroup() as group:
            me = group.create_task(self._of(probes.me))
            members = group.create_task(self._of(probes.members, "users.read"))
            licenses = group.create_task(self._of(probes.licenses, "licenses.read"))
            abilities = group.create_task(self._of(probes.abilities, "abilities.read"))
            incidents = group.create_task(self._of(probes.incidents, "incidents.read"))
            notifications = group.create_task(
                self._of(probes.notifications, "users:notifications.read")
            )
            sign_ins = group.create_task(self._of(probes.sign_ins, facts.ANALYTICS))
            changes = group.create_task(self._of(probes.changes, facts.AUDIT))
            duty = group.create_task(self._ask_for_duty())
        self._judge()
        log = visits = None
        if isinstance(notifications.result(), NOT_FOR_US):
            log = await self._of(probes.log, "incidents.read")
        if sign_ins.result() is not None and self._permit.concerns(*VISITS):
            visits = await self._ask_for_visits(members.result())
        self._judge()
        return Answers(
            me.result(),
            members.result(),
            licenses.result(),
            abilities.result(),
            incidents.result(),
            notifications.result(),
            log,
            sign_ins.result(),
            changes.result(),
            visits,
            duty.result(),
        )

    async def _ask_for_duty(self) -> VendorError | None:
        """It takes all three permissions, and one question tells as much as three."""
        if not self._permit.concerns(*facts.DUTY):
            return None
        if missing := sorted(scope for scope in facts.DUTY if self._permit.lacks(scope)):
            return self._permit.withheld(*missing)
        return await self._of(self._probes.duty)

    async def _ask_for_visits(self, members: MembersDoc | VendorError) -> VendorError | None:
        granted = [scope for scope in VISITS if not self._permit.lacks(scope)]
        if not granted:
            return self._permit.withheld(*(s for s in VISITS if s in self._permit.asked))
        if isinstance(members, VendorError):
            return members
        if not members.users:
            return None
        member = members.users[0].id
        return await self._of(lambda: self._probes.visits(granted[0], member))

    async def _of(self, question: Callable[[], Awaitable[T]], scope: str = "") -> T | VendorError:
        """The answer, or why there is none."""
        if scope and self._permit.lacks(scope):
            return self._permit.withheld(scope)
        try:
            answer = await question()
        except VendorError as error:
            self._came.append(error)
            return error
        self._came.append(None)
        return answer

    def _judge(self) -> None:
        """Raises what leaves nothing to be said."""
        for error in self._came:
            if isinstance(error, CredentialsRejected):
                raise error
        if all(isinstance(each, TryAgainLater | BrokenAnswer) for each in self._came):
            raise next(error for error in self._came if error is not None)
