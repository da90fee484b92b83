"""What a person may need, how soon, and what must not be done: rules as rows of data.

Pure. Knows no case, no service of the directory and no clock.
"""
