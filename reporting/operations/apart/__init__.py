"""What runs in processes of its own, so that nobody who reports waits for it.

Knows neither what a page of the desk does nor what a release counts.
"""
