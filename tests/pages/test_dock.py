"""The runs below a tree, as one answer of the server shows them."""

import re

from tests.live import LiveServer
from tests.pages.reader import Reader
from tests.test_stream import start

OPEN = re.compile(r'data-status="(\w+)".*?aria-current="true".*?class="status status-(\w+)"', re.DOTALL)


def test_a_run_that_ends_meanwhile_is_over_in_all_of_the_answer_or_nowhere(server: LiveServer) -> None:
    reader = Reader(server.client)
    for _ in range(15):
        run = start(server, epochs=10)
        page = f"/trees/{server.client.get(f'/api/runs/{run}').json()['tree']}/parts?run={run}"
        dock = in_strip = ""
        while in_strip != "succeeded":
            found = OPEN.search(reader.get(page).response.text)
            assert found is not None
            dock, in_strip = found.groups()
            assert dock == in_strip
