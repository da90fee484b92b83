"""So that `python -m reporting` is `amparo`."""

from reporting.cli.base import main

main(prog_name="amparo")
