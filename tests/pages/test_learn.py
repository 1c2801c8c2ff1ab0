"""The lesson over HTTP: its trees, its runs, what it remembers, and its words in both languages."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.pages.lessons.chapters import CHAPTERS
from app.pages.lessons.printing import run as run_example
from app.pages.lessons.progress import COOKIE
from app.pages.lessons.step import Choice, Step
from app.pages.lessons.training_calls import train
from app.translation import speaking, translated
from tests.live import LiveServer
from tests.pages.learner import Learner, printed
from tests.pages.reader import Reader
from tests.training.tutorial_run import AT_TEN, LOSSES, linear_model


@pytest.fixture
def reader(server: LiveServer) -> Iterator[Reader]:
    """A browser of its own, since the lesson keeps a cookie."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False, verify=False) as client:
        yield Reader(client)


class TestTree:
    def test_a_change_is_a_revision_and_undo_takes_it_back(self, reader: Reader) -> None:
        learner = Learner(reader, "buffers")
        assert "Make the call first" in learner.at(1).text
        page = learner.run(1)
        assert "buf [1] int64" in page.text
        assert "revision 2" in page.text
        history = reader.client.get(f"/api/trees/{learner.tree}").json()
        assert history["revision"] == 2
        page = reader.send(page.form("/undo"))
        assert "revision 1" in page.text
        assert "buf [1] int64" not in page.text
        assert "Make the call first" in page.text

    def test_a_call_that_only_looks_changes_nothing(self, reader: Reader) -> None:
        learner = Learner(reader, "modules")
        learner.run(1)
        learner.run(5)
        tree = reader.client.get(f"/api/trees/{learner.tree}").json()
        assert (tree["revision"], tree["num_modules"]) == (2, 3)

    def test_a_step_that_needs_another_says_so_and_prints_what_torch_raises(self, reader: Reader) -> None:
        learner = Learner(reader, "buffers")
        page = learner.run(2)
        assert "This step builds on step 1" in page.text
        assert learner.at(1).url.endswith(page.links["Registered, not learned"])
        assert printed(page) == "AttributeError: LinearModel has no attribute `buf`"

    def test_what_changed_on_the_trees_own_page_counts_in_the_answer(self, reader: Reader) -> None:
        learner = Learner(reader, "modules")
        learner.run(1)
        reader.client.post(f"/api/trees/{learner.tree}/add_module", json={"name": "more", "root": {}})
        assert "Right. 4." in learner.at(1, answer="4").text

    def test_a_tree_that_is_gone_or_no_lessons_is_replaced_at_the_same_step(self, reader: Reader) -> None:
        grid = reader.open_tree({"kind": "grid", "branching": 3, "depth": 4, "seed": 0}).rpartition("/")[2]
        meta = reader.open_tree(
            {"kind": "factory", "target": "torch.nn:Linear", "kwargs": {"in_features": 1, "out_features": 1}}
        )
        for tree in ("t_aaaaaaaaaa", grid, meta.rpartition("/")[2], "<b>"):
            page = reader.get(f"/learn/parameters?tree={tree}&step=3&ran=1&answer=x")
            assert "This tree is gone, or it is not one of the lesson." in page.text
            assert "sub1.bias" not in page.text
        again = reader.send(page.form("/start"))
        assert httpx.URL(again.url).params["step"] == "3"
        assert printed(reader.send(again.form("/run"))).startswith("Parameter containing:")

    def test_who_sends_a_call_for_a_deleted_tree_gets_a_fresh_one(self, reader: Reader) -> None:
        learner = Learner(reader, "parameters")
        page = learner.at(1)
        reader.client.delete(f"/api/trees/{learner.tree}")
        again = reader.send(page.form("/run"))
        assert httpx.URL(again.url).params["tree"] != learner.tree
        assert printed(again).startswith("Parameter containing:")


class TestTraining:
    def test_ten_epochs_print_the_tutorials_losses_and_predict_21_1794(self, reader: Reader) -> None:
        learner = Learner(reader, "training")
        page = learner.train(3)
        losses = [float(line.partition(": ")[2]) for line in printed(page).split("\n")]
        assert losses == pytest.approx(LOSSES, rel=1e-5)
        assert "succeeded" in page.text
        assert f"tensor([[{AT_TEN}]]" in printed(learner.run(4))

    def test_the_code_that_is_shown_is_the_loop_that_prints_them(self) -> None:
        lines = run_example(train, linear_model()).text.split("\n")
        assert [line.partition(":")[0] for line in lines] == [f"epoch {epoch}" for epoch in range(10)]
        assert [float(line.partition(": ")[2]) for line in lines] == pytest.approx(LOSSES, rel=1e-5)

    def test_a_large_learning_rate_makes_the_loss_grow_as_the_text_says(self, reader: Reader) -> None:
        page = Learner(reader, "training").train(5, lr="0.1")
        losses = [float(line.partition(": ")[2]) for line in printed(page).split("\n")]
        assert losses[:3] == pytest.approx([37.1365, 870.535, 20421.94], rel=1e-4)

    def test_a_learning_rate_that_is_none_is_refused_in_words(self, reader: Reader) -> None:
        learner = Learner(reader, "training")
        page = reader.send(learner.at(5).form("/train"), 422, lr="fast")
        assert "lr: expected a number, got 'fast'" in page.text


class TestProgress:
    def test_the_contents_lead_back_to_where_somebody_was(self, reader: Reader) -> None:
        assert "Begin with Module" in reader.get("/learn").text
        learner = Learner(reader, "module")
        learner.at(1, answer="submodules")
        learner.at(2)
        contents = reader.get("/learn")
        assert "1 of 3 answered" in contents.text
        assert contents.links["Go on with Module"] == f"/learn/module?tree={learner.tree}&step=2"

    def test_a_cookie_that_says_nonsense_is_left_out(self, reader: Reader) -> None:
        for cookie in ("module.t_1.9.9", "~~~", "nothing.t_aaaaaaaaaa.1.1", "module.t_aaaaaaaaaa.7.123"):
            reader.client.cookies.set(COOKIE, cookie)
            assert "Begin with Module" in reader.get("/learn").text

    def test_addresses_that_lead_nowhere_say_so(self, reader: Reader) -> None:
        assert "The lesson has no chapter 'layers'." in reader.get("/learn/layers", 404).text
        assert "This chapter of the lesson has no step 4." in reader.get("/learn/module?step=4", 404).text
        reader.get("/learn/module?step=0", 422)
        assert reader.get("/learn/module/run").url.endswith("/learn/module")


def words_of(step: Step) -> Iterator[str]:
    """Every sentence of a step that is for a person."""
    yield from (step.title, *step.prose, step.question.ask)
    if isinstance(step.question, Choice):
        for option in step.question.options.values():
            yield option.said
            if not option.is_code:
                yield option.label
    else:
        yield from (step.question.why, step.question.hint, *step.question.slips.values())


@pytest.mark.parametrize("chapter", CHAPTERS.values(), ids=lambda chapter: chapter.key)
def test_every_word_of_a_chapter_is_there_in_korean_too(reader: Reader, chapter: Any) -> None:
    with speaking("ko"):
        for step in chapter.steps:
            for words in words_of(step):
                korean = translated(words)
                assert re.search("[가-힣]", korean), words
                assert set(re.findall("`[^`]*`", korean)) == set(re.findall("`[^`]*`", words))
        title = translated(chapter.steps[0].title)
    reader.client.headers["accept-language"] = "ko-KR,ko;q=0.9"
    page = reader.get(f"/learn/{chapter.key}")
    assert ("html", {"lang": "ko"}) in page.tags
    assert title in page.text


def test_the_right_option_is_one_of_the_options() -> None:
    for chapter in CHAPTERS.values():
        for step in chapter.steps:
            if isinstance(step.question, Choice):
                assert step.question.right in step.question.options
