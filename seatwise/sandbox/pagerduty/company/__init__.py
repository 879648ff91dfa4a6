"""The simulated companies: who belongs to them and what happened there, from a seed alone."""
