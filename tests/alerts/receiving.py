"""Real servers on loopback that take what is sent: a mail server and a receiver of webhooks.

The receiver's check of a signature is written from the specification, not with our library.
"""

import base64
import hashlib
import hmac
import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Mail:
    """One message as it came over the wire."""

    sender: str
    to: str
    raw: bytes

    @property
    def message(self) -> Message:
        return message_from_bytes(self.raw)

    @property
    def text(self) -> str:
        payload = self.message.get_payload(decode=True)
        assert isinstance(payload, bytes)
        return payload.decode()


@dataclass
class MailServer:
    """`refuse`: {a part of a command's line: the answer to it}, such as {"RCPT": "550 no"}."""

    port: int
    password: str = ""  # of "user"; "": nobody needs to sign in
    mails: list[Mail] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    signed_in: list[bool] = field(default_factory=list)


class _MailTalk(socketserver.StreamRequestHandler):
    """As much of SMTP as a client of ours speaks."""

    def handle(self) -> None:
        self.told: MailServer = self.server.told  # type: ignore[attr-defined]
        self.sender = self.to = ""
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.upper()
            refusal = next((a for part, a in self.told.refuse.items() if part in word), "")
            if refusal == "cut":
                return
            self._say(refusal or self._answer(line, word))
            if word == "DATA" and not refusal:
                self._take()
            elif word == "QUIT":
                return

    def _answer(self, line: str, word: str) -> str:
        if word.startswith("EHLO"):
            return "250-here\r\n250 AUTH PLAIN" if self.told.password else "250 here"
        if word.startswith("AUTH PLAIN"):
            given = base64.b64decode(line.split()[2]).decode().split("\0")
            self.told.signed_in.append(given[1:] == ["user", self.told.password])
            return "235 welcome" if self.told.signed_in[-1] else "535 who are you"
        if word.startswith("MAIL FROM:"):
            self.sender = line[10:].split(maxsplit=1)[0].strip("<>")
        elif word.startswith("RCPT TO:"):
            self.to = line[8:].strip("<>")
        return {"DATA": "354 go on", "QUIT": "221 bye"}.get(word, "250 ok")

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        self.told.mails.append(Mail(self.sender, self.to, b"".join(lines)))
        self._say("250 taken")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@contextmanager
def mail_server(password: str = "") -> Iterator[MailServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _MailTalk) as server:
        server.daemon_threads = True
        told = server.told = MailServer(server.server_address[1], password)  # type: ignore[attr-defined]
        with _serving(server):
            yield told


@dataclass(frozen=True)
class Got:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """As https://www.standardwebhooks.com says: id, second and body, HMAC-SHA256."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        names = ("webhook-id", "webhook-timestamp")
        signed = b".".join([*(self.headers[name].encode() for name in names), self.body])
        right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{right}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """`answers`: the statuses of the next requests; then 204. `body` is sent with each."""

    port: int
    got: list[Got] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    body: bytes = b""
    silent: threading.Event = field(default_factory=threading.Event)  # set: it never answers
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/canary-path-9f2c71d0a4"


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.got.append(Got(self.path, headers, self.rfile.read(length)))
            if told.silent.is_set():
                told.over.wait(30)
                return
            status = told.answers.pop(0) if told.answers else 204
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"http://127.0.0.1:{told.port}/elsewhere")
            self.send_header("Content-Length", str(len(told.body) if status != 204 else 0))
            self.end_headers()
            if status != 204:
                try:
                    self.wfile.write(told.body)
                except OSError:  # nobody reads it to the end
                    self.close_connection = True

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
    server.daemon_threads = True
    told = Receiver(server.server_address[1])
    try:
        with _serving(server):
            yield told
    finally:
        told.over.set()
        server.server_close()


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(20)
