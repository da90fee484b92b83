"""What is sealed and how: ciphers, key stretching, receipts.

Is handed its keys. Knows no case, no database and no web.
"""
