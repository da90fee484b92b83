"""Pages of the keepers of the directory: services, calls, gaps, rules, and what waits for a signature.

They speak HTTP and nothing else.
"""
