"""What a pull did: `run.json`, and whether anything is missing."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from seatwise.connectors.records import Batch, Gap, SignalRecord
from seatwise.pull.order import CAPABILITIES, Order

READ, IN_PART, NOT_READ = "read", "in part", "not read"


@dataclass(frozen=True, slots=True)
class Covered:
    """How far one capability was read.

    `why` and `remedy` are "" where it was, unless some evidence had to stand in for other.
    """

    state: str
    why: str = ""
    remedy: str = ""


class Coverage:
    """Learns from the batches how far each capability was read."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._complete: set[str] = set()
        self._found: set[str] = set()
        self._gaps: dict[str, list[Gap]] = {word: [] for word in CAPABILITIES}
        self._words = {stage: word for word, stage in CAPABILITIES.items()}

    def add(self, batch: Batch) -> None:
        word = self._words[batch.stage]
        if batch.complete:
            self._complete.add(word)
        # Usage brings evidence of activity along, which is not usage.
        for record in batch.records:
            self._found.add("activity" if isinstance(record, SignalRecord) else word)
        self._gaps[word] += [self._blotted(gap) for gap in batch.gaps]

    def of(self, word: str) -> Covered:
        """How far one of `CAPABILITIES` was read."""
        if word not in self._order.only:
            return Covered(NOT_READ, "It was not asked for.", "Leave out --only, or name it there.")
        gaps, notable = self._gaps[word], self._notable(word)
        whys = " ".join(dict.fromkeys(f"{gap.what} {gap.why}" for gap in gaps))
        remedies = " ".join(dict.fromkeys(gap.remedy for gap in gaps))
        if word in self._complete and not notable:
            return Covered(READ, whys, remedies)
        if not notable:
            unread = f"The connector of {self._order.connector.name} did not read it all."
            whys = f"{unread} {whys}".strip()
        return Covered(IN_PART if word in self._found else NOT_READ, whys, remedies)

    def notes(self, word: str) -> list[str]:
        """A line for each thing in one of `CAPABILITIES` that was asked for and not read."""
        covered = self.of(word)
        if word not in self._order.only or covered.state == READ:
            return []
        notable = self._notable(word)
        named = [f"{gap.what} {gap.why} {gap.remedy}".strip() for gap in notable]
        return named or [f"{word}: {covered.why}"]

    def _notable(self, word: str) -> list[Gap]:
        return [gap for gap in self._gaps[word] if not gap.minor]

    def _blotted(self, gap: Gap) -> Gap:
        clean = self._order.without_secret
        return replace(gap, what=clean(gap.what), why=clean(gap.why), remedy=clean(gap.remedy))


@dataclass(frozen=True, slots=True)
class Report:
    """A pull that came to its end."""

    order: Order
    started: datetime
    seconds: float
    requests: Mapping[str, int]  # by endpoint
    rows: Mapping[str, int]  # by file
    coverage: Coverage
    went_on_from: str | None = None  # when the state was read; None: there was none

    @property
    def notes(self) -> list[str]:
        """What was asked for and not read in full, and why; empty where all was."""
        told = [note for word in CAPABILITIES for note in self.coverage.notes(word)]
        return list(dict.fromkeys(told))

    def as_json(self) -> str:
        """The content of run.json. Never a credential."""
        plan = self.order.plan
        asked: dict[str, object] = {
            "vendor": self.order.connector.key,
            "base_url": self.order.base_url,
            "started": f"{self.started:%Y-%m-%dT%H:%M:%SZ}",
            "seconds": round(self.seconds, 3),
            "complete": not self.notes,
            "until": f"{plan.now:%Y-%m-%dT%H:%M:%SZ}",
            "zone": plan.zone.key,
            "activity_since": f"{plan.activity_since:%Y-%m-%dT%H:%M:%SZ}",
        }
        if self.order.state is not None:
            asked["state"] = {
                "from": self.went_on_from,
                "resumed": self.went_on_from is not None,
            }
        done = {
            "requests": {
                "total": sum(self.requests.values()),
                "by_endpoint": dict(sorted(Counter(self.requests).items())),
            },
            "rows": dict(self.rows),
            "coverage": {word: asdict(self.coverage.of(word)) for word in CAPABILITIES},
            "notes": self.notes,
        }
        return json.dumps(asked | done, ensure_ascii=False, indent=2) + "\n"
