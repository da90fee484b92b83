"""From needs, a place and a moment to the right services, in an order that can be explained.

Pure. Knows no database and no case.
"""
