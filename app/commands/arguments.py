"""Arguments that several commands have, and how a message shows what was given."""

from typing import Annotated

import typer

SOURCE = typer.Argument(
    metavar="SOURCE",
    help="A .safetensors, *.safetensors.index.json, .pt or .pth file; a config.json; a folder with one of them; or "
    "a callable that returns a module, as module:name.",
)
Source = Annotated[str, SOURCE]
MaybeSource = Annotated[str | None, SOURCE]
Kwargs = Annotated[
    str | None, typer.Option("--kwargs", metavar="JSON", help="Arguments of module:name, as an object of JSON.")
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="meta|cpu",
        help="Where module:name is built; on meta, the default, tensors have shapes and take no memory.",
    ),
]

MOST_SHOWN = 60


def shortened(text: str) -> str:
    """Return a text that was given as a message shows it, in quotes."""
    return repr(text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…")
