"""A scripted fault: which requests it strikes, and when."""

import time
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Final

from .values import Parse, anything, headers, method, number, one_of, or_null, text, whole
from .values import yes_or_no as flag

HOUR: Final = 3600
LARGEST: Final = 1 << 40  # bytes
GENERAL: Final[dict[str, Parse]] = {  # what every fault may have
    "path": text,
    "region": or_null(one_of(("us", "eu", "identity"))),
    "method": or_null(method),
    "query": or_null(text),
    "after": whole(0, 1_000_000_000),
    "times": or_null(whole(0, 1_000_000_000)),
    "every": whole(1, 1_000_000_000),
    "seconds": or_null(number(0, 24 * HOUR)),
    "kind": text,
    "perform": flag,
    "delay": number(0, HOUR),
}
SPECIAL: Final[dict[str, Parse]] = {  # what some kinds have besides
    "status": whole(200, 599),
    "headers": headers,
    "body": anything,
    "word": text,
    "key": text,
    "size": whole(1, LARGEST),
    "at_byte": whole(0, LARGEST),
    "share": number(0, 1),
    "piece": whole(1, LARGEST),
    "levels": whole(1, 10_000_000),
    "reset": whole(0, 24 * HOUR),
}


@dataclass
class Fault:
    """Something that goes wrong with some of the requests to a path.

    Of the requests that fit, `after` are let through first; from then on every `every`-th goes
    wrong, `times` times (None: for ever), and no longer than `seconds` after the first one did.
    """

    path: str  # without the region; may hold *
    region: str | None = None  # "us", "eu", "identity"; None: anywhere
    method: str | None = None
    query: str | None = None  # a piece of the query string, as it was sent
    after: int = 0
    times: int | None = 1
    every: int = 1
    seconds: float | None = None
    kind: str = "status"
    perform: bool = False  # the work is done all the same, and only the answer is lost
    delay: float = 0.0  # seconds
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    word: str | None = None
    key: str | None = None
    size: int | None = None  # bytes
    at_byte: int | None = None
    share: float = 2 / 3
    piece: int = 16  # bytes
    levels: int = 200_000
    reset: int = 30  # seconds
    fitted: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)
    began: float | None = field(default=None, init=False)
    kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False)  # between strikes

    def strikes(self, method: str, region: str, path: str, query: str) -> bool:
        """Whether it hits this request, which is counted."""
        fits = (
            self.region in (None, region)
            and self.method in (None, method)
            and (self.query is None or self.query in query)
            and fnmatchcase(path, self.path)
        )
        if not fits:
            return False
        self.fitted += 1
        turn = self.fitted - self.after - 1
        if turn < 0 or turn % self.every or self._is_over():
            return False
        self.struck += 1
        if self.began is None:
            self.began = time.monotonic()
        return True

    def describe(self) -> dict[str, Any]:
        """The fault as it was scripted, and how often it has struck."""
        scripted = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        default = {f.name: getattr(Fault(""), f.name) for f in fields(self) if f.init}
        changed = {name: value for name, value in scripted.items() if value != default[name]}
        return {"path": self.path, "kind": self.kind} | changed | {"struck": self.struck}

    def _is_over(self) -> bool:
        spent = self.times is not None and self.struck >= self.times
        late = self.seconds is not None and self.began is not None
        return spent or (late and time.monotonic() - (self.began or 0) > (self.seconds or 0))
