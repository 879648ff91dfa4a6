"""A server that misbehaves byte by byte: what no well-behaved server library can be made to do."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Behaviour = bytes | Callable[[socket.socket], None]


@dataclass
class FaultServer:
    """`script` maps a path to what happens there, time after time; the last one stays."""

    port: int
    script: dict[str, list[Behaviour]] = field(default_factory=dict)
    requests: list[bytes] = field(default_factory=list)  # whole, head and body
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, path: str, *behaviours: Behaviour) -> str:
        """Scripts a path; returns its address."""
        self.script[path] = list(behaviours)
        return self.url + path

    def serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            request = _read_request(connection)
            if not request:
                return
            self.requests.append(request)
            steps = self.script[request.split(b" ")[1].split(b"?")[0].decode()]
            step = steps.pop(0) if len(steps) > 1 else steps[0]
            try:
                if callable(step):
                    step(connection)
                else:
                    connection.sendall(step)
            except OSError:
                return  # the client gave up, as it should

    def stay_silent(self, connection: socket.socket) -> None:
        """Takes the request and never answers."""
        self.closing.wait(10)

    def drip(self, connection: socket.socket) -> None:
        """A body that keeps coming, one byte at a time, and never ends."""
        connection.sendall(head(length=1_000_000))
        while not self.closing.wait(0.02):
            connection.sendall(b" ")


@contextmanager
def fault_server() -> Iterator[FaultServer]:
    """A fault server on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = FaultServer(listener.getsockname()[1])
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if server.closing.is_set():
                connection.close()
                return
            thread = threading.Thread(target=server.serve, args=(connection,), daemon=True)
            threads.append(thread)
            thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        server.closing.set()
        socket.create_connection(("127.0.0.1", server.port)).close()  # wakes the acceptor
        for thread in (acceptor, *threads):
            thread.join(5)
        listener.close()


def head(
    status: int = 200, *, length: int | None = None, kind: str = "application/json", **more: str
) -> bytes:
    """The head of an answer; without a length the body ends where the connection does."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {kind}", "Connection: close"]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(body: bytes, status: int = 200, *, kind: str = "application/json", **more: str) -> bytes:
    """A whole, correct answer."""
    return head(status, length=len(body), kind=kind, **more) + body


def reset_after(start: bytes) -> Callable[[socket.socket], None]:
    """Sends that much, then resets the connection."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def endless(start: bytes, block: bytes) -> Callable[[socket.socket], None]:
    """Sends the same block for ever."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(block)

    return behave


def _read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        block = connection.recv(65_536)
        if not block:
            return b""
        received += block
    start, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in start.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65_536)
    return start + b"\r\n\r\n" + body
