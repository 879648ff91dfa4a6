"""Everything about PagerDuty, and nothing of it anywhere else."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from seatwise.connectors.base import Config, Credentials, OAuthApp
from seatwise.connectors.pagerduty import facts
from seatwise.connectors.pagerduty.api import API_KEY, Api
from seatwise.connectors.pagerduty.prices import LIST_PRICES
from seatwise.connectors.pagerduty.reader import PagerDutyReader
from seatwise.connectors.pagerduty.ways import WAYS
from seatwise.connectors.patience import Patience
from seatwise.connectors.records import Account, Check, Grant


class PagerDuty:
    """PagerDuty: its facts, and the doors to an account there."""

    key = "pagerduty"
    name = "PagerDuty"
    settings = facts.SETTINGS
    ways = WAYS
    scopes = facts.SCOPES
    reads = facts.READS
    roles = facts.ROLES
    metrics = facts.METRICS
    sources = facts.SOURCES
    usage_headline = facts.USAGE_HEADLINE
    list_prices = LIST_PRICES
    authorizer = facts.AUTHORIZER
    removal = facts.REMOVAL
    evidence = facts.EVIDENCE
    default_api_url = facts.base_url({}, facts.REGIONS["US"])

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience

    def oauth_app(self, config: Config) -> OAuthApp:
        """Where people authorize, and our client there."""
        return facts.oauth_app(config)

    async def identify(self, config: Config, grant: Grant) -> Account:
        """The account a grant opens, and who gave it. Raises VendorError."""
        # Who reads with a key at hand need not wait for what proves an ID token.
        from seatwise.connectors.pagerduty.identity import identify

        return await identify(config, grant, self._patience)

    async def inspect(
        self,
        config: Config,  # noqa: ARG002 - the contract's; the account knows its address
        account: Account,
        token: str,
        asked: frozenset[str],
    ) -> tuple[Check, ...]:
        """What of the account can be read, by at most eleven requests. Raises VendorError only
        where the token is refused, or nothing at all is answered."""
        from seatwise.connectors.pagerduty.checks import inspect

        return await inspect(account, token, asked, self._patience)

    async def machine_grant(self, app: OAuthApp, account_name: str, scopes: Iterable[str]) -> Grant:
        """The tokens of a private app for the account of that name, or of that address.

        Where the app may not have all of `scopes` it gets what it may. Raises VendorError.
        """
        from seatwise.connectors.pagerduty.machine import machine_grant

        return await machine_grant(app, account_name, scopes, self._patience)

    def token_of(self, api_key: str) -> str:
        """An API key as the reader takes it: written "Token token=…"."""
        return f"{API_KEY}{api_key}"

    @asynccontextmanager
    async def reader(
        self,
        config: Config,  # noqa: ARG002 - the contract's; the account knows its address
        account: Account,
        credentials: Credentials,
    ) -> AsyncIterator[PagerDutyReader]:
        """An open account; its requests go to `account.api_url` and nowhere else.

        A token written "Token token=…" is an API key and is sent as one. All readers of one
        account in this process keep to its rate limit together.
        """
        known_as = account.external_id or account.name
        own = f"{known_as} on-calls"  # they have a limit of their own, which is nobody else's pace
        async with (
            Api(account.api_url, credentials, self._patience, known_as) as api,
            Api(account.api_url, credentials, self._patience, own) as oncalls,
        ):
            oncalls.http.requests = api.http.requests
            yield PagerDutyReader(api, account.scopes, oncalls)
