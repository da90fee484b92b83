"""The whole installation at once: copied before an upgrade and taken back, packed and unpacked elsewhere, tried out.

Opens no case: rows are carried as they lie, sealed as they are. The ledger of releases is never taken back.
"""
