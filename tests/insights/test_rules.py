"""Every rule finds its example and not the near miss; and what no rule may ever do."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwise import rules
from seatwise.models.member_status import STATUSES
from seatwise.rules import RULES, DutyFact, Facts, Found, PersonFact, SeatFact, Spared
from seatwise.rules.examples import EXAMPLES, NOW, TERMS, ago, facts, outcome_of, seat

ROLES = [("owner", 0), ("admin", 1), ("user", 2), ("read_only_user", 6)]
DUTIES = st.none() | st.lists(
    st.builds(DutyFact, st.sampled_from(["schedule", "policy", "override", "oncall"]), st.text()),
    max_size=2,
).map(tuple)  # fmt: skip


@st.composite
def seats(draw: st.DrawFn) -> tuple[SeatFact, ...]:
    found = []
    for number in range(draw(st.integers(0, 12))):
        role, rank = draw(st.sampled_from(ROLES))
        status = draw(st.sampled_from([each for each in STATUSES if each != "left"]))
        idle = draw(st.integers(0, 400))
        was_seen = status not in ("unknown", "never", "invited")
        gone = draw(st.none() | st.integers(-30, 30))
        found.append(
            seat(
                number, status=status, role=role, rank=rank,
                kind="stakeholder" if rank == 6 else "full",
                line="stakeholder" if rank == 6 else "full",
                email=draw(st.sampled_from(["a@x.example", "A+b@x.example", f"p{number}@x.org"])),
                last_seen_at=ago(idle) if was_seen else None,
                last_seen_source=draw(st.sampled_from(["signed_in", "acknowledged"])),
                since=draw(st.none() | st.just(ago(draw(st.integers(0, 100))))),
                duties=draw(DUTIES), reach=draw(st.none() | st.just(("email",))),
                person=None if gone is None else PersonFact("", "", NOW.date() - timedelta(gone)),
            )
        )  # fmt: skip
    return tuple(found)


WHOLE = seats().map(lambda each: facts(*each, has_people=True, terms=TERMS))


@pytest.mark.parametrize("key", RULES)
def test_a_rule_finds_its_example_and_says_why_with_evidence(key: str) -> None:
    [found] = outcome_of(key, EXAMPLES[key].hit)
    assert found.rule == key
    assert found.text.endswith(".")
    assert found.evidence
    assert all(row.what and row.value and row.source for row in found.evidence)


@pytest.mark.parametrize("key", RULES)
def test_a_rule_does_not_find_its_near_miss(key: str) -> None:
    assert outcome_of(key, EXAMPLES[key].near_miss) == []


@given(WHOLE)
def test_whose_activity_is_unknown_is_counted_by_no_rule(found: Facts) -> None:
    unknown = {each.key for each in found.seats if each.status == "unknown"}
    for outcome in rules.run(found):
        if isinstance(outcome, Found) and outcome.counts:
            assert not unknown & set(outcome.seats)


@given(WHOLE)
def test_a_rule_speaks_of_a_subject_once(found: Facts) -> None:
    told = [(outcome.rule, outcome.subject) for outcome in rules.run(found)]
    assert len(told) == len(set(told))


@given(WHOLE)
def test_seats_that_count_are_there_and_are_billed_where_the_finding_says(found: Facts) -> None:
    there = {each.key: each for each in found.seats}
    for outcome in rules.run(found):
        for key in outcome.seats if isinstance(outcome, Found) else ():
            assert there[key].line == outcome.line  # type: ignore[union-attr]


@given(WHOLE)
def test_nobody_on_duty_is_called_idle_or_moved(found: Facts) -> None:
    on_duty = {each.key for each in found.seats if each.duties}
    for outcome in rules.run(found):
        if outcome.rule in ("idle_full_seat", "to_stakeholder", "two_seats"):
            assert not (isinstance(outcome, Found) and outcome.subject in on_duty)


@pytest.mark.parametrize(
    ("changed", "guard"),
    [
        ({"status": "unknown", "last_seen_at": None}, "nobody can tell when they were last seen"),
        ({"duties": (DutyFact("policy", "Payments"),)}, "on duty"),
        ({"since": ago(20)}, "has held the seat for 30 days or less"),
        ({"rank": 0}, "owns the account"),
        ({"status": "idle_30", "last_seen_at": ago(30)}, "seen within 30 days"),
    ],
)
def test_a_guard_says_why_somebody_is_not_called_idle(
    changed: dict[str, object], guard: str
) -> None:
    [said] = [
        outcome
        for outcome in rules.run(facts(replace(seat(), **changed)))  # type: ignore[arg-type]
        if outcome.rule == "idle_full_seat"
    ]
    assert isinstance(said, Spared)
    assert guard in said.guard


@pytest.mark.parametrize(("days", "sure"), [(31, "hint"), (61, "likely"), (91, "certain")])
def test_the_longer_somebody_was_not_seen_the_surer_it_is(days: int, sure: str) -> None:
    [found] = outcome_of("idle_full_seat", facts(seat(last_seen_at=ago(days))))
    assert found.confidence == sure


def test_days_are_counted_back_from_the_last_reading_of_activity() -> None:
    looked = {**EXAMPLES["idle_full_seat"].hit.as_of, "activity": ago(80)}
    assert outcome_of("idle_full_seat", facts(seat(last_seen_at=ago(100)), as_of=looked)) == []


def test_a_limit_that_somebody_set_holds() -> None:
    of = facts(seat(status="idle_30", last_seen_at=ago(45)))
    found = rules.run(of, {"idle_full_seat": {"days": 60}})
    assert not [each for each in found if isinstance(each, Found)]
    assert [each.rule for each in rules.run(of) if isinstance(each, Found)] == ["idle_full_seat"]
