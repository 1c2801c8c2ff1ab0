"""A client of the server that a command was told of, and what it raises as one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from app.client import Client, ClientError, Problem, StreamLost, Unauthorized, Unreachable
from app.running import fail
from app.settings import Reach, SettingError, load_as


def client_of(reach: dict[str, Any]) -> tuple[Client, bool]:
    """Return a client of the server that the options or the environment name, and whether they name one."""
    try:
        found = load_as(Reach, reach)
        client = Client(found.server, found.token)
    except (SettingError, ValueError) as error:
        fail(str(error), 2)
    return client, found.is_named


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """Leave with one line for what a client raises: with code 2 for what was asked, 1 for a server that fails."""
    try:
        yield
    except ClientError as error:
        tell(error)


def tell(error: ClientError) -> NoReturn:
    """Leave with one line for an error of a client."""
    match error:
        case Unauthorized():
            fail(f"{error} Here: --token TOKEN, or MODULETREE_TOKEN.", 2)
        case Problem():
            fail(str(error), 1 if error.status >= 500 else 2)
        case StreamLost():
            fail(f"{error} The run may go on there: `moduletree runs` tells.", 1)
        case Unreachable():
            fail(f"{error} `moduletree serve` starts one here, --server URL names another.", 1)
        case _:
            fail(str(error), 1)
