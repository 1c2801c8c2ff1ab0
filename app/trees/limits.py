"""How large a tree may be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The most modules that a tree may have, and the most levels below its root."""

    max_modules: int = 250_000
    max_depth: int = 20_000
