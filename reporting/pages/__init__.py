"""Pages of reporters, of the staff and of figures.

They speak HTTP and nothing else, and never touch a table.
"""
