"""A client of the shared server."""

import httpx
import pytest

from tests.api.client import TUTORIAL, TreeClient
from tests.live import LiveServer


@pytest.fixture
def http(server: LiveServer) -> httpx.Client:
    """The shared server."""
    return server.client


@pytest.fixture
def tree(http: httpx.Client) -> TreeClient:
    """The tutorial's tree: linear_model1 with sub1, and sub1 with sub2_1."""
    return TreeClient.linear(http, TUTORIAL)
