"""One strike of a fault: the request it hit, the good answer, and the ways to send another."""

import asyncio
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...wire import Wire
from .scripted import Fault

NOTE: Final = "sandbox.note"  # for the record alone: what goes round the web server
BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


@dataclass
class Answer:
    """A whole answer, held in the hand."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def made(cls, status: int, body: bytes, kind: str, more: dict[str, str]) -> "Answer":
        """An answer of that content type; `more` headers go before it."""
        headers = {"content-type": kind} | {name.lower(): value for name, value in more.items()}
        return cls(status, [(k.encode(), v.encode("latin-1")) for k, v in headers.items()], body)

    def json(self) -> Any:
        """What the body says, or None when it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def head(self, length: int | None) -> bytes:
        """The head as bytes, for a connection that ends with this answer."""
        lines = [b"HTTP/1.1 %d %s" % (self.status, HTTPStatus(self.status).phrase.encode())]
        lines += [name + b": " + value for name, value in self.without(b"content-length")]
        if length is not None:
            lines.append(b"content-length: %d" % length)
        return b"\r\n".join([*lines, b"connection: close", b"", b""])

    def without(self, *names: bytes) -> list[tuple[bytes, bytes]]:
        """The headers, but for those."""
        return [(name, value) for name, value in self.headers if name not in names]


@dataclass
class Strike:
    """The request a fault has hit."""

    fault: Fault
    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send

    @property
    def wire(self) -> Wire:
        """The connection the request came by."""
        return Wire.of(self.scope)

    async def good(self) -> Answer:
        """What the vendor would have answered; the work behind it is done."""
        answer = Answer()

        async def take(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message["headers"])
            else:
                answer.body += message.get("body", b"")

        await self.app(self.scope, self.receive, take)
        return answer

    async def posted(self) -> bytes:
        """The whole body of the request; the vendor still gets it, however often it is asked."""
        body, more = b"", True
        while more:
            message = await self.receive()
            body, more = body + message.get("body", b""), bool(message.get("more_body"))
        self.post(body)
        return body

    def post(self, body: bytes) -> None:
        """Gives the vendor that body in the place of what was sent."""

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        self.receive = receive

    async def pause(self) -> None:
        """Waits as long as the fault says."""
        await self.wire.pause(self.fault.delay)

    async def give(self, answer: Answer) -> None:
        """Answers, with the right length."""
        headers, body = answer.without(b"content-length"), answer.body
        if answer.status in BODILESS:
            body = b""
        else:
            headers.append((b"content-length", b"%d" % len(body)))
        await self.start(answer.status, headers)
        await self.send({"type": "http.response.body", "body": body})

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Begins an answer; without a length it is sent in chunks."""
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def more(self, block: bytes) -> bool:
        """Sends a piece of the body. False: nobody wants another, the connection is gone."""
        await self.send({"type": "http.response.body", "body": block, "more_body": True})
        await asyncio.sleep(0)  # others want an answer meanwhile
        if self.wire.over.is_set():
            await self.wire.reset()
            return False
        return True

    async def end(self) -> None:
        """Ends the body; the connection goes on."""
        self.wire.taken = False
        await self.send({"type": "http.response.body", "body": b""})

    async def note(self, status: int | None) -> None:
        """Takes the connection over; the record shows that status."""
        self.wire.taken = True
        await self.send({"type": NOTE, "status": status})
