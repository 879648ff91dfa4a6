"""Where the pages answer: the address is taken before anything else is started."""

import os
import socket

HANDED_OVER = "fd://"
BASE_SETTING = "SEATWISE_BASE_URL"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any free one, and host `fd://3` one handed over.

    Stops the program with one line when the address cannot be had.
    """
    try:
        return try_to_listen(host, port)
    except OSError as error:
        raise SystemExit(refusal(host, port, error)) from None


def try_to_listen(host: str, port: int) -> socket.socket:
    """The same, for whoever knows another address. Raises OSError."""
    if host.startswith(HANDED_OVER):
        return _handed_over(host.removeprefix(HANDED_OVER))
    family, kind, protocol, _name, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def refusal(host: str, port: int, error: OSError) -> str:
    """The one line that says why an address cannot be had."""
    where = f"--host {host}" if host.startswith(HANDED_OVER) else f"--host {host} --port {port}"
    return f"seatwise: {where} cannot be listened on: {error.strerror or error}."


def address_of(listener: socket.socket) -> str:
    """Its http address, without a path."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def name_the_port(listener: socket.socket) -> None:
    """Pages and the vendors' redirect address must name the port that is really listened on."""
    given = (os.environ.get(name, "").strip() for name in (BASE_SETTING, f"{BASE_SETTING}_FILE"))
    if not any(given):
        os.environ[BASE_SETTING] = f"http://localhost:{listener.getsockname()[1]}"


def _handed_over(number: str) -> socket.socket:
    try:
        listener = socket.socket(fileno=int(number))
    except (ValueError, OverflowError):
        raise OSError(0, "there is no such socket") from None
    if listener.family not in {socket.AF_INET, socket.AF_INET6}:
        listener.close()
        raise OSError(0, "it is no TCP socket")
    return listener
