"""What is kept: the tables, their migrations, one way to open a transaction.

Opens no seal and knows no rule about what is stored.
"""
