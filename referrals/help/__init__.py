"""Help: what pages ask the directory, for an incident or for needs that somebody names.

Is handed the directory as it lies in memory. Knows no page and has never heard of a case.
"""
