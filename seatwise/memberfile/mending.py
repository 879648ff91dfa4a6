"""What must be mended in a file before anything of it is taken."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to mend."""

    row: int | None  # as a spreadsheet program numbers it, from 1; None: the file as a whole
    what: str
    remedy: str
    column: str = ""  # its name in the file; "" where it is about no single cell


class MendFirst(Exception):
    """The file cannot be taken as it is: `mistakes`, in the order of the rows, say why."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(f"{len(mistakes)} to mend, first: {mistakes[0].what}")
        self.mistakes = mistakes
