"""Pages as a person without scripts has them: words, links and forms; and a browser of only those."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "use"})
HTML = {"accept": "text/html"}


@dataclass(slots=True)
class PageForm:
    """A form as it would be sent: what its fields hold, several values under one name in order."""

    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """The first value under a name."""
        return next((value for key, value in self.fields if key == name), None)

    def filled(self, **typed: str | None) -> list[tuple[str, str]]:
        """The fields with other values; None leaves one out, as an unchecked box."""
        kept = [(name, typed.get(name) if name in typed else value) for name, value in self.fields]
        new = [(name, value) for name, value in typed.items() if self.get(name) is None]
        return [(name, value) for name, value in [*kept, *new] if value is not None]


class Page(HTMLParser):
    """The document of a response."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(convert_charrefs=True)
        self.response = response
        self.url = str(response.url)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.links: dict[str, str] = {}
        self.forms: list[PageForm] = []
        self._texts: list[str] = []
        self._open: list[str] = []
        self._link: tuple[str, list[str]] | None = None
        self._form: PageForm | None = None
        self._select: tuple[str, str | None] | None = None
        self._area: tuple[str, list[str]] | None = None
        self.feed(response.text)

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        """All words, with single spaces between."""
        return " ".join(" ".join(self._texts).split())

    def form(self, action: str) -> PageForm:
        """The form that is sent to an address that ends in `action`, its query aside."""
        found = [form for form in self.forms if form.action.partition("?")[0].endswith(action)]
        assert found, f"no form to {action} among {[form.action for form in self.forms]}"
        return found[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "a" and given.get("href"):
            self._link = (str(given["href"]), [])
        elif tag == "form":
            action = urljoin(self.url, given.get("action") or "")
            self._form = PageForm(given.get("method") or "get", action)
            # The switch between languages stands on every page.
            if not action.endswith("/language"):
                self.forms.append(self._form)
        elif self._form is not None:
            self._handle_field(self._form, tag, given)

    def _handle_field(self, form: PageForm, tag: str, given: dict[str, str | None]) -> None:
        name = given.get("name") or ""
        if tag == "input":
            is_box = given.get("type") == "checkbox"
            if not is_box or "checked" in given:
                form.fields.append((name, given.get("value") or ("on" if is_box else "")))
        elif tag == "select":
            self._select = (name, None)
        elif tag == "option" and self._select is not None:
            if self._select[1] is None or "selected" in given:
                self._select = (self._select[0], given.get("value") or "")
        elif tag == "textarea":
            self._area = (name, [])

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag == "a" and self._link is not None:
            self.links.setdefault(" ".join("".join(self._link[1]).split()), self._link[0])
            self._link = None
        elif tag == "form":
            self._form = None
        elif tag == "select" and self._select is not None and self._form is not None:
            self._form.fields.append((self._select[0], self._select[1] or ""))
            self._select = None
        elif tag == "textarea" and self._area is not None and self._form is not None:
            self._form.fields.append((self._area[0], "".join(self._area[1]).removeprefix("\n")))
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("script", "style"):
            return
        if self._area is not None:
            self._area[1].append(data)
        if self._link is not None:
            self._link[1].append(data)
        self._texts.append(data)


class Reader:
    """Asks for pages of a server and sends their forms, as a browser with scripts switched off."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.origin = str(client.base_url).rstrip("/")

    def get(self, path: str, status: int = 200) -> Page:
        """The page at a path, redirects followed."""
        response = self.client.get(path, headers=HTML, follow_redirects=True)
        assert response.status_code == status, response.text[:2_000]
        assert response.headers["content-type"].startswith("text/html")
        return Page(response)

    def send(self, form: PageForm, status: int = 200, **typed: str | None) -> Page:
        """The page that a form leads to."""
        if form.method == "get":
            return self.get(str(httpx.URL(form.action, params=tuple(form.filled(**typed)))), status)
        return self.post(form.action, form.filled(**typed), status)

    def post(self, action: str, fields: list[tuple[str, str]], status: int = 200) -> Page:
        """The page that is answered to fields, redirects followed."""
        body = str(httpx.QueryParams(tuple(fields)))
        headers = {**HTML, "origin": self.origin, "content-type": "application/x-www-form-urlencoded"}
        response = self.client.post(action, content=body, headers=headers, follow_redirects=True)
        assert response.status_code == status, response.text[:2_000]
        return Page(response)

    def open_tree(self, source: dict[str, object], name: str = "") -> str:
        """The address of a new tree, opened over the API."""
        response = self.client.post("/api/trees", json={"source": source, **({"name": name} if name else {})})
        assert response.status_code == 201, response.text
        return f"/trees/{response.json()['id']}"

    def train(self, tree: str, **config: object) -> str:
        """The id of a run that has ended; its stream is read to its end."""
        response = self.client.post(f"/api{tree}/runs", json=config)
        assert response.status_code == 202, response.text
        run: str = response.json()["id"]
        self.follow(run)
        return run

    def follow(self, run: str) -> None:
        """Returns when the run has ended."""
        with self.client.stream("GET", f"/api/runs/{run}/events") as stream:
            for _ in stream.iter_bytes():
                pass
