"""Referrals: from a need to the right door, and onwards until somebody was helped.

Rooms from the ground up: needs, hours; matching, models; directory; triage; views.
"""
