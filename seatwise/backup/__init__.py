"""Backups: one file with everything but the keys, and the way back from it.

make(path)            while everything runs: a file, verified, under its name only when whole
Archive.read(path)    what a file is, and whether this release can restore it; touches nothing
alone()               while nobody else is at work on this database
ready_for(archive)    why this database is not the place to restore it into, or nothing
restore(archive)      in one transaction, then paused: see `installation`
"""

from seatwise.backup.archive import Archive
from seatwise.backup.making import Made, make
from seatwise.backup.programs import NotPossible
from seatwise.backup.restoring import alone, ready_for, restore, settle

__all__ = ["Archive", "Made", "NotPossible", "alone", "make", "ready_for", "restore", "settle"]
