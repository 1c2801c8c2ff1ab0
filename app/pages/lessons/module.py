"""Chapter 1: what a module is, and how it is called."""

from typing import Any

import torch
from torch import Tensor, nn

from app.pages.lessons.printing import print  # noqa: A004
from app.pages.lessons.step import Chapter, Choice, Option, Step, Typed
from app.translation import N_


def define(model: Any) -> None:
    class LinearModel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.rand(1))
            self.bias = nn.Parameter(torch.rand(1))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.weight + self.bias

    print(model)  # the LinearModel beside this text


def call(model: Any) -> None:
    x = torch.tensor([[2.0]])
    print(model(x))


def call_twice(model: Any) -> None:
    hook = model.register_forward_hook(lambda *_: print("the hook ran"))
    x = torch.tensor([[2.0]])
    print("called: ", model(x).item())
    print("forward:", model.forward(x).item())
    hook.remove()


CHAPTER = Chapter(
    key="module",
    title=N_("Module"),
    about=N_("A class with two methods: one says what it keeps, the other what becomes of an input."),
    words=("__init__", "forward", "__call__"),
    root={"weight": 0.7849, "bias": 0.4208},
    steps=(
        Step(
            title=N_("A class with a forward"),
            prose=(
                N_(
                    "`nn.Module` is the base class of everything in PyTorch that can hold something to learn: a single "
                    "operation, a block of them, a whole model. You write a subclass, and two of its methods are yours."
                ),
                N_(
                    "`__init__` says what the module keeps. It begins with `super().__init__()`, which lays out the "
                    "registers for parameters, buffers and submodules; an `nn.Parameter` that is assigned before that "
                    "is refused. `forward` says what becomes of an input: here, y = x * weight + bias."
                ),
            ),
            example=define,
            question=Choice(
                ask=N_("The model has two parameters, and `print(model)` shows nothing in the parentheses. Why?"),
                right="submodules",
                options={
                    "later": Option(
                        N_("The parameters are made at the first call."),
                        N_(
                            "They are there from `__init__` on: the tree shows both with their values. What `print` "
                            "lists are submodules, and this model has none."
                        ),
                    ),
                    "submodules": Option(
                        N_("`print` lists submodules, and this model has none."),
                        N_(
                            "`repr` of a module is its class, what the class adds in `extra_repr`, and its submodules. "
                            "Parameters have methods of their own; the next chapter is about them."
                        ),
                    ),
                    "small": Option(
                        N_("Tensors with a single element are left out."),
                        N_(
                            "Their size plays no part: `repr` shows no tensor of any size. It lists submodules, and "
                            "this model has none."
                        ),
                    ),
                },
            ),
        ),
        Step(
            title=N_("Call the module"),
            prose=(
                N_(
                    "To compute, call the module as if it were a function. The call hands x to `forward` and returns "
                    "what that returns; weight and bias have one element each and are broadcast over any shape of x."
                ),
                N_(
                    "The result carries a `grad_fn`: PyTorch remembers how it came about. That is how `backward` finds "
                    "the gradients, in the last chapter."
                ),
            ),
            example=call,
            question=Typed(
                ask=N_("What does this model answer at x = 0? Give four digits after the point."),
                answer=lambda model: model.bias.item(),
                why=N_("At 0 the product vanishes and the bias is left: %(answer)s."),
                hint=N_("y = x * weight + bias, and x is 0. The tree shows the values of both."),
            ),
        ),
        Step(
            title=N_("Call it, not its forward"),
            prose=(
                N_(
                    "`model.forward(x)` returns the same numbers and is still not the call to write. `model(x)` goes "
                    "through `__call__`, which runs `forward` and every hook that is registered on the module. "
                    "Profilers, pruning and this server's traces are built on such hooks, and `forward` alone passes "
                    "them by in silence."
                ),
                N_("The example registers a hook, computes in both ways, and takes the hook off again."),
            ),
            example=call_twice,
            question=Typed(
                ask=N_("How many of the two ways ran the hook?"),
                answer=lambda _: 1,
                why=N_("%(answer)s: only `model(x)`. Write `forward`, and call the module."),
                hint=N_("A hook prints its line before the line of the call that ran it. Count its lines."),
            ),
        ),
    ),
)
