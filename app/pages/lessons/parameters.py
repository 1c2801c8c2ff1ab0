"""Chapter 2: parameters, and what is none."""

from typing import Any

import torch

from app.pages.lessons.printing import print  # noqa: A004
from app.pages.lessons.step import Chapter, Choice, Option, Step, Typed
from app.translation import N_


def parameters(model: Any) -> None:
    for parameter in model.parameters():
        print(parameter)


def named_parameters(model: Any) -> None:
    for name, parameter in model.named_parameters():
        print(f"name: {name}\nparameter: {parameter}")


def get_parameter(model: Any) -> None:
    print(model.get_parameter("weight"))
    print(model.get_parameter("height"))


def plain_tensor(model: Any) -> None:
    model.scale = torch.tensor([3.0])
    print("parameters:", [name for name, _ in model.named_parameters()])
    print("state dict:", list(model.state_dict()))


def freeze(model: Any) -> None:
    model.weight.requires_grad_(False)
    for parameter in model.parameters():
        print(parameter)


CHAPTER = Chapter(
    key="parameters",
    title=N_("Parameters"),
    about=N_("What a model learns: tensors that are registered, named, saved and updated."),
    words=("parameters", "named_parameters", "get_parameter", "requires_grad_"),
    root={"weight": 0.7849, "bias": 0.4208},
    steps=(
        Step(
            title=N_("All parameters"),
            prose=(
                N_(
                    "Assign an `nn.Parameter` to an attribute of a module, and the module registers it under that "
                    "name. It requires a gradient without being asked to."
                ),
                N_(
                    "`parameters()` iterates over everything that was registered, in that order, and goes down through "
                    "all submodules. It is what an optimizer is given."
                ),
            ),
            example=parameters,
            question=Typed(
                ask=N_("How many numbers does this model learn, all parameters together?"),
                answer=lambda model: sum(parameter.numel() for parameter in model.parameters()),
                why=N_("%(answer)s. In code: `sum(p.numel() for p in model.parameters())`."),
                hint=N_("Every tensor that was printed has one element. Count the tensors."),
            ),
        ),
        Step(
            title=N_("Parameters with their names"),
            prose=(
                N_(
                    "`named_parameters()` yields each parameter after its name. In a tree the name is a path, joined "
                    "by dots, from the module that was asked: `sub1.weight` is one level down. A checkpoint keeps the "
                    "values under the same names."
                ),
                N_("Both iterators list a parameter once, at its first place, even if several modules share it."),
            ),
            example=named_parameters,
            question=Choice(
                ask=N_("Which argument leaves out the parameters of submodules?"),
                right="recurse",
                options={
                    "recurse": Option(
                        "recurse=False",
                        N_("With it, only what is registered on the module itself is listed."),
                        is_code=True,
                    ),
                    "duplicate": Option(
                        "remove_duplicate=False",
                        N_(
                            "That one lists a shared parameter at every place that it has. Submodules are still "
                            "visited; `recurse=False` stays with the module itself."
                        ),
                        is_code=True,
                    ),
                    "prefix": Option(
                        'prefix=""',
                        N_(
                            "The prefix is put before every name, and is empty anyway. `recurse=False` stays with the "
                            "module itself."
                        ),
                        is_code=True,
                    ),
                },
            ),
        ),
        Step(
            title=N_("One parameter, by its name"),
            prose=(
                N_(
                    "`get_parameter(target)` takes such a name and returns that one parameter. `model.weight` does as "
                    "well while you know the name as you write; a target may also come from a file or a loop."
                ),
                N_(
                    "A target that leads nowhere raises an `AttributeError`, and its message names the class and what "
                    "it lacks. The second line asks for one on purpose."
                ),
            ),
            example=get_parameter,
            question=Typed(
                ask=N_("Which target leads to the bias of a child named `sub1`?"),
                answer=lambda _: "sub1.bias",
                why=N_("`%(answer)s`: the child's name, a dot, the parameter's name."),
                hint=N_("Names are joined by dots, from the module that is asked down to the parameter."),
                slips={
                    "bias": N_("That is the model's own bias. The way to the child comes first."),
                    "sub1": N_("That leads to the child, which is a module. Its bias is one name further."),
                },
            ),
        ),
        Step(
            title=N_("A plain tensor is not one"),
            prose=(
                N_(
                    "An attribute that holds a plain tensor is a Python attribute and nothing more. `forward` can use "
                    "it, and it may even require a gradient, but the module has not registered it: no optimizer gets "
                    "it from `parameters()`, `to` leaves it behind, and the state dict does not save it."
                ),
                N_("The example assigns one and asks for both lists. Neither knows of it."),
            ),
            example=plain_tensor,
            question=Choice(
                ask=N_("You save `model.state_dict()` and load it into a new LinearModel. What is its `scale`?"),
                right="none",
                options={
                    "saved": Option(
                        N_("The value that was saved"),
                        N_("It was not saved: a state dict holds parameters and buffers, and `scale` is neither."),
                    ),
                    "none": Option(
                        N_("It has none"),
                        N_(
                            "Only what is registered is saved. The new model has no `scale` until somebody assigns it; "
                            "a forward that needs it would raise an `AttributeError`."
                        ),
                    ),
                    "zero": Option(
                        N_("A tensor of zeros"),
                        N_("Loading makes nothing up. The state dict has no `scale`, so the new model gets none."),
                    ),
                },
            ),
        ),
        Step(
            title=N_("Frozen parameters"),
            prose=(
                N_(
                    "A parameter can stay registered and not be trained. `requires_grad_(False)`, on a parameter or on "
                    "a module for all below it, freezes it: it is listed, saved and moved as before, and `backward` "
                    "computes no gradient for it."
                ),
                N_("This call changes the tree. Look at what `weight` says of itself then; Undo takes it back."),
            ),
            example=freeze,
            question=Typed(
                ask=N_("How many parameters does training still change?"),
                answer=lambda model: sum(parameter.requires_grad for parameter in model.parameters()),
                why=N_("%(answer)s. An optimizer passes over a parameter that has no gradient."),
                hint=N_("Only what requires a gradient is changed. The printed lines say `requires_grad=True` of it."),
            ),
            note="weight.requires_grad_(False)",
            is_done=lambda model: not model.weight.requires_grad,
        ),
    ),
)
