"""What runs beside the pages: server, backups, sweep, reminder, demo, checks and measures.

No page imports any of it.
"""
