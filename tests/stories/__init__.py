"""Trips as people live them, from beginning to end."""
