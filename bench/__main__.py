"""All benchmarks as one table.

    python -m bench

Read the ratios, not the times: both sides of a line were measured in turns, in the same minutes. Take a quiet machine.
"""

from bench import first_page, headers, in_browser, models, opening, search, skeleton, streaming
from bench.measure import table


def main() -> None:
    """Print the table."""
    parts = (streaming, skeleton, search, models, headers, opening, first_page, in_browser)
    print(table(measure for part in parts for measure in part.measure()))


if __name__ == "__main__":
    main()
