"""A class's colour: one of 24 hues, decided by its name."""

from collections.abc import Iterable

HUES = 24
CONTAINERS = frozenset({"ModuleList", "Sequential", "ModuleDict"})


def fnv1a(text: str) -> int:
    """Return the 32-bit FNV-1a hash of the text's UTF-8 bytes."""
    value = 0x811C9DC5
    for byte in text.encode("utf-8", "surrogatepass"):
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def hues(class_names: Iterable[str]) -> dict[str, int]:
    """Return the slot, 0 to 23, of each class of a tree, asked in pre-order.

    While a class's slot or a neighbour is taken it goes on 7 slots; once 24 tries failed, only a taken slot counts.
    """
    slots: dict[str, int] = {}
    for name in class_names:
        if name and name not in slots and name not in CONTAINERS:
            slots[name] = _free_slot(fnv1a(name) % HUES, set(slots.values()))
    return slots


def _free_slot(first: int, taken: set[int]) -> int:
    tries = [(first + 7 * step) % HUES for step in range(HUES)]
    for slot in tries:
        if not taken & {slot, (slot - 1) % HUES, (slot + 1) % HUES}:
            return slot
    return next((slot for slot in tries if slot not in taken), first)
