"""`python -m whaledo` is `whaledo`."""

from whaledo.cli.app import main

main()
