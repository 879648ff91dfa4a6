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


@contextmanager
def mail_server(password: str = "") -> Iterator[MailServer]:
    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            sender = to = ""
            while line := self.rfile.readline().decode().strip():
                word = line.upper()
                refusal = next((a for part, a in told.refuse.items() if part in word), "")
                if refusal == "cut":
                    return
                if refusal:
                    self._say(refusal)
                elif word.startswith("EHLO"):
                    self._say("250-here\r\n250 AUTH PLAIN" if told.password else "250 here")
                elif word.startswith("AUTH PLAIN"):
                    given = base64.b64decode(line.split()[2]).decode().split("\0")
                    good = given[1:] == ["user", told.password]
                    told.signed_in.append(good)
                    self._say("235 welcome" if good else "535 who are you")
                elif word.startswith("MAIL FROM:"):
                    sender = line[10:].split()[0].strip("<>")
                    self._say("250 ok")
                elif word.startswith("RCPT TO:"):
                    to = line[8:].strip("<>")
                    self._say("250 ok")
                elif word == "DATA":
                    self._say("354 go on")
                    self._take(sender, to)
                elif word == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _take(self, sender: str, to: str) -> None:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line[1:] if line.startswith(b"..") else line)
            told.mails.append(Mail(sender, to, b"".join(lines)))
            self._say("250 taken")

        def _say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads = True
        told = MailServer(server.server_address[1], password)
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
