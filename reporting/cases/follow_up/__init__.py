"""What happened in a case, and what comes next in it.

Knows no row, no sealing and nothing of the web or of services.
"""
