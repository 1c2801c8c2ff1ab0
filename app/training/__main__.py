"""`python -m app.training SOCKET_FD` is the worker process."""

import sys

from app.collector import collector_paused

with collector_paused():
    from app.training.worker import main

main(int(sys.argv[1]))
