"""Savings and safety, as small functions from facts to findings. Pure."""
