"""Measures, each over an invented installation that is thrown away; never over the real one."""
