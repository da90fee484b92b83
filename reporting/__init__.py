"""Reports: from her words to a sealed case, and back to the people she chose.

Each package says in its own docstring what it is for; in which order they may import stands in pyproject.toml.
"""
