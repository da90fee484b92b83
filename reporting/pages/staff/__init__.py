"""Pages of who works here: the way in, invitations, the own account, colleagues, people.

Shows no case.
"""
