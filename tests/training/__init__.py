"""Training: configs, the loop, the log, worker processes, runs."""
