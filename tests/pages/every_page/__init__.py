"""The walk over every page: reached in a real Chromium by pressing its real buttons."""
