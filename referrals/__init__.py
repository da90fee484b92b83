"""Referrals: from a need to the right door, and onwards until somebody was helped.

Each package says in its own docstring what it is for; in which order they may import stands in pyproject.toml.
"""
