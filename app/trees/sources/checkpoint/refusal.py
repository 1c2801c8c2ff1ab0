"""The rule that a file breaks, on its way to the `UnreadableFile` that names the file too."""


class Refusal(Exception):
    """A file breaks a rule; `rule` says which, as the end of a sentence that begins with the file."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def shown(name: str) -> str:
    """Return a name from a file as a message may hold it: quoted, what is not printable escaped, and not too long."""
    return repr(name if len(name) <= 200 else name[:200] + "…")
