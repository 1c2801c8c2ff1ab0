"""The facts that the page's outline is held to are those of the server: `python -m tests.outlines` writes them anew."""

import json

from tests.outlines import FIXTURE, fixture


def test_the_scripts_are_held_to_what_the_server_says() -> None:
    assert json.loads(FIXTURE.read_text(encoding="utf-8")) == json.loads(json.dumps(fixture()))
