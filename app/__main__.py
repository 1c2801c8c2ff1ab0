"""`python -m app` is `moduletree`."""

from app.cli import main

main()
