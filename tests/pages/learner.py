"""Somebody who takes the lesson, and what they see printed."""

import re
from html import unescape
from typing import Any

import httpx
import torch
from torch import nn

from app.trees.linear import LinearModel
from tests.pages.reader import Page, Reader


class Learner:
    """Somebody in a chapter, on a tree of their own."""

    def __init__(self, reader: Reader, chapter: str) -> None:
        self.reader, self.chapter = reader, chapter
        opened = reader.send(reader.get(f"/learn/{chapter}").form("/start"))
        self.tree = httpx.URL(opened.url).params["tree"]

    def at(self, step: int, **more: str) -> Page:
        query = httpx.QueryParams({"tree": self.tree, "step": str(step), **more})
        return self.reader.get(f"/learn/{self.chapter}?{query}")

    def run(self, step: int) -> Page:
        return self.reader.send(self.at(step).form("/run"))

    def train(self, step: int, lr: str | None = None) -> Page:
        page = self.reader.send(self.at(step).form("/train"), lr=lr)
        self.reader.follow(httpx.URL(page.url).params["run"])
        return self.reader.get(page.url)

    def answer(self, page: Page, given: str) -> Page:
        return self.reader.send(page.form(f"/learn/{self.chapter}"), answer=given)

    def model(self) -> LinearModel:
        """The tree's modules, built anew from what the API says of them."""
        api = f"/api/trees/{self.tree}"

        def items(view: str) -> list[dict[str, Any]]:
            listed: list[dict[str, Any]] = self.reader.client.get(f"{api}/{view}").json()["items"]
            return listed

        modules: dict[str, LinearModel] = {}
        for item in items("named_modules"):
            modules[item["name"]] = module = LinearModel()
            above, _, name = item["name"].rpartition(".")
            if name:
                modules[above].add_module(name, module)
        for item in items("named_parameters"):
            above, _, name = item["name"].rpartition(".")
            parameter = nn.Parameter(torch.tensor(item["values"]), requires_grad=item["requires_grad"])
            modules[above].register_parameter(name, parameter)
        for item in items("named_buffers"):
            buffer = torch.tensor(item["values"], dtype=getattr(torch, item["dtype"]))
            modules[""].register_buffer(item["name"], buffer, persistent=item["persistent"])
        return modules[""]


def printed(page: Page) -> str:
    """What stands under "Printed", line by line."""
    found = re.search(r'<pre class="learn-lines"[^>]*>(.*?)</pre>', page.response.text, re.DOTALL)
    assert found, page.text
    return re.sub(r"\n+", "\n", unescape(re.sub("<[^>]+>", "", found[1])))
