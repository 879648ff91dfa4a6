"""Loads facts, runs the rules, keeps the findings and books what was truly saved."""
