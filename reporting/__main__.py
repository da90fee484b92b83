"""So that `python -m reporting` is `amparo`."""

from reporting.commands import main

main(prog_name="amparo")
