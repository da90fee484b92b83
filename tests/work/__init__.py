"""Promises of cases, teams, figures, the directory and what runs apart, on an installation of their own."""
