"""What a team does about help: which case first, and each referral to its outcome.

Knows neither the web nor how things are sealed.
"""
