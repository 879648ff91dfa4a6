"""The connection below HTTP, for answers that no well-behaved server library would send."""

import asyncio
import socket
import struct
from typing import Any, Final, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STATE: Final = "sandbox.wire"
RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: throw away what is unsent, and say so


class Wire:
    """One client's connection: written to, waited on, closed or torn."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.over = asyncio.Event()  # nobody waits any more: the client is gone, or we stop
        self.lost = asyncio.Event()  # the connection is no more
        self.taken = False  # by a fault: nobody waits for the end of its answer

    @staticmethod
    def of(scope: Scope) -> "Wire":
        """The connection a request came by. Raises LookupError under another server."""
        return cast("Wire", scope["state"][STATE])

    async def pause(self, seconds: float) -> None:
        """Waits so long, or until nobody is left to wait for."""
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self.over.wait()
        except TimeoutError:
            return

    def write(self, data: bytes) -> None:
        """Sends bytes as they are."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    async def close(self) -> None:
        """Ends the connection in good order, after what was written."""
        if self.transport is not None:
            self.transport.close()
            await self.lost.wait()

    async def reset(self) -> None:
        """Tears the connection down: the client gets a reset."""
        if self.transport is not None:
            held = self.transport.get_extra_info("socket")
            if held is not None and not self.transport.is_closing():
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()
            await self.lost.wait()


class WireProtocol(HttpToolsProtocol):
    """The web server's protocol, which hands each request the connection it came by."""

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self.wire = Wire()
        super().__init__(config, server_state, {**app_state, STATE: self.wire}, _loop)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins a connection."""
        self.wire.transport = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends a connection, whoever ended it."""
        super().connection_lost(exc)
        self.wire.over.set()
        self.wire.lost.set()

    def shutdown(self) -> None:
        """Lets a running answer be finished at once; one that a fault holds up is dropped."""
        super().shutdown()
        self.wire.over.set()
        if self.wire.taken and self.wire.transport is not None:
            self.wire.transport.abort()
