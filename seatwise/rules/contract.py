"""What is bought against what is held."""

from collections.abc import Iterator

from seatwise.pricing import words
from seatwise.rules.facts import Evidence, Facts, Found, Spared
from seatwise.rules.rule import Outcome, Thresholds

RUNNING_OUT, NOT_USED, TOO_LARGE = "seats_running_out", "seats_not_used", "plan_too_large"
FULL_MONTHS = 3  # before it a plan's use is not judged


def seats_running_out(facts: Facts, limits: Thresholds) -> Iterator[Outcome]:
    """Licences that share a pool repeat its number, so each pool is told once."""
    told: set[tuple[str, int]] = set()
    for pool in facts.pools:
        if pool.available is None:
            yield Spared(RUNNING_OUT, f"license:{pool.name}", "unlimited, or not known")
            continue
        if pool.available > limits["seats"]:
            yield Spared(RUNNING_OUT, f"license:{pool.name}", "seats are left")
            continue
        if (pool.kind, pool.available) in told:
            continue
        told.add((pool.kind, pool.available))
        at = facts.as_of.get("licenses")
        used = "not told" if pool.used is None else f"{pool.used:,}"
        left = "No seat is" if not pool.available else (
            f"{pool.available:,} seat{'s are' if pool.available > 1 else ' is'}"
        )  # fmt: skip
        yield Found(
            rule=RUNNING_OUT,
            subject=f"license:{pool.name}"[:200],
            text=f"{left} left of {pool.name}.",
            evidence=(
                Evidence("Available", f"{pool.available:,}", "the vendor’s licences", at),
                Evidence("Used", used, "the vendor’s licences", at),
            ),
            confidence="certain",
            reversible=True,
        )


def seats_not_used(facts: Facts, limits: Thresholds) -> Iterator[Outcome]:
    """Paid, and held by nobody: committed, in a pack, or kept up by the highest month before."""
    if facts.terms is None or facts.position is None:
        return
    for line in facts.terms.lines:
        billed = facts.position.billed.get(line.key)
        if billed is None:
            continue
        held = facts.position.held.get(line.key, 0)
        empty = billed.seats - held
        if empty < limits["seats"]:
            yield Spared(NOT_USED, f"line:{line.key}", "all but a few of the paid seats are held")
            continue
        price = [Evidence("Price", words(line.price, facts.terms.currency), "the contract")]
        yield Found(
            rule=NOT_USED,
            subject=f"line:{line.key}",
            text=f"{empty:,} of {billed.seats:,} paid seats of {line.name} are held by nobody.",
            evidence=(
                Evidence("Paid for", f"{billed.seats:,}", _paid(billed.mark, line.committed)),
                Evidence("Held", f"{held:,}", "the list of members", facts.as_of.get("members")),
                *(price if line.price is not None else []),
            ),
            confidence="certain",
            reversible=True,
            line=line.key,
            empty=empty,
            counts=True,
        )


def plan_too_large(facts: Facts, limits: Thresholds) -> Iterator[Outcome]:
    """Whether a smaller plan would hold the seats, by what months that are over tell of use."""
    months = sorted(facts.final)[-FULL_MONTHS:]
    if len(months) < FULL_MONTHS:
        yield Spared(TOO_LARGE, "plan", f"fewer than {FULL_MONTHS} months are known")
        return
    full = sum(seat.kind == "full" for seat in facts.seats)
    used = [facts.usage[month].get("incidents") for month in months]
    known = [number for number in used if number is not None]
    if not full or len(known) < len(used):
        yield Spared(TOO_LARGE, "plan", "its use is not known")
        return
    each = sum(known) / len(known) / full
    if each * 100 > limits["percent"]:
        yield Spared(TOO_LARGE, "plan", "is used more than the limit says")
        return
    rows = [
        Evidence(f"{month:%B %Y}", f"{number:,} incidents", "usage, final")
        for month, number in zip(months, known, strict=True)
    ]
    yield Found(
        rule=TOO_LARGE,
        subject="plan",
        text=f"{full:,} full seats had {sum(known):,} incidents in {FULL_MONTHS} months, at most"
        f" {limits['percent'] / 100:g} a seat and month. A smaller plan or fewer seats may do.",
        evidence=(Evidence("Full seats", f"{full:,}", "the list of members",
                           facts.as_of.get("members")), *rows),
        confidence="hint",
        reversible=True,
    )  # fmt: skip


def _paid(mark: int, committed: int | None) -> str:
    if committed is not None and committed >= mark:
        return "committed in the contract"
    return "the highest month since the last confirmed reduction, or the packs that hold them"
