"""Untrusted text as a line of plain text is to have it."""


def printable(text: str) -> str:
    """Return the text with line breaks, terminal escapes and the like spelled out; all that is printable stays."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
