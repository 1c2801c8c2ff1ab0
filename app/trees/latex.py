"""Text as LaTeX sets it, whatever it holds, without a package."""

# In the typewriter font the other characters of ASCII stand for themselves.
_COMMANDS = {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "[": "{[}",
    "]": "{]}",
    "`": "{`}",
    **{char: "\\" + char for char in "&%$#_{}"},
}


def in_latex(text: str) -> str:
    r"""Return the text as typewriter type; what is not ASCII as Python escapes it, since no font is sure to have it.

    `a_b` is `\texttt{a\_b}`; a bracket stands in braces, or the end of a row before it would take it as its own.
    """
    plain = "".join(char if char.isascii() and char.isprintable() else _escaped(char) for char in text)
    return f"\\texttt{{{''.join(_COMMANDS.get(char, char) for char in plain)}}}"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
