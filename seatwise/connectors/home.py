"""The country that calls are made from, by its calling code."""

import re


def home_code(text: str) -> str:
    """The digits of a country's calling code: "49" for "+49", "" for "". Raises ValueError."""
    found = re.fullmatch(r"(?:\+?([1-9][0-9]{0,3}))?", text.strip(), re.ASCII)
    if found is None:
        raise ValueError("not a country's calling code")
    return found[1] or ""
