"""When a log is looked at: always at the same epochs, in however many pieces it arrives."""

from collections.abc import Iterator

A_DOUBLING = 128


def looks(first: int, last: int) -> Iterator[int]:
    """Yield the numbers from `first` to `last` at which to look: all up to 255, then about 128 each time they double.

    A log of a million epochs then takes some 1,700 looks, and not one of them depends on where a piece of it ends.
    """
    number = first
    while number <= last:
        stride = max(1, (1 << number.bit_length()) // (2 * A_DOUBLING))
        number += -number % stride
        if number <= last:
            yield number
        number += 1
