"""Chapter 4: the tree of modules, and the four ways through it."""

from typing import Any

from torch import nn

from app.pages.lessons.printing import print  # noqa: A004
from app.pages.lessons.step import Chapter, Choice, Option, Step, Typed
from app.translation import N_
from app.trees.linear import LinearModel


def assign(model: Any) -> None:
    model.sub1 = LinearModel()
    model.sub1.sub2_1 = LinearModel()
    print(model)


def modules(model: Any) -> None:
    for module in model.modules():
        print(module)
    for name, module in model.named_modules():
        print(f"name: {name}\nmodule: {module}")


def children(model: Any) -> None:
    for child in model.children():
        print(child)
    for name, child in model.named_children():
        print(f"name: {name}\nchild: {child}")


def get_submodule(model: Any) -> None:
    print(model.get_submodule("sub1"))
    print(model.get_submodule("sub1.sub2_1"))
    print(model.get_submodule("sub2_1"))


def hide(model: Any) -> None:
    print(len(list(model.parameters())))
    model.parts = [LinearModel(), LinearModel()]
    print(len(list(model.parameters())))
    model.parts = nn.ModuleList(model.parts)
    print(len(list(model.parameters())))


def has_both(model: nn.Module) -> bool:
    """Whether the tree of this chapter stands."""
    return {"sub1", "sub1.sub2_1"} <= dict(model.named_modules()).keys()


CHAPTER = Chapter(
    key="modules",
    title=N_("Submodules"),
    about=N_("Modules in modules: assignment builds the tree, iterators walk it."),
    words=("modules", "named_modules", "children", "named_children", "get_submodule"),
    root={},
    steps=(
        Step(
            title=N_("Assignment builds the tree"),
            prose=(
                N_(
                    "Assign a module to an attribute of another, and it becomes a submodule under that name. Nothing "
                    "more is needed, at any depth, and this is how every model is put together."
                ),
                N_(
                    "`print(model)` has something to list now: a line for each submodule, its name in parentheses, "
                    "indented by its depth. Run the call, and the tree beside it grows by the same two."
                ),
            ),
            example=assign,
            question=Typed(
                ask=N_("How many modules will `model.modules()` yield?"),
                answer=lambda model: len(list(model.modules())),
                why=N_("%(answer)s. It begins with the module that it is called on, and goes on with all below."),
                hint=N_("Count every module in the tree; the root is one of them."),
                slips={
                    "1": N_("That is how many children the model has. `modules()` takes in the root and every level."),
                    "2": N_("Two are below the root. `modules()` yields the root first, then those."),
                },
            ),
            note="sub1 = LinearModel(), sub1.sub2_1 = LinearModel()",
            is_done=has_both,
        ),
        Step(
            title=N_("The whole tree"),
            prose=(
                N_(
                    "`modules()` walks the whole tree, each module before its children, and begins with the one that "
                    "it is called on. `named_modules()` says the path of each as well. The path to the first is empty, "
                    "so nothing stands after its `name:`."
                ),
                N_(
                    "A module that has two places is yielded once. With `remove_duplicate=False`, `named_modules()` "
                    "lists both."
                ),
            ),
            example=modules,
            question=Typed(
                ask=N_("Under which name does the innermost module come?"),
                answer=lambda model: [name for name, _ in model.named_modules()][-1],
                why=N_("`%(answer)s`: all names on the way from the root, joined by dots."),
                hint=N_("It is the last of the names that were printed: a path, and not the attribute alone."),
                slips={
                    "sub2_1": N_(
                        "That is its name within its parent. Seen from the root, the way leads through `sub1`."
                    ),
                },
            ),
            needs=1,
        ),
        Step(
            title=N_("One level down"),
            prose=(
                N_(
                    "`children()` and `named_children()` list direct children: not the module itself, and nothing "
                    "further down. To run through the parts of a block in order take `children()`; to reach every "
                    "module there is take `modules()`."
                ),
            ),
            example=children,
            question=Typed(
                ask=N_("And how many modules does `model.sub1.modules()` yield?"),
                answer=lambda model: len(list(model.sub1.modules())),
                why=N_("%(answer)s: `sub1` itself comes first, then what is below it."),
                hint=N_("It begins with `sub1` itself and goes on with all below."),
                slips={"1": N_("That would be `model.sub1.children()`. `modules()` yields `sub1` itself as well.")},
            ),
            needs=1,
        ),
        Step(
            title=N_("One module, by its path"),
            prose=(
                N_(
                    "`get_submodule(target)` follows a path of names, as `get_parameter` does. The path begins at the "
                    "module that is asked, so what `sub1` calls `sub2_1` is `sub1.sub2_1` for the root. The last line "
                    "leaves out a name on purpose."
                ),
            ),
            example=get_submodule,
            question=Choice(
                ask=N_('What does `model.get_submodule("")` return?'),
                right="itself",
                options={
                    "itself": Option(
                        N_("The model itself"),
                        N_("The empty path ends where it begins. It is the same name that `named_modules()` gave it."),
                    ),
                    "none": Option(
                        "None",
                        N_("The empty path ends where it begins, and a module is there: the one that was asked."),
                        is_code=True,
                    ),
                    "raises": Option(
                        N_("Nothing, it raises an `AttributeError`"),
                        N_(
                            "A name that is missing raises. The empty path has no name that could be missing: it ends "
                            "where it begins, at the model itself."
                        ),
                    ),
                },
            ),
            needs=1,
        ),
        Step(
            title=N_("A list hides what it holds"),
            prose=(
                N_(
                    "A module notices when a module is assigned to it, and not when a list of modules is. What stands "
                    "in a plain list is not registered: no optimizer gets its parameters, nothing of it is saved or "
                    "moved, and no error says so."
                ),
                N_(
                    "`nn.ModuleList` and `nn.ModuleDict` are a list and a dictionary that register what they hold. The "
                    "example counts the parameters before, with a plain list, and with a `ModuleList`."
                ),
            ),
            example=hide,
            question=Typed(
                ask=N_("How many parameters are missing while both parts stand in a plain list?"),
                answer=lambda _: 4,
                why=N_("%(answer)s: two modules with two parameters each. They would never be trained, nor saved."),
                hint=N_("Compare the last two of the printed numbers."),
                slips={"2": N_("Two modules are missing, and each of them has a weight and a bias.")},
            ),
            needs=1,
        ),
    ),
)
