"""Published figures: from sealed tallies to releases in which nobody can be found.

Knows nothing of the web and nothing of a case but its tally.
"""
