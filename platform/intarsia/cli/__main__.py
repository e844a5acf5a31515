"""`python -m intarsia.cli` is `intarsia`."""

from intarsia.cli import main

main()
