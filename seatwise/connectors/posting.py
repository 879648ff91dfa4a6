"""The way out for messages: one POST of exact bytes to an address that an admin chose.

Apart from `http`, which asks vendors: here nobody is asked anything, and of the answer only its
status counts. Bounded are the time from connecting to the last byte and the size of the answer.
No redirect is followed, no proxy or password of the environment is used, and nothing but the
given headers is sent along. Addresses inside of the company are allowed: an admin may mean them.
"""

import asyncio
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2

from seatwise.connectors.tls import trust

DEADLINE = 15.0  # seconds, from connecting to the last byte of the answer
MOST_BYTES = 64_000  # of an answer, which nobody reads
LONGEST = 2000  # characters of an address
AGAIN = {408, 425, 429}  # refusals that another try may mend


class NotDelivered(Exception):
    """It did not arrive, or nobody knows: a sentence why, which names the host and nothing else."""

    def __init__(self, sentence: str, *, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.is_final = is_final  # whether another try would not mend it


def place_of(url: str, *, only_https: bool = False) -> str:
    """The "host" or "host:port" of an address that can be posted to.

    `only_https`: plain http is then for this very machine. Raises ValueError, with a sentence.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("This is no address.") from None
    if parts.scheme not in {"http", "https"} or not host or port == 0 or not url.isprintable():
        raise ValueError("Write an address that begins with https://.")
    if len(url) > LONGEST:
        raise ValueError(f"An address has at most {LONGEST:,} characters.")
    if "@" in parts.netloc:
        raise ValueError("Leave name and password out of the address: Seatwise sends none.")
    if only_https and parts.scheme != "https" and not _is_loopback(host):
        raise ValueError("The address must begin with https://: whoever reads it can write there.")
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{port}" if port else name


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    deadline: float = DEADLINE,
    most_bytes: int = MOST_BYTES,
) -> int:
    """Posts these bytes once; the status of the answer, which is 2xx. `deadline` in seconds.

    Raises NotDelivered, ValueError for no address. Not to be called where a loop runs.
    """
    place = place_of(url)
    status = asyncio.run(_posted(url, place, body, headers, deadline, most_bytes))
    if status < 300:
        return status
    if status < 400:
        raise NotDelivered(f"{place} wanted to redirect ({status}); Seatwise does not follow.")
    gone = status == 410
    raise NotDelivered(
        f"{place} is gone for good (410)." if gone else f"{place} answered {status}.",
        is_final=400 <= status < 500 and status not in AGAIN,
    )


async def _posted(
    url: str,
    place: str,
    body: bytes,
    headers: Mapping[str, str],
    deadline: float,
    most_bytes: int,
) -> int:
    asked = {"User-Agent": "Seatwise", "Accept-Encoding": "identity", **headers}
    try:
        async with (
            asyncio.timeout(deadline),
            httpx2.AsyncClient(
                follow_redirects=False, trust_env=False, verify=trust(), timeout=deadline
            ) as client,
            client.stream("POST", url, content=body, headers=asked) as answer,
        ):
            size = 0
            async for part in answer.aiter_raw():
                size += len(part)
                if size > most_bytes:
                    break  # its status is there, and the rest is for nobody
            return answer.status_code
    except (TimeoutError, httpx2.TimeoutException):
        raise NotDelivered(f"{place} did not finish answering within {deadline:g} s.") from None
    except httpx2.ConnectError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise NotDelivered(
                f"{place} could not prove that it is {place}; nothing was sent."
            ) from None
        raise NotDelivered(f"{place} cannot be reached.") from None
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
        raise NotDelivered("The address of the channel is malformed.", is_final=True) from None
    except httpx2.TransportError:
        raise NotDelivered(f"The connection to {place} broke off.") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
