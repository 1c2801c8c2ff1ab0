"""A client of the tree API, for tests that read as what they ask."""

from typing import Any

import httpx

TUTORIAL = {
    "weight": 0.9385080337524414,
    "bias": 0.5002855658531189,
    "children": {"sub1": {"children": {"sub2_1": {}}}},
}


class TreeClient:
    """One opened tree over HTTP: paths are below it."""

    def __init__(self, http: httpx.Client, source: dict[str, Any], name: str | None = None) -> None:
        self.http = http
        body = {"source": source} if name is None else {"name": name, "source": source}
        self.opened = http.post("/api/trees", json=body)
        assert self.opened.status_code == 201, self.opened.text
        self.url = self.opened.headers["location"]

    @classmethod
    def linear(cls, http: httpx.Client, root: dict[str, Any], **more: Any) -> "TreeClient":
        """Open LinearModels by nested spec, seeded unless told otherwise."""
        return cls(http, {"kind": "linear", "root": root, "seed": 0, **more})

    @classmethod
    def grid(cls, http: httpx.Client, branching: int, depth: int) -> "TreeClient":
        """Open a grid, seeded."""
        return cls(http, {"kind": "grid", "branching": branching, "depth": depth, "seed": 0})

    def get(self, path: str = "", headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        """GET a path of the tree."""
        return self.http.get(f"{self.url}{path and '/'}{path}", params=query, headers=headers)

    def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """The items of the first page of a list."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def names(self, path: str, **query: Any) -> list[str]:
        """The names of the items of a list."""
        return [item["name"] for item in self.items(path, **query)]

    def post(self, path: str, if_match: str | None = None, **body: Any) -> httpx.Response:
        """POST a change."""
        headers = {} if if_match is None else {"if-match": if_match}
        return self.http.post(f"{self.url}/{path}", json=body, headers=headers)

    def changed(self, path: str, **body: Any) -> dict[str, Any]:
        """POST a change that has to work; the tree."""
        answer = self.post(path, **body)
        assert answer.status_code == 200, answer.text
        tree: dict[str, Any] = answer.json()
        return tree

    def load(self, state_dict: bytes, **form: str) -> httpx.Response:
        """POST a safetensors file to load_state_dict."""
        files = {"file": ("model.safetensors", state_dict)}
        return self.http.post(f"{self.url}/load_state_dict", files=files, data=form)


def refused(answer: httpx.Response, status: int) -> str:
    """The detail of a problem, which is one and has this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    detail: str = problem["detail"]
    return detail
