"""All benchmarks as one table.

    python -m bench

Read the ratios, not the times: both sides of a line were measured in turns, in the same minutes. Take a quiet machine.
"""

from bench import first_page, skeleton, streaming
from bench.measure import table


def main() -> None:
    """Print the table."""
    print(table([*streaming.measure(), *skeleton.measure(), *first_page.measure()]))


if __name__ == "__main__":
    main()
