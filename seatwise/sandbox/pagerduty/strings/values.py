"""What a script may say: each function makes a value of what was posted.

All raise ValueError with the end of a sentence that begins with the name of the thing.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

Parse = Callable[[Any], Any]
HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def whole(low: int, high: int) -> Parse:
    """A whole number in those bounds."""

    def parse(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low:,} to {high:,}")
        return value

    return parse


def number(low: float, high: float) -> Parse:
    """Any number in those bounds."""

    def parse(value: Any) -> float:
        fits = type(value) in (int, float) and math.isfinite(value) and low <= value <= high
        if not fits:
            raise ValueError(f"must be a number from {low:,} to {high:,}")
        return float(value)

    return parse


def or_null(parse: Parse) -> Parse:
    """That, or null."""

    def parse_or_null(value: Any) -> Any:
        try:
            return None if value is None else parse(value)
        except ValueError as wrong:
            raise ValueError(f"{wrong}, or null") from None

    return parse_or_null


def one_of(words: Sequence[str]) -> Parse:
    """One of those words."""

    def parse(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value

    return parse


def each_one_of(words: Sequence[str]) -> Parse:
    """An object whose values are among those words."""

    def parse(value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or any(word not in words for word in value.values()):
            raise ValueError(f"must be an object whose values are among {', '.join(words)}")
        return dict(value)

    return parse


def yes_or_no(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text")
    return value


def method(value: Any) -> str:
    """A method of HTTP."""
    if not isinstance(value, str) or not value.isalpha():
        raise ValueError("must be a method, like GET")
    return value.upper()


def words(value: Any) -> set[str]:
    """A text or a list of texts."""
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list) or not all(isinstance(word, str) for word in several):
        raise ValueError("must be a text or a list of texts")
    return set(several)


def headers(value: Any) -> dict[str, str]:
    """Names and values of headers."""
    fits = isinstance(value, dict) and all(
        HEADER.fullmatch(name) and isinstance(said, str) and VALUE.fullmatch(said)
        for name, said in value.items()
    )
    if not fits:
        raise ValueError("must be an object of header names and texts")
    return dict(value)


def anything(value: Any) -> Any:
    """Any JSON."""
    return value
