"""Seatwise: who holds a seat, in which role, when last seen, what for, and what it costs."""
