"""What goes into and comes out of every module of a forward on the meta device, and what it costs.

inputs -> forward, hooks around every module -> calls -> columns
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import msgspec
import torch
from torch import nn

from app.errors import Invalid, Misfit, TooLarge
from app.translation import said
from app.trees.describe import class_of
from app.trees.foreign import Raised, attempt, notes_of
from app.trees.meta_state import on_meta
from app.trees.trace_inputs import Input, make_inputs
from app.trees.trace_recorder import Places, Recorder
from app.trees.traced_values import Traced

FLOPS_PER_MAC = 2
MAX_FLOPS = 2**63 - 1
MAX_UNCALLED = 100


class Stop(msgspec.Struct):
    """Where and why a forward stopped: the innermost module that was being called, and what had come in."""

    row: int
    path: str
    class_name: str
    inputs: list[Traced]
    error: str
    where: str


class Trace(msgspec.Struct):
    """The modules that a forward called, by column, in pre-order of the tree (a shared module at its first place).

    `row` is the module's place in the tree, `order` its number among the first calls. `inputs` and `outputs` are of
    the first call; `varies` says that a later one had others. `flops` is of all calls with all that they called in
    turn, `own_flops` without. FLOPs are of matrix products, convolutions and attention as torch's FlopCounterMode
    counts them, `flops_per_mac` to a multiply-accumulate. `uncalled` are the first rows that were not called by
    themselves. `is_done` is False where the forward stopped inside a module.
    """

    given: list[Input]
    row: list[int]
    path: list[str]
    class_name: list[str]
    order: list[int]
    calls: list[int]
    varies: list[bool]
    is_done: list[bool]
    inputs: list[list[Traced]]
    outputs: list[list[Traced]]
    flops: list[int]
    macs: list[int]
    own_flops: list[int]
    total_flops: int
    total_macs: int
    flops_per_mac: int
    num_uncalled: int
    uncalled: list[int]
    notes: list[str]
    stopped: Stop | None = None


def trace(module: nn.Module, inputs: Sequence[Input], *, max_modules: int, max_depth: int) -> Trace:
    """Return what a forward of the module on `inputs` does, its arithmetic left out.

    It runs in eval mode, without gradients and without torch's fused TransformerEncoder; the module is afterwards what
    it was. A forward that raises is no error here: `stopped` says where. Raises `Invalid` when no input is given,
    `TooLarge` for FLOPs beyond 64 bits.
    """
    check_given(inputs)
    recorder = Recorder(Places(module, max_modules, max_depth))
    args, kwargs = make_inputs(inputs)
    with _probing(recorder) as caught:
        raised = attempt(lambda: module(*args, **kwargs))
    recorder.close()
    return _columns(recorder, inputs, raised if isinstance(raised, Raised) else None, notes_of(caught))


def check_given(inputs: Sequence[Input]) -> None:
    """Raise `Invalid` where there is no input."""
    if not inputs:
        detail = said("input: expected the sizes of at least one input, such as 2,3,224,224.")
        raise Invalid(detail, (Misfit(("input",), said("expected at least one")),))


def _columns(recorder: Recorder, given: Sequence[Input], raised: Raised | None, notes: list[str]) -> Trace:
    places, total = recorder.places, recorder.counter.total
    if total > MAX_FLOPS:
        raise TooLarge(
            said(
                "The forward comes to %(total)s FLOPs: more than %(max_flops)s are not counted.",
                total=f"{total:,}",
                max_flops=f"{MAX_FLOPS:,}",
            ),
            MAX_FLOPS,
        )
    called = sorted(recorder.calls)
    calls = [recorder.calls[number] for number in called]
    uncalled = sorted(set(range(len(places.modules))) - set(called))
    return Trace(
        given=list(given),
        row=[places.row[number] for number in called],
        path=[places.path(number) for number in called],
        class_name=[class_of(places.modules[number]).name for number in called],
        order=[call.order for call in calls],
        calls=[call.count for call in calls],
        varies=[call.varies for call in calls],
        is_done=[call.is_done for call in calls],
        inputs=[call.inputs for call in calls],
        outputs=[call.outputs for call in calls],
        flops=[call.flops for call in calls],
        macs=[call.flops // FLOPS_PER_MAC for call in calls],
        own_flops=[call.own_flops for call in calls],
        total_flops=total,
        total_macs=total // FLOPS_PER_MAC,
        flops_per_mac=FLOPS_PER_MAC,
        num_uncalled=len(uncalled),
        uncalled=[places.row[number] for number in uncalled[:MAX_UNCALLED]],
        notes=notes,
        stopped=_stop(recorder, raised) if raised else None,
    )


def _stop(recorder: Recorder, raised: Raised) -> Stop:
    # A `forward` may have caught the error of one module and stopped at another, or in between.
    number, inputs = 0, list[Traced]()
    if recorder.stopped is not None:
        _, number, inputs = recorder.stopped
    return Stop(
        row=recorder.places.row[number],
        path=recorder.places.path(number),
        class_name=class_of(recorder.places.modules[number]).name,
        inputs=inputs,
        error=said_of(raised),
        where=raised.where,
    )


def said_of(raised: Raised) -> str:
    """Return why a forward stopped, as a sentence."""
    if raised.asks_for_values:
        return said(
            "it needs the values of a tensor, which are not there on the meta device (%(raised)s)", raised=str(raised)
        )
    return str(raised)


@contextmanager
def _probing(recorder: Recorder) -> Iterator[list[warnings.WarningMessage]]:
    modules = recorder.places.modules
    with ExitStack() as stack:
        caught = stack.enter_context(warnings.catch_warnings(record=True))
        warnings.simplefilter("always")
        stack.enter_context(_no_fast_path())
        stack.enter_context(on_meta(modules))
        for module in modules:
            # Inside `on_meta`, which gives every module the hooks back that it had; removed all the same.
            entering = module.register_forward_pre_hook(recorder.enter, with_kwargs=True)
            leaving = module.register_forward_hook(recorder.leave, with_kwargs=True, always_call=True)
            stack.callback(entering.remove)
            stack.callback(leaving.remove)
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.device("meta"))
        stack.enter_context(recorder.counter)
        yield caught


@contextmanager
def _no_fast_path() -> Iterator[None]:
    # The fused path of nn.TransformerEncoder calls no submodule, and so no hook.
    was_on = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was_on)
