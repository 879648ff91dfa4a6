"""Several machines on one: network namespaces on a switch, whose cables can be pulled."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

NET = "10.77.0"


class NotAllowed(Exception):
    """This user, or this container, may not make network namespaces."""


@dataclass
class Network:
    """Machines by name, each with an address."""

    mark: str
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def hub(self) -> str:
        return f"{self.mark}-hub"

    def within(self, name: str) -> list[str]:
        """What comes before a command that is to run on that machine."""
        return ["ip", "netns", "exec", self.namespace(name)]

    def namespace(self, name: str) -> str:
        return f"{self.mark}-{name}"

    def pull(self, name: str) -> None:
        """Takes its cable out: nothing is refused, nothing is answered."""
        _ip("-n", self.hub, "link", "set", name, "down")

    def plug_in(self, name: str) -> None:
        _ip("-n", self.hub, "link", "set", name, "up")

    def make(self, names: Sequence[str]) -> None:
        _ip("netns", "add", self.hub)
        _ip("-n", self.hub, "link", "add", "switch", "type", "bridge")
        _ip("-n", self.hub, "link", "set", "switch", "up")
        for number, name in enumerate(names, 1):
            own, address = self.namespace(name), f"{NET}.{number}"
            _ip("netns", "add", own)
            cable = ("type", "veth", "peer", "name", "eth0", "netns", own)
            _ip("-n", self.hub, "link", "add", name, *cable)
            _ip("-n", self.hub, "link", "set", name, "master", "switch", "up")
            _ip("-n", own, "addr", "add", f"{address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", own, "link", "set", device, "up")
            self.addresses[name] = address

    def remove(self, names: Sequence[str]) -> None:
        for own in [*(self.namespace(name) for name in names), self.hub]:
            with suppress(NotAllowed):
                _ip("netns", "delete", own)


@contextmanager
def network(*names: str) -> Iterator[Network]:
    """Machines on a switch for as long as the block lasts. Raises NotAllowed."""
    made = Network(f"seatwise-{os.getpid()}")
    try:
        made.make(names)
        yield made
    finally:
        made.remove(names)


def _ip(*arguments: str) -> None:
    try:
        subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotAllowed(str(getattr(error, "stderr", "") or error).strip()) from None
