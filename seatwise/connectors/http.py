"""The one door to the network: every request to a vendor passes through `Http`.

The client library has no total deadline, no limit on a body and follows what it is told.
Here each of these is bounded: which hosts, how long, how many bytes, how many tries.
"""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

import httpx2

from seatwise.connectors import strictjson
from seatwise.connectors.base import Credentials
from seatwise.connectors.errors import (
    AccessDenied,
    BrokenAnswer,
    CredentialsRejected,
    Doubt,
    NotFound,
    NotOnThisPlan,
    RequestRefused,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.pace import Pace, Turn
from seatwise.connectors.patience import Patience, seconds_to_wait
from seatwise.connectors.requestlog import told
from seatwise.connectors.tls import trust
from seatwise.connectors.turns import TooLong, taken

T = TypeVar("T")
Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end. `data` is None where the body was empty or not JSON."""

    status: int
    headers: Mapping[str, str]
    data: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class FixedToken:
    """Credentials that cannot be renewed: a fresh grant, or a key given by hand."""

    value: str = field(repr=False)

    async def token(self) -> str:
        return self.value

    async def renew(self, rejected: str) -> str:  # noqa: ARG002 - the protocol's name
        raise CredentialsRejected("The access token was not accepted.", status=401)


def hosts_of(*urls: str) -> frozenset[str]:
    """The "host:port" of each address, as `Http` compares them."""
    return frozenset(_host_and_port(httpx2.URL(url)) for url in urls)


def bearer(token: str) -> str:
    return f"Bearer {token}"


def say_nothing(_data: object) -> str:
    return ""


class Http:
    """A client for one vendor; use it as an async context manager.

    `hosts` are the only "host:port" it connects to. `explain` reads the vendor's error body
    into a few words. `requests` counts what was sent, by endpoint. `pace` is shared with
    others who ask for the same account. Messages of errors never carry a token, a code or a
    secret.
    """

    def __init__(
        self,
        vendor: str,
        hosts: frozenset[str],
        *,
        credentials: Credentials | None = None,
        authorization: Callable[[str], str] = bearer,
        headers: Mapping[str, str] | None = None,
        explain: Callable[[object], str] = say_nothing,
        patience: Patience | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.requests: Counter[str] = Counter()
        self._vendor = vendor
        self._hosts = hosts
        self._credentials = credentials
        self._authorization = authorization
        self._explain = explain
        self._patience = patience or Patience()
        self._pace = pace or Pace(self._patience.in_flight, self._patience.share)
        # The environment could name a proxy or a .netrc that replaces our Authorization.
        self._client = httpx2.AsyncClient(
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})},
            timeout=self._patience.deadline,
            follow_redirects=False,
            trust_env=False,
            verify=trust(),
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def get(
        self,
        url: str,
        read: Callable[[object], T],
        *,
        endpoint: str,
        params: Params = (),
    ) -> T:
        """What `read` makes of the JSON at `url`; asked again while that may help.

        `read` raises ValueError for a shape that is not the documented one; this too is asked
        again, because proxies and half-done deployments answer so. `endpoint` ("/users") is
        what is counted and named in messages. Raises VendorError.
        """
        return await self._ask("GET", url, read, endpoint, params=params)

    async def query(
        self,
        url: str,
        question: Mapping[str, object],
        read: Callable[[object], T],
        *,
        endpoint: str,
    ) -> T:
        """As `get`, for what is only read but has to be asked with a JSON body by POST."""
        return await self._ask("POST", url, read, endpoint, question=question)

    async def _ask(
        self,
        method: str,
        url: str,
        read: Callable[[object], T],
        endpoint: str,
        *,
        params: Params = (),
        question: Mapping[str, object] | None = None,
    ) -> T:
        endpoint = f"{method} {endpoint}"
        renewed: str | None = None
        attempt = sent = 1
        while True:
            token = renewed or await self._token()
            try:
                answer = await self._once(
                    method, url, endpoint, sent, token=token, params=params, question=question
                )
                self._check_status(answer, endpoint, token)
                return self._read(answer, read, endpoint)
            except CredentialsRejected:
                if self._credentials is None or token is None or renewed:
                    raise
                renewed = await self._credentials.renew(token)
            except (TryAgainLater, BrokenAnswer) as error:
                pause = self._pause_after(error, attempt)
                if pause is None:
                    raise
                await self._patience.pause(pause)
                attempt += 1
            sent += 1

    async def post_form(
        self, url: str, form: Mapping[str, str], *, endpoint: str, deadline: float | None = None
    ) -> Answer:
        """The answer to a form, sent exactly once: a code or a refresh token may be spent by it.

        Refusals (4xx) are returned for the caller to read; 429, 5xx and the network raise
        TryAgainLater, a successful answer that is not JSON raises BrokenAnswer.
        """
        endpoint = f"POST {endpoint}"
        answer = await self._once("POST", url, endpoint, form=form, deadline=deadline)
        if answer.status == 429 or answer.status >= 500:
            self._check_status(answer, endpoint, None)
        return answer

    async def _token(self) -> str | None:
        return await self._credentials.token() if self._credentials else None

    async def _once(
        self,
        method: str,
        url: str,
        endpoint: str,
        attempt: int = 1,
        *,
        token: str | None = None,
        params: Params = (),
        form: Mapping[str, str] | None = None,
        question: Mapping[str, object] | None = None,
        deadline: float | None = None,
    ) -> Answer:
        target = self._allowed(url, endpoint)
        headers = {"Authorization": self._authorization(token)} if token else {}
        request = self._client.build_request(
            method, target, params=list(params) or None, data=form, json=question, headers=headers
        )
        limit = deadline or self._patience.deadline
        try:
            async with taken(self._pace, endpoint, self._patience) as turn:
                self.requests[endpoint] += 1
                with told(endpoint, attempt, params, secret=token or "") as line:
                    response, body = await self._send(request, turn, limit)
                    line.answered(response.status_code, len(body))
        except TooLong as error:
            raise TryAgainLater(
                f"{self._vendor} allows no more of these requests for now ({endpoint}).",
                after=error.after,
            ) from None
        return self._answer(response, body, endpoint)

    async def _send(
        self, request: httpx2.Request, turn: Turn, limit: float
    ) -> tuple[httpx2.Response, bytes]:
        endpoint = turn.endpoint
        doubt: Doubt = "unlikely"
        try:
            async with asyncio.timeout(limit):
                response = await self._client.send(request, stream=True)
                doubt = "likely"
                try:
                    now = self._patience.clock()
                    self._pace.heard(turn, response.status_code, response.headers, now)
                    return response, await self._body(response, endpoint)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx2.TimeoutException) as error:
            unsent = isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout)
            raise TryAgainLater(
                f"{self._vendor} did not finish answering within {limit:g} s ({endpoint}).",
                doubt="" if unsent else doubt,
            ) from None
        except httpx2.DecodingError:
            raise self._useless("sent an answer that cannot be unpacked", endpoint) from None
        except httpx2.ConnectError as error:
            raise self._unreachable(error, request.url.host, endpoint) from None
        except httpx2.TransportError:
            raise TryAgainLater(
                f"The connection to {self._vendor} broke off ({endpoint}).", doubt="likely"
            ) from None

    def _unreachable(self, error: Exception, host: str, endpoint: str) -> TryAgainLater:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return TryAgainLater(
                f"{host} could not prove that it is {self._vendor}; nothing was sent ({endpoint}).",
                remedy="The operator of Seatwise checks the certificate and the clock of its"
                " machine: somebody may be listening in between.",
            )
        return TryAgainLater(f"{self._vendor} cannot be reached at {host} ({endpoint}).")

    def _allowed(self, url: str, endpoint: str) -> httpx2.URL:
        try:
            target = httpx2.URL(url)
            place = _host_and_port(target)
        except (httpx2.InvalidURL, ValueError):
            raise _Final(f"An address of {self._vendor} is malformed ({endpoint}).") from None
        if place not in self._hosts:
            raise _Final(
                f"{self._vendor} pointed to {place}, which is not one of its addresses;"
                f" nothing was sent there ({endpoint})."
            )
        if target.scheme != "https" and not _is_loopback(target.host):
            raise _Final(f"{place} is not reached over https; nothing was sent ({endpoint}).")
        return target

    async def _body(self, response: httpx2.Response, endpoint: str) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._patience.most_bytes:
                megabytes = self._patience.most_bytes / 1_000_000
                raise _Final(
                    f"{self._vendor} sent more than {megabytes:g} MB in one answer ({endpoint}).",
                    doubt="likely",
                )
        return bytes(body)

    def _answer(self, response: httpx2.Response, body: bytes, endpoint: str) -> Answer:
        status = response.status_code
        if 300 <= status < 400:
            raise _Final(
                f"{self._vendor} wanted to redirect to another address ({endpoint});"
                " Seatwise does not follow.",
                status=status,
            )
        try:
            data = self._json(response, body, endpoint) if body else None
        except BrokenAnswer as error:
            if status < 400:
                error.status = status
                raise
            data = None  # an error page: its status says enough
        return Answer(status, response.headers, data)

    def _json(self, response: httpx2.Response, body: bytes, endpoint: str) -> object:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/html":
            raise self._useless("answered with a web page instead of data", endpoint, "unlikely")
        if kind != "application/json" and not kind.endswith("+json"):
            raise self._useless("answered with something that is not JSON", endpoint, "unlikely")
        try:
            return strictjson.parse(body)
        except ValueError:
            raise self._useless("sent data that is cut off or malformed", endpoint) from None

    def _useless(self, what: str, endpoint: str, doubt: Doubt = "likely") -> BrokenAnswer:
        return BrokenAnswer(f"{self._vendor} {what} ({endpoint}).", doubt=doubt)

    def _read(self, answer: Answer, read: Callable[[object], T], endpoint: str) -> T:
        if answer.data is None:
            raise BrokenAnswer(f"{self._vendor} sent an empty answer ({endpoint}).", status=200)
        try:
            return read(answer.data)
        except ValueError:
            raise BrokenAnswer(
                f"{self._vendor} sent data of another shape than it documents ({endpoint})."
            ) from None

    def _check_status(self, answer: Answer, endpoint: str, token: str | None) -> None:
        status = answer.status
        if status < 400:
            return
        said = _one_line(self._explain(answer.data), token)
        because = f": {said}" if said else "."
        if status == 429:
            raise TryAgainLater(
                f"{self._vendor} asked Seatwise to slow down ({endpoint}).",
                after=seconds_to_wait(answer.headers),
                status=status,
            )
        if status >= 500:
            raise TryAgainLater(
                f"{self._vendor} has a problem of its own: it answered {status} ({endpoint}).",
                after=seconds_to_wait(answer.headers),
                status=status,
            )
        kind, what = _REFUSALS.get(status, (RequestRefused, "did not accept the request"))
        raise kind(f"{self._vendor} {what} ({endpoint}){because}", status=status)

    def _pause_after(self, error: VendorError, attempt: int) -> float | None:
        """Seconds to wait before the next try; None where another try is of no use."""
        if isinstance(error, _Final):
            return None
        said = error.after if isinstance(error, TryAgainLater) else None
        return self._patience.before_try(attempt, said)


class _Final(BrokenAnswer):
    """A broken answer that another try would not mend."""


_REFUSALS: Mapping[int, tuple[type[VendorError], str]] = {
    401: (CredentialsRejected, "does not accept the access token any more"),
    402: (NotOnThisPlan, "says that the account's plan does not include this"),
    403: (AccessDenied, "does not allow this"),
    404: (NotFound, "does not have this"),
}


def _host_and_port(url: httpx2.URL) -> str:
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    if not url.host or port is None:
        raise ValueError("not an http address")
    return f"{url.host.lower()}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _one_line(said: str, token: str | None) -> str:
    if token:
        said = said.replace(token, "…")
    line = " ".join("".join(c if c.isprintable() else " " for c in said).split())[:300]
    return line if not line or line.endswith((".", "!", "?")) else f"{line}."
