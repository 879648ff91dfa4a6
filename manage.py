#!/usr/bin/env python
"""Django's own commands, with the database made ready first."""

import sys

from seatwise.cli import manage

if __name__ == "__main__":
    manage(sys.argv[1:])
