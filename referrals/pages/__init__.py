"""Pages of case workers, of the directory, and of her consent to a referral.

They speak HTTP and nothing else.
"""
