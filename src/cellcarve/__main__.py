"""``python -m cellcarve`` is the command ``cellcarve``."""

from cellcarve.cli import main

main()
