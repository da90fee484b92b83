"""The command `amparo`, one group of commands a file.

Holds no rule of its own: it reads options, calls what does the work, and prints.
"""
