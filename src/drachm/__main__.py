"""`python -m drachm` is the command line."""

from drachm.cli.app import main

main()
