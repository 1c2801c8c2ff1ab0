"""Addresses of pages, of what they show, and of the same over the API."""

from urllib.parse import quote, urlencode

LONGEST_TARGET = 1_500


def tree_url(tree_id: str) -> str:
    """Return the page of a tree."""
    return f"/trees/{tree_id}"


def module_url(tree_id: str, target: str, row: int | None = None, **query: str) -> str:
    """Return the page of a tree with `target` selected; a target too long for an address goes by its row."""
    if row is not None and len(target) > LONGEST_TARGET:
        return with_query(tree_url(tree_id), row=str(row), **query)
    path = f"{tree_url(tree_id)}/modules/{quote(target, safe='')}" if target else tree_url(tree_id)
    return with_query(path, **query)


def with_query(path: str, **query: str) -> str:
    """Return the path with the query arguments that hold something."""
    held = {key: text for key, text in query.items() if text}
    return f"{path}?{urlencode(held)}" if held else path


def shell_word(text: str) -> str:
    """Return the text in single quotes, as a shell takes it."""
    return "'" + text.replace("'", "'\\''") + "'"
