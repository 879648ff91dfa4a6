"""Proofs that take too long for the test command: many processes, many kills."""
