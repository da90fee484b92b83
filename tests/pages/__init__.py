"""What people do on pages, and what pages promise."""
