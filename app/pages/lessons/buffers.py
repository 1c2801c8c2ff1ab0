"""Chapter 3: buffers, saved or not, and how they move."""

import copy
from typing import Any

import torch

from app.pages.lessons.printing import print  # noqa: A004
from app.pages.lessons.step import Chapter, Choice, Option, Step, Typed
from app.translation import N_


def register_buffer(model: Any) -> None:
    model.register_buffer("buf", torch.tensor([4]))
    print(model.buf)


def look(model: Any) -> None:
    for buffer in model.buffers():
        print(buffer)
    for name, buffer in model.named_buffers():
        print(f"name: {name}\nbuffer: {buffer}")
    print(model.get_buffer("buf"))


def not_persistent(model: Any) -> None:
    model.register_buffer("cache", torch.zeros(3), persistent=False)
    print("listed:", [name for name, _ in model.named_buffers()])
    print("saved: ", list(model.state_dict()))


def move(model: Any) -> None:
    model.plain = torch.tensor([4])
    model.to("meta")
    for name in ("weight", "buf", "plain"):
        print(f"{name}: {getattr(model, name).device}")


CHAPTER = Chapter(
    key="buffers",
    title=N_("Buffers"),
    about=N_("What a model keeps without learning it: running means, masks, counters."),
    words=("register_buffer", "buffers", "named_buffers", "get_buffer"),
    root={"weight": 0.7849, "bias": 0.4208},
    steps=(
        Step(
            title=N_("Registered, not learned"),
            prose=(
                N_(
                    "Some tensors belong to a module and are not learned: the running mean of a BatchNorm, the mask of "
                    "an attention, a counter. `register_buffer(name, tensor)` registers such a tensor. It has no "
                    "gradient and no optimizer gets it, and still it is saved and moved with the model."
                ),
                N_(
                    "From then on it is an attribute like any other, `model.buf`. The call changes the tree: a row for "
                    "the buffer appears."
                ),
            ),
            example=register_buffer,
            question=Typed(
                ask=N_("Which dtype does `buf` have?"),
                answer=lambda model: str(model.buf.dtype).removeprefix("torch."),
                why=N_(
                    "%(answer)s, since `torch.tensor([4])` is made from a whole number. A parameter that is learned "
                    "could not have it: only floating-point tensors have gradients."
                ),
                hint=N_("The tree shows shape and dtype beside the name. The 4 was written without a point."),
                slips={
                    "float32": N_("That is what `torch.tensor([4.])` would have. The 4 was written without a point."),
                    "int": N_("Whole numbers, yes. torch's name for it also says how many bits; the tree has it."),
                },
            ),
            note="register_buffer('buf')",
            is_done=lambda model: "buf" in dict(model.named_buffers(recurse=False)),
        ),
        Step(
            title=N_("Three ways to look"),
            prose=(
                N_(
                    "They are those of parameters: `buffers()` for the tensors, `named_buffers()` for names and "
                    "tensors, `get_buffer(target)` for one, with an `AttributeError` for a target that is not there."
                ),
                N_(
                    "A name is registered once, as parameter, buffer or submodule, and each iterator lists only its "
                    "own kind."
                ),
            ),
            example=look,
            question=Typed(
                ask=N_("How many tensors does `model.parameters()` yield, now that there is a buffer?"),
                answer=lambda model: len(list(model.parameters())),
                why=N_("%(answer)s, as before. A buffer is no parameter, and no optimizer meets it."),
                hint=N_("A buffer is no parameter. Count the tensors in the tree that are not marked as a buffer."),
            ),
            needs=1,
        ),
        Step(
            title=N_("Saved, or not"),
            prose=(
                N_(
                    "A buffer is saved unless it was registered with `persistent=False`. A buffer like that is left "
                    "out of the state dict, and that is all: it is listed like the others and moves with the model. "
                    "It suits what can be computed again, a table of positions for instance."
                ),
            ),
            example=not_persistent,
            question=Choice(
                ask=N_("The mask of an attention follows from its length. How is it best kept?"),
                right="buffer",
                options={
                    "parameter": Option(
                        N_("As an `nn.Parameter`"),
                        N_(
                            "Then the optimizer would try to learn it; and a mask of booleans is refused, since it "
                            "cannot have a gradient. A buffer with `persistent=False` does what is wanted."
                        ),
                    ),
                    "buffer": Option(
                        N_("As a buffer with `persistent=False`"),
                        N_("It is with the model on every device, and no checkpoint has to carry it."),
                    ),
                    "attribute": Option(
                        N_("As a plain attribute"),
                        N_(
                            "That works until the model is moved: `to` leaves plain attributes where they were. A "
                            "buffer with `persistent=False` moves along."
                        ),
                    ),
                },
            ),
            note="register_buffer('cache', persistent=False)",
            is_done=lambda model: "cache" in dict(model.named_buffers(recurse=False)),
        ),
        Step(
            title=N_("Moved together"),
            prose=(
                N_(
                    "`model.to(device)` moves parameters and buffers. A plain tensor stays where it was, and the next "
                    "`forward` that uses it finds tensors on two devices. The example moves to the meta device, which "
                    "knows shapes without values, so that no GPU is needed."
                ),
                N_(
                    "`model.to(dtype)` differs a little: it casts what is floating-point, and leaves tensors of whole "
                    "numbers as they are."
                ),
            ),
            example=move,
            question=Typed(
                ask=N_("Which dtype does `buf` have after `model.to(torch.float16)`?"),
                answer=lambda model: str(copy.deepcopy(model).to(torch.float16).buf.dtype).removeprefix("torch."),
                why=N_("%(answer)s still: `to` casts floating-point tensors, and this one holds a whole number."),
                hint=N_("`to(dtype)` casts floating-point tensors. Is `buf` one of them?"),
            ),
            needs=1,
        ),
    ),
)
