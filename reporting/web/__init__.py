"""What every request passes, and what every page is made with.

Imports no page and opens no case.
"""
