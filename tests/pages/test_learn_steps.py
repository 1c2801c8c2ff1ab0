"""The lesson's steps: each prints what torch prints, and its question is checked on the learner's own tree."""

import copy
import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import Any

import httpx
import pytest
import torch
from torch import nn

from app.pages.lessons.chapters import CHAPTERS
from app.pages.lessons.step import Training
from app.trees.linear import LinearModel
from tests.live import LiveServer
from tests.pages.learner import Learner, printed
from tests.pages.reader import Reader

X = torch.arange(10).float().view(-1, 1)
Y = 2 * X + 1


@pytest.fixture
def reader(server: LiveServer) -> Iterator[Reader]:
    """A browser of its own, since the lesson keeps a cookie."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False, verify=False) as client:
        yield Reader(client)


def oracle(calls: Callable[[Any], object], model: LinearModel) -> str:
    """What the calls print, the end of a traceback with it."""
    out = io.StringIO()
    with redirect_stdout(out):
        try:
            calls(model)
        except AttributeError as error:
            print(f"AttributeError: {error}")
    return out.getvalue().removesuffix("\n")


def each(things: Any) -> None:
    for thing in things:
        print(thing)


def pairs(things: Any, word: str) -> Iterator[str]:
    return (f"name: {name}\n{word}: {thing}" for name, thing in things)


def first_calls_then_forward(model: Any) -> None:
    print(f"the hook ran\ncalled:  {model(torch.tensor([[2.0]])).item()}")
    print(f"forward: {model.forward(torch.tensor([[2.0]])).item()}")


def frozen(model: Any) -> None:
    assert not model.weight.requires_grad
    each(model.parameters())


def visited(model: Any) -> None:
    names = {module: name for name, module in model.named_modules()}
    seen: list[str] = []
    model.apply(lambda module: seen.append(names[module]))
    print(f"modules: {[name for name, _ in model.named_modules()]}\napply:   {seen}")


def stepped(model: Any) -> None:
    nn.MSELoss()(model(X), Y).backward()
    print("gradient:", model.weight.grad, model.bias.grad)
    weight, bias = ((each - 0.01 * each.grad).item() for each in (model.weight, model.bias))
    print(f"then: weight {weight:.4f}, bias {bias:.4f}")


def reached(model: Any) -> None:
    own, chain = copy.deepcopy(model), copy.deepcopy(model)
    nn.MSELoss()(own(X), Y).backward()
    nn.MSELoss()(chain.sub1(chain(X)), Y).backward()
    print(f"not called: {own.sub1.weight.grad}\ncalled:     {chain.sub1.weight.grad}")


# For each step what torch is asked for, the right answer, and a wrong one with a word of why it is.
STEPS: dict[str, list[tuple[Callable[[Any], object], str, str, str]]] = {
    "module": [
        (print, "submodules", "later", "What print lists are submodules"),
        (lambda model: print(model(torch.tensor([[2.0]]))), "0.4208", "0.7849", "The tree shows the values of both"),
        (first_calls_then_forward, "1", "2", "Count its lines"),
    ],
    "parameters": [
        (lambda model: each(model.parameters()), "2", "4", "Count the tensors"),
        (lambda model: each(pairs(model.named_parameters(), "parameter")), "recurse", "prefix", "is empty anyway"),
        (
            lambda model: each(map(model.get_parameter, ("weight", "height"))),
            "sub1.bias",
            "bias",
            "That is the model's own bias",
        ),
        (
            lambda _: print("parameters: ['weight', 'bias']\nstate dict: ['weight', 'bias']"),
            "none",
            "zero",
            "makes nothing up",
        ),
        (frozen, "1", "2", "Only what requires a gradient"),
    ],
    "buffers": [
        (lambda model: print(model.buf), "torch.int64", "float32", "was written without a point"),
        (
            lambda model: each([*model.buffers(), *pairs(model.named_buffers(), "buffer"), model.get_buffer("buf")]),
            "2",
            "3",
            "A buffer is no parameter",
        ),
        (
            lambda model: print(f"listed: {list(dict(model.named_buffers()))}\nsaved:  {list(model.state_dict())}"),
            "buffer",
            "attribute",
            "until the model is moved",
        ),
        (
            lambda model: print(f"weight: {model.to('meta').weight.device}\nbuf: {model.buf.device}\nplain: cpu"),
            "int64",
            "float16",
            "Is buf one of them",
        ),
    ],
    "modules": [
        (print, "3", "2", "yields the root first"),
        (
            lambda model: each([*model.modules(), *pairs(model.named_modules(), "module")]),
            "sub1.sub2_1",
            "sub2_1",
            "its name within its parent",
        ),
        (
            lambda model: each([*model.children(), *pairs(model.named_children(), "child")]),
            "2",
            "1",
            "yields sub1 itself as well",
        ),
        (
            lambda model: each(map(model.get_submodule, ("sub1", "sub1.sub2_1", "sub2_1"))),
            "itself",
            "raises",
            "The empty path has no name that could be missing",
        ),
        (lambda _: print("6\n6\n10"), "4", "2", "each of them has a weight and a bias"),
    ],
    "apply": [
        (
            lambda model: each(model.get_parameter(target) for target in ("weight2", "sub.weight2")),
            "6",
            "3",
            "called on the child as well",
        ),
        (visited, "up", "down", "That is the order of modules()"),
        (
            lambda model: each(f"{name}: {value.item():.4f}" for name, value in model.named_parameters()),
            "nothing",
            "list",
            "returns the module that it was called on",
        ),
    ],
    "training": [
        (
            lambda model: each([f"{X.shape} {Y.flatten()}", nn.MSELoss()(model(X), Y).item()]),
            "0",
            "1",
            "By how much does it miss",
        ),
        (stepped, "sum", "same", "leaves them"),
        (lambda _: None, "2.0484", "2.05", "More digits"),
        (
            lambda model: each([model(X).flatten(), model(torch.tensor([[10.0]]))]),
            "0.18",
            "21.18",
            "The difference",
        ),
        (lambda _: None, "large", "near", "Near the border"),
        (reached, "forward", "zero", "gets a gradient like any other"),
    ],
}


def test_every_step_has_its_oracle() -> None:
    assert {key: len(steps) for key, steps in STEPS.items()} == {
        key: len(chapter.steps) for key, chapter in CHAPTERS.items()
    }


@pytest.mark.parametrize("chapter", STEPS)
def test_each_step_prints_what_torch_prints_and_says_why_an_answer_holds_or_not(reader: Reader, chapter: str) -> None:
    learner = Learner(reader, chapter)
    steps = zip(CHAPTERS[chapter].steps, STEPS[chapter], strict=True)
    for number, (step, (calls, right, wrong, why_not)) in enumerate(steps, 1):
        if isinstance(step, Training):
            page = learner.train(number, lr="0.01")
            assert printed(page).startswith("epoch 0: ")
        else:
            page = learner.run(number)
            assert printed(page) == oracle(calls, learner.model()), step.title
        refused = learner.answer(page, wrong)
        assert "Not yet." in refused.text
        assert why_not in refused.text
        taken = learner.answer(page, right)
        assert "Right." in taken.text
        assert httpx.URL(taken.url).params["answer"] == right
        assert printed(taken) == printed(page)
    assert f"{len(STEPS[chapter])} of {len(STEPS[chapter])} answered" in reader.get("/learn").text
