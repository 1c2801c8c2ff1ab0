"""`factory`: what a callable of the table returns when it is called with JSON arguments."""

from collections.abc import Callable, Mapping

import torch

from app.errors import Invalid, Misfit
from app.translation import said
from app.trees.sources.arguments import Argument
from app.trees.sources.building import BuildLimits, Built, build, device_of
from app.trees.sources.calls import Call, bind
from app.trees.sources.factories import Factories, FactoryTable


def check_factory(source: Mapping[str, object], factories: Factories) -> Call:
    """Return the call that the source asks for, checked against the table, with nothing built yet.

    Raises `NotAllowed` for a target that the table has not, and `Invalid` with every misfit of the arguments.
    """
    device_of(source)
    factory = factories.get(source.get("target"))
    if factory.unfit:
        detail = said("%(id)s cannot be called with JSON: %(unfit)s.", id=factory.id, unfit=factory.unfit)
        raise Invalid(detail, (Misfit(("source", "target"), detail),))

    def arguments(target: object) -> list[Argument]:
        return factories.get(target).arguments

    return bind(arguments, source.get("target"), source.get("kwargs", {}), ("source", "kwargs"))


def build_factory(source: Mapping[str, object], table: FactoryTable, limits: BuildLimits) -> Built:
    """Return the module that the source's callable makes; raises what `check_factory` and `build` do."""
    call = check_factory(source, table)
    return build(call.target, device_of(source), lambda: _result(call, table.calls), limits)


def _result(call: Call, calls: Mapping[str, Callable[..., object]]) -> object:
    args = [_value(arg, calls) for arg in call.args]
    kwargs = {name: _value(value, calls) for name, value in call.kwargs.items()}
    return calls[call.target](*args, **kwargs)


def _value(value: object, calls: Mapping[str, Callable[..., object]]) -> object:
    if isinstance(value, Call):
        return _result(value, calls)
    if isinstance(value, torch.Size):
        return value
    if isinstance(value, list | tuple):
        return type(value)(_value(item, calls) for item in value)
    if isinstance(value, dict):
        return {key: _value(item, calls) for key, item in value.items()}
    return value
