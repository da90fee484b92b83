"""What can be told, asked and counted: codes, questions, answers, tallies.

Pure. Knows no case, no key, no database and no web.
"""
