"""Promises of what is pure: no installation, no server, no browser."""
