"""What stands around the pages on a machine: files for the server in front, the system's units, the onion, a container.

Must not know what a case is. Is read before anything runs: what it writes is printed, and nothing is put in place.
"""
