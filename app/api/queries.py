"""Searches in a query string, and where in it they are wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Query

from app.errors import Invalid, Misfit

Filter = Annotated[
    str,
    Query(
        description="Leaves what this search finds among the items: `dtype:bf16 numel>1e6`. Here a word may stand "
        "anywhere in the path of a tensor.",
    ),
]


@contextmanager
def in_query() -> Iterator[None]:
    """Say of every misfit that is raised inside that it stands in the query string."""
    try:
        yield
    except Invalid as error:
        misfits = tuple(Misfit(("query", *misfit.loc), misfit.msg) for misfit in error.errors)
        raise type(error)(error.detail, misfits) from error
