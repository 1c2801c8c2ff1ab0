"""What a building process does with its one job: open the source, describe or trace it, answer."""

from app.errors import CannotDo, Invalid, Misfit, ModuletreeError
from app.translation import said
from app.trees.describe import describe
from app.trees.foreign import Raised, attempt
from app.trees.sources.building import BuildLimits, Device, is_out_of_memory, too_much_memory
from app.trees.sources.building import Built as BuiltModule
from app.trees.sources.config import build_config
from app.trees.sources.factories import FactoryTable
from app.trees.sources.factory import build_factory
from app.trees.sources.forward import outputs_of
from app.trees.sources.jobs import (
    Answer,
    BuildJob,
    Built,
    Failed,
    Forwarded,
    ForwardJob,
    Job,
    Traced,
    TraceJob,
    failed_of,
)
from app.trees.trace import trace
from app.trees.trace_inputs import suggest_inputs

KINDS = ("factory", "config")
# Of the library's ways to run a mixture of experts the one that asks for no values: each token through its experts.
EXPERTS = "batched_mm"


def perform(job: Job, table: FactoryTable) -> Answer:
    """Return the answer to a job, whatever the code that the job runs may raise."""
    try:
        answer = attempt(lambda: _answer(job, table))
    except ModuletreeError as error:
        return failed_of(error)
    if not isinstance(answer, Raised):
        return answer
    if is_out_of_memory(answer):
        return failed_of(too_much_memory(job.limits))
    return Failed(CannotDo.__name__, str(said("The model cannot be shown: %(answer)s.", answer=str(answer))))


def _answer(job: Job, table: FactoryTable) -> Answer:
    match job:
        case BuildJob():
            return _build(job, table)
        case TraceJob():
            return _trace(job, table)
        case ForwardJob():
            return _forward(job, table)


def _build(job: BuildJob, table: FactoryTable) -> Built:
    made = _open(job.source, table, job.limits)
    limits = job.limits
    description = describe(made.module, max_modules=limits.max_modules, max_depth=limits.max_depth)
    return Built(description, made.notes, suggest_inputs(made.module))


def _trace(job: TraceJob, table: FactoryTable) -> Traced:
    limits = job.limits
    module = _on_meta(job.source, table, limits).module
    choose = getattr(module, "set_experts_implementation", None)
    if choose is not None:
        attempt(lambda: choose(EXPERTS))
    inputs = job.inputs or suggest_inputs(module)
    return Traced(trace(module, inputs, max_modules=limits.max_modules, max_depth=limits.max_depth))


def _forward(job: ForwardJob, table: FactoryTable) -> Forwarded:
    outputs = outputs_of(_on_meta(job.source, table, job.limits).module, job.shapes, job.frozen)
    if any(output.problem for output in outputs) and job.source.get("device") == Device.CPU.value:
        # It may be meta that it does not get along with.
        module = _open(job.source, table, job.limits).module
        tried = outputs_of(module, job.shapes, job.frozen)
        outputs = [again if output.problem else output for output, again in zip(outputs, tried, strict=True)]
    return Forwarded(outputs)


def _on_meta(source: dict[str, object], table: FactoryTable, limits: BuildLimits) -> BuiltModule:
    if source.get("device") != Device.CPU.value:
        return _open(source, table, limits)
    # Shapes are all that is asked for; what needs values to be built has them, and is lent to meta for the forward.
    try:
        return _open({**source, "device": Device.META.value}, table, limits)
    except Invalid:
        return _open(source, table, limits)


def _open(source: dict[str, object], table: FactoryTable, limits: BuildLimits) -> BuiltModule:
    kind = source.get("kind")
    if kind == "factory":
        return build_factory(source, table, limits)
    if kind == "config":
        return build_config(source, limits)
    msg = said("expected one of %(names)s, got %(value)r", names=", ".join(KINDS), value=kind)
    raise Invalid(said("source.kind: %(msg)s.", msg=msg), (Misfit(("source", "kind"), msg),))
