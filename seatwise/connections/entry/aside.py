"""A proved grant, put away sealed until somebody has chosen what becomes of it."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from seatwise.connections.checking import Proved
from seatwise.connections.ways import Given
from seatwise.connectors.base import Connector
from seatwise.connectors.records import Account, Check, Gap, Grant
from seatwise.models import Authorization
from seatwise.vault import CannotOpen


def written(attempt: Authorization, proved: Proved) -> dict[str, Any]:
    """Seals the grant into the attempt, unsaved; returns the rest, which is no secret."""
    given = proved.given
    secret = {**asdict(given.grant), "id_token": None, "scopes": _sorted(given.grant.scopes)}
    whole = {"grant": secret, "credential": given.credential, "at": given.at.isoformat()}
    attempt.seal("held", json.dumps(whole))
    account = asdict(proved.account) | {"scopes": _sorted(proved.account.scopes)}
    return {"account": account, "checks": [asdict(check) for check in proved.checks]}


def reopened(attempt: Authorization, connector: Connector) -> Proved:
    """What was put away. Raises CannotOpen, also where the way in is gone."""
    try:
        whole = json.loads(attempt.unseal("held"))
        told = attempt.account or {}
        way = next(way for way in connector.ways if way.key == attempt.way)
        grant = Grant(**whole["grant"] | {"scopes": _set(whole["grant"]["scopes"])})
        given = Given(way, grant, datetime.fromisoformat(whole["at"]), whole["credential"])
        account = Account(**told["account"] | {"scopes": _set(told["account"]["scopes"])})
        return Proved(given, account, tuple(_check(each) for each in told["checks"]))
    except (ValueError, KeyError, TypeError, StopIteration):
        raise CannotOpen("What was held is not whole.") from None


def _check(told: dict[str, Any]) -> Check:
    return Check(**told | {"gap": Gap(**told["gap"]) if told["gap"] else None})


def _sorted(scopes: frozenset[str] | None) -> list[str] | None:
    return None if scopes is None else sorted(scopes)


def _set(scopes: list[str] | None) -> frozenset[str] | None:
    return None if scopes is None else frozenset(scopes)
