"""Who may read: accounts, members, team keys and their log, staff sessions, the audit.

Knows no case and no web; what concerns a case reaches the audit sealed.
"""
