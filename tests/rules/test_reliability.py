"""docs/reliability.md says what the tests carry, and nothing that they do not."""

from tests.rules.reliability import (
    COUNT,
    NO_TEST,
    NOT_YET,
    PAGE,
    ROOT,
    cell,
    marked,
    rewritten,
    to_run,
    told,
)


def test_every_number_is_told_once() -> None:
    assert list(told()) == list(range(1, COUNT + 1))


def test_the_page_names_the_tests_that_carry_each_number_and_no_others() -> None:
    carried = marked()
    wrong = {
        number: tests
        for number, (_fault, tests, _state) in told().items()
        if tests != cell(carried.get(number, []))
    }
    assert wrong == {}, "python -m tests.rules.reliability writes the table anew"
    assert PAGE.read_text(encoding="utf-8") == rewritten(None)


def test_each_number_has_a_state_and_none_has_failed() -> None:
    states = {number: (tests, state) for number, (_fault, tests, state) in told().items()}
    assert not {number for number, (_tests, state) in states.items() if "failed" in state}
    without = {number for number, (tests, _state) in states.items() if tests == NOT_YET}
    assert {number for number, (_tests, state) in states.items() if state == NO_TEST} == without


def test_no_number_is_marked_that_is_not_on_the_list() -> None:
    assert set(marked()) <= set(range(1, COUNT + 1))


def test_every_file_that_is_named_holds_a_test_of_that_number() -> None:
    """Read anew as text, so that a mistake in finding the marks is seen."""
    for number, (_fault, tests, _state) in told().items():
        for name in () if tests == NOT_YET else tests.replace("`", "").split(", "):
            text = (ROOT / "tests" / name).read_text(encoding="utf-8")
            assert f"pytest.mark.fault({number})" in text, (number, name)
            assert "def test_" in text


def test_what_is_run_by_hand_for_a_number_holds_tests_of_its_own_or_inherits_them() -> None:
    for number, files in marked().items():
        names = [path.relative_to(ROOT / "tests").as_posix() for path in to_run(number)]
        assert all(path.name.startswith("test_") for path in to_run(number)), number
        assert set(names) >= {name for name in files if "/test_" in name}, number
    assert ROOT / "tests/connectors/test_contract.py" in to_run(45)
