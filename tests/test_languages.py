"""Pages in the reader's language: chosen, else asked for by the browser, else English; programs always get English."""

import re
from html import unescape

import httpx
import pytest
from starlette.datastructures import Headers

from app.languages import accepted, preferred
from app.translation import LANGUAGES, N_, Said, gettext, ngettext, said, speaking, told
from tests.live import LiveServer
from tests.pages.reader import HTML, Page, Reader

KOREAN = {**HTML, "accept-language": "ko-KR,ko;q=0.9,en;q=0.8"}

# Words of the English pages; none is a word of torch, of Python or of a file.
ENGLISH = [
    "and", "are", "clear", "copy", "delete", "from", "have", "here", "leave", "open", "resume", "revision", "search",
    "select", "show", "the", "this", "tree", "trees", "undo", "values", "was", "were", "where", "which", "with", "yet",
]  # fmt: skip
CODE = re.compile(
    r"<(script|style|pre|svg|samp|code|kbd|title|textarea|option)\b.*?</\1>"
    r"|<(\w+)[^<>]*\s(?:lang=\"en\"|class=\"[^\"]*\b(?:name|mono)\b[^\"]*\")[^<>]*>.*?</\2>",
    re.DOTALL,
)
PATHS = (
    "", "/named_modules", "/named_parameters", "/search?q=sub1", "/search?q=nowhere", "/folded", "/shapes", "/receipt",
    "/trace", "/get_submodule", "/get_parameter?target=weight", "/state_dict", "/repr", "/code", "/summary",
    "/skeleton", "/origin", "/build", "/compare", "/values?target=weight", "/stats?target=weight",
    "/heat_map?target=weight",
)  # fmt: skip


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("ko;q=0.3, en;q=0.7", "en"),
        ("fr, ko;q=0.2", "ko"),
        ("fr", "en"),
        ("ko;q=0", "en"),
        ("KO", "ko"),
        ("*", "en"),
        ("", "en"),
        ("ko;q=many, ;;,", "en"),
    ],
)
def test_the_language_that_the_browser_ranks_first_is_taken(header: str, expected: str) -> None:
    assert accepted(header) == expected


@pytest.mark.parametrize(("cookie", "expected"), [("en", "en"), ("ko", "ko"), ("tlh", "ko"), ("", "ko")])
def test_a_choice_counts_more_than_what_the_browser_asks_for(cookie: str, expected: str) -> None:
    headers = Headers({"cookie": f"a=b; moduletree-language={cookie}", "accept-language": "ko"})
    assert preferred(headers) == expected


def test_messages_are_said_in_the_language_that_is_spoken() -> None:
    assert gettext("Nothing to undo") == "Nothing to undo"
    with speaking("ko"):
        assert gettext("Copy") == "복사"
        assert gettext("no such message %(x)s", x=3) == "no such message 3"
        assert ngettext("%(num)s module", "%(num)s modules", 1) == "모듈 1개"
        assert ngettext("%(num)s module", "%(num)s modules", 12_345, num="12,345") == "모듈 12,345개"
    assert ngettext("%(num)s module", "%(num)s modules", 1) == "1 module"
    assert N_("Copy") == "Copy"


def test_a_sentence_that_was_said_in_english_is_told_again() -> None:
    sentence = said("There is nothing at %(path)s. GET /docs shows what there is.", path="/x")
    assert sentence == "There is nothing at /x. GET /docs shows what there is."
    assert isinstance(sentence, Said)
    with speaking("ko"):
        assert told(sentence).startswith("/x에는 아무것도 없습니다.")
        assert told("weight") == "weight"


class TestPages:
    def test_say_in_which_language_they_are(self, server: LiveServer) -> None:
        for headers, code in ((HTML, "en"), (KOREAN, "ko")):
            answer = server.client.get("/trees", headers=headers)
            assert answer.headers["content-language"] == code
            assert f'<html lang="{code}">' in answer.text
            varied = {each.strip() for each in answer.headers["vary"].split(",")}
            assert {"Accept-Language", "Cookie"} <= varied

    def test_offer_the_other_language_in_its_own_words(self, server: LiveServer) -> None:
        for headers, name in ((HTML, "한국어"), (KOREAN, "English")):
            answer = server.client.get("/trees", headers=headers)
            assert re.search(rf'<button[^>]* name="language"[^>]*>{name}<', answer.text)

    def test_load_korean_letters_and_words_only_where_they_are_needed(self, server: LiveServer) -> None:
        english = server.client.get("/trees", headers=HTML).text
        korean = server.client.get("/trees", headers=KOREAN).text
        for part in ("/words/", "noto-sans-kr"):
            assert part not in english
            assert part in korean

    def test_the_choice_leads_back_and_is_remembered(self, server: LiveServer) -> None:
        with httpx.Client(base_url=server.url) as client:
            headers = {**HTML, "origin": server.url, "referer": f"{server.url}/trees?limit=5"}
            answer = client.post("/language", data={"language": "ko"}, headers=headers)
            assert (answer.status_code, answer.headers["location"]) == (303, "/trees?limit=5")
            assert "Max-Age=31536000" in answer.headers["set-cookie"]
            assert client.get("/trees", headers=HTML).headers["content-language"] == "ko"
            client.post("/language", data={"language": "en"}, headers=headers)
            assert client.get("/trees", headers=KOREAN).headers["content-language"] == "en"

    @pytest.mark.parametrize(
        "referer", ["http://elsewhere.example/trees", "", "nonsense", "//elsewhere.example", "http://["]
    )
    def test_the_choice_leads_to_no_other_server(self, server: LiveServer, referer: str) -> None:
        headers = {**HTML, "origin": server.url, "referer": referer}
        answer = httpx.post(f"{server.url}/language", data={"language": "en"}, headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")

    def test_a_language_that_is_not_there_is_refused(self, server: LiveServer) -> None:
        headers = {**HTML, "origin": server.url}
        assert httpx.post(f"{server.url}/language", data={"language": "tlh"}, headers=headers).status_code == 422

    def test_errors_are_told_in_korean_where_they_can_be(self, server: LiveServer) -> None:
        page = server.client.get("/nowhere", headers=KOREAN)
        assert page.status_code == 404
        assert "/nowhere에는 아무것도 없습니다" in page.text
        page = server.client.get("/trees/t_none/origin", headers=KOREAN)
        assert page.status_code == 404
        assert "찾을 수 없음" in page.text


def test_programs_are_answered_in_english(server: LiveServer) -> None:
    answer = server.client.get("/api/nowhere", headers={"accept-language": "ko", "cookie": "moduletree-language=ko"})
    assert answer.json()["detail"] == "There is nothing at /api/nowhere. GET /docs shows what there is."
    assert "content-language" not in answer.headers


def test_scripts_learn_their_words_from_a_file_that_is_kept(server: LiveServer) -> None:
    address = re.search(r'src="(/words/ko\.js\?v=\w+)"', server.client.get("/trees", headers=KOREAN).text)
    assert address is not None
    answer = server.client.get(address[1])
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert '"Copied":"복사됨"' in answer.text
    again = server.client.get(address[1], headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert server.client.get("/words/en.js").status_code == 422


@pytest.fixture(scope="module")
def tree(server: LiveServer) -> str:
    """The address of the tutorial's tree, with a run."""
    reader = Reader(server.client)
    root = {"weight": 0.5, "children": {"sub1": {"buffers": {"buf": [1.0]}, "children": {"sub2_1": {}}}}}
    tree = reader.open_tree({"kind": "linear", "root": root, "seed": 0})
    reader.train(tree, epochs=3)
    return tree


@pytest.mark.parametrize("path", PATHS)
def test_no_english_word_is_left_on_a_korean_page_of_a_tree(server: LiveServer, tree: str, path: str) -> None:
    assert english_in(server, tree + path) == []


@pytest.mark.parametrize(
    "path",
    ["/", "/trees", "/runs", "/factories", "/checkpoints", "/learn", "/docs", "/nowhere"]
    + [f"/trees/new?kind={kind}" for kind in ("linear", "spec", "grid", "factory", "config", "checkpoint")],
)
def test_no_english_word_is_left_on_a_korean_page(server: LiveServer, tree: str, path: str) -> None:
    assert english_in(server, path) == []


def english_in(server: LiveServer, path: str) -> list[str]:
    """The words of the list that a person would see on the page in Korean."""
    answer = server.client.get(path, headers=KOREAN, follow_redirects=True)
    assert answer.status_code in {200, 404}, answer.text[:2_000]
    assert Page(answer).tags[0] == ("html", {"lang": "ko"})
    shown = unescape(re.sub(r"<[^<>]+>", " ", CODE.sub(" ", answer.text)))
    labels = re.findall(r'\s(?:aria-label|title|placeholder|alt)="([^"]*)"', answer.text)
    seen = f" {shown} {' '.join(map(unescape, labels))} ".lower()
    return [word for word in ENGLISH if re.search(rf"(?<![\w./=-]){word}(?![\w./=(-])", seen)]


def test_every_language_has_its_own_name() -> None:
    assert LANGUAGES == {"en": "English", "ko": "한국어"}
