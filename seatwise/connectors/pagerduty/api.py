"""PagerDuty's REST API of one region: addresses, headers and how it words its errors."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar

from pydantic import BaseModel, StrictBool

from seatwise.connectors.base import Credentials
from seatwise.connectors.http import Http, Params, bearer, hosts_of
from seatwise.connectors.pace import PACES, Pace
from seatwise.connectors.pagerduty.fields import Count, Doc
from seatwise.connectors.patience import Patience

D = TypeVar("D", bound=BaseModel)

API_KEY = "Token token="  # an API key is given with this prefix and sent as it is


class Api:
    """One region's API, opened with somebody's credentials.

    With an `account` its requests keep step with all others of this process to that account.
    """

    def __init__(
        self,
        api_url: str,
        credentials: Credentials,
        patience: Patience | None = None,
        account: str = "",
    ) -> None:
        self._url = api_url.rstrip("/")
        self._credentials = credentials
        self.http = Http(
            "PagerDuty",
            hosts_of(self._url),
            credentials=credentials,
            authorization=authorization,
            headers={"Accept": "application/vnd.pagerduty+json;version=2"},
            explain=explain,
            patience=patience,
            pace=_pace(self._url, account, patience or Patience()) if account else None,
        )

    async def __aenter__(self) -> Self:
        await self.http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.http.__aexit__(kind, error, trace)

    async def get(self, path: str, shape: type[D], params: Params = (), endpoint: str = "") -> D:
        """The document at `path` ("/users"), counted as `endpoint`. Raises VendorError."""
        read: Callable[[object], D] = shape.model_validate
        endpoint = endpoint or path
        return await self.http.get(f"{self._url}{path}", read, endpoint=endpoint, params=params)

    async def query(self, path: str, question: Mapping[str, object], shape: type[D]) -> D:
        """What is answered to a question that is only read, but by POST. Raises VendorError."""
        read: Callable[[object], D] = shape.model_validate
        return await self.http.query(f"{self._url}{path}", question, read, endpoint=path)

    async def has_key(self) -> bool:
        """Whether it was opened with an API key, whose permissions nobody tells beforehand."""
        return (await self._credentials.token()).startswith(API_KEY)


class PageDoc(Doc):
    """What every page of a classic list carries. A page without `more` is no page."""

    more: StrictBool
    total: Count = None


def _pace(api_url: str, account: str, patience: Patience) -> Pace:
    (host,) = hosts_of(api_url)
    return PACES.of(host, account, in_flight=patience.in_flight, share=patience.share)


def stamp(moment: datetime) -> str:
    """A time as the API takes it: with its zone, for it reads bare ones in the account's."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def authorization(token: str) -> str:
    """The header for an OAuth token, or for an API key written with its prefix."""
    return token if token.startswith(API_KEY) else bearer(token)


def explain(data: object) -> str:
    """The words of an error body, of which `errors` may be a list, a string or null."""
    error = data.get("error") if isinstance(data, dict) else None
    if isinstance(error, str):
        return error
    if not isinstance(error, dict):
        return ""
    errors = error.get("errors")
    details = errors if isinstance(errors, list) else [errors]
    parts = [error.get("message"), *details]
    said = "; ".join(part for part in parts if isinstance(part, str) and part)
    needed = error.get("required_scopes")
    if isinstance(needed, list):
        needed = " ".join(str(scope) for scope in needed)
    return f"{said} (needed: {needed})" if isinstance(needed, str) and needed else said
