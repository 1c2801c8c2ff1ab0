"""All benchmarks as one table.

    python -m bench

Read the ratios, not the times: both sides of a line were measured in turns, in the same minutes. Take a quiet machine.
"""

from bench import (
    fan_out,
    first_epoch,
    first_page,
    headers,
    in_browser,
    models,
    opening,
    run_log,
    search,
    skeleton,
    streaming,
    trackers,
)
from bench.measure import table


def main() -> None:
    """Print the table."""
    parts = (
        streaming,
        trackers,
        fan_out,
        run_log,
        first_epoch,
        skeleton,
        search,
        models,
        headers,
        opening,
        first_page,
        in_browser,
    )
    print(table(measure for part in parts for measure in part.measure()))


if __name__ == "__main__":
    main()
