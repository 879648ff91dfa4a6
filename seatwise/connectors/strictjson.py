"""JSON as a vendor must send it; whatever is not exactly that is a `ValueError`.

Python's own parser accepts NaN, infinity and keys that appear twice (the last one wins), and
gives up on deep nesting with a RecursionError, which here bounds the depth.
"""

import json
import math
from typing import NoReturn


def parse(body: bytes) -> object:
    """The value in a UTF-8 body without a byte order mark. Raises ValueError, nothing else."""
    try:
        return json.loads(
            body.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_unique,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found
