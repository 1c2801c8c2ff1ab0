"""Chapter 5: one function on every module."""

from typing import Any

import torch
from torch import nn

from app.pages.lessons.printing import print  # noqa: A004
from app.pages.lessons.step import Chapter, Choice, Option, Step, Typed
from app.translation import N_
from app.trees.linear import LinearModel


def new_weight(model: Any) -> None:
    def make_new_weight(module: nn.Module) -> None:
        module.weight2 = nn.Parameter(torch.tensor([2.0]))

    model.apply(make_new_weight)
    print(model.get_parameter("weight2"))
    print(model.get_parameter("sub.weight2"))


def order(model: Any) -> None:
    names = {module: name for name, module in model.named_modules()}
    print("modules:", [names[module] for module in model.modules()])

    called: list[str] = []
    model.apply(lambda module: called.append(names[module]))
    print("apply:  ", called)


def initialise(model: Any) -> None:
    def start_at_zero(module: nn.Module) -> None:
        if isinstance(module, LinearModel):
            nn.init.zeros_(module.bias)

    model.apply(start_at_zero)
    for name, parameter in model.named_parameters():
        print(f"{name}: {parameter.item():.4f}")


def all_have_weight2(model: nn.Module) -> bool:
    """Whether the first call was made."""
    return all("weight2" in dict(module.named_parameters(recurse=False)) for module in model.modules())


def starts_at_zero(model: nn.Module) -> bool:
    """Whether every bias is 0."""
    return all(bias.item() == 0 for name, bias in model.named_parameters() if name.split(".")[-1] == "bias")


CHAPTER = Chapter(
    key="apply",
    title="apply",
    about=N_("One function, called on every module of the tree."),
    words=("apply", "torch.nn.init"),
    root={"children": {"sub": {}}},
    steps=(
        Step(
            title=N_("A function for every module"),
            prose=(
                N_(
                    "`apply(fn)` calls a function on every module of the tree, the root too, and returns the root. "
                    "What the function does is up to it. Here it gives each module one more parameter, `weight2`."
                ),
                N_("The call changes the tree: watch both modules get their new row."),
            ),
            example=new_weight,
            question=Typed(
                ask=N_("How many numbers does the model learn now?"),
                answer=lambda model: sum(parameter.numel() for parameter in model.parameters()),
                why=N_("%(answer)s: `weight`, `bias` and `weight2`, in each of the modules."),
                hint=N_("Count the parameters in the tree; each of them holds one number."),
                slips={"3": N_("That is one module alone. The function was called on the child as well.")},
            ),
            note="apply(make_new_weight)",
            is_done=all_have_weight2,
        ),
        Step(
            title=N_("Children first"),
            prose=(
                N_(
                    "`modules()` comes to a parent before its children. `apply` has it the other way round: first the "
                    "children of a module, in order, and then the module itself. A function that looks at what is "
                    "below finds it done."
                ),
            ),
            example=order,
            question=Choice(
                ask=N_("A root has a child `a`, and that has a child `a.b`. In which order does `apply` go?"),
                right="up",
                options={
                    "down": Option(
                        N_("root, `a`, `a.b`"),
                        N_("That is the order of `modules()`. `apply` calls a module after all that is below it."),
                    ),
                    "mixed": Option(
                        N_("`a`, `a.b`, root"),
                        N_("The root does come last. But `a.b` is below `a`, so it is called before `a`."),
                    ),
                    "up": Option(
                        N_("`a.b`, `a`, root"),
                        N_("A module is called after all that is below it, so the root comes last."),
                    ),
                },
            ),
        ),
        Step(
            title=N_("First values"),
            prose=(
                N_(
                    "Most often `apply` gives a model its first values: the function asks for the class of the module "
                    "and calls one of `torch.nn.init`. Those write into the tensor in place and outside of autograd, "
                    "as the underscore at their end says. The parameter stays the same object, so an optimizer that "
                    "already holds it goes on with it."
                ),
                N_("The call changes the tree: each bias becomes 0, everything else stays."),
            ),
            example=initialise,
            question=Choice(
                ask=N_("What becomes of the value that the function returns?"),
                right="nothing",
                options={
                    "nothing": Option(
                        N_("Nothing: the function is called for what it does"),
                        N_("`apply` drops it, and returns the module that it was called on."),
                    ),
                    "replace": Option(
                        N_("It takes the place of the module"),
                        N_("Nothing is replaced: `apply` drops what comes back. Assign on the module instead."),
                    ),
                    "list": Option(
                        N_("`apply` collects it in a list"),
                        N_("`apply` returns the module that it was called on, and drops what the function returns."),
                    ),
                },
            ),
            note="apply(start_at_zero)",
            is_done=starts_at_zero,
        ),
    ),
)
