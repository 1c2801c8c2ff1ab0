"""The few functions and classes that a state dict's pickle names, and what is read in place of calling them."""

from collections.abc import Callable, Sequence
from math import prod
from typing import TypeAlias

from app.translation import N_, said
from app.trees.sources.checkpoint.dtypes import DTYPES, STORAGES
from app.trees.sources.checkpoint.limits import MAX_DIMS, MAX_ELEMENTS
from app.trees.sources.checkpoint.pickle_values import Branch, Global, Opaque, Plain, Storage, Tensor
from app.trees.sources.checkpoint.refusal import Refusal

Arguments: TypeAlias = tuple[object, ...]
OPAQUE = Opaque()
UNTYPED = "torch.storage.UntypedStorage"

INERT = frozenset(
    {
        *STORAGES,
        UNTYPED,
        *(f"torch.{word}" for word, dtype in DTYPES.items() if dtype.torch is not None),
        "builtins.dict",
        "builtins.int",
        "builtins.list",
        "torch.Tensor",
        "torch.nn.parameter.Parameter",
    }
)
"""Globals that are read as their name and never called."""


def _tensor_v2(arguments: Arguments) -> Tensor:
    if len(arguments) not in {4, 6, 7}:
        raise Refusal(
            said("its pickle rebuilds a tensor from %(num)s arguments, 4, 6 or 7 are known", num=len(arguments))
        )
    storage, offset, shape, strides = arguments[:4]
    if not isinstance(storage, Storage) or not storage.dtype:
        raise Refusal(said("its pickle rebuilds a tensor from what is not a storage with a dtype"))
    _check_bits(arguments[6:])
    return _tensor(storage, storage.dtype, offset, shape, strides)


def _tensor_v3(arguments: Arguments) -> Tensor:
    if len(arguments) not in {7, 8}:
        raise Refusal(said("its pickle rebuilds a tensor from %(num)s arguments, 7 or 8 are known", num=len(arguments)))
    storage, offset, shape, strides, _, _, dtype = arguments[:7]
    if not isinstance(storage, Storage):
        raise Refusal(said("its pickle rebuilds a tensor from what is not a storage"))
    _check_bits(arguments[7:])
    return _tensor(storage, _dtype(dtype), offset, shape, strides)


def _meta_tensor(arguments: Arguments) -> Tensor:
    if len(arguments) != 4:
        raise Refusal(said("its pickle rebuilds a meta tensor from %(num)s arguments, 4 are known", num=len(arguments)))
    dtype, shape, strides, _ = arguments
    return Tensor(None, _dtype(dtype), 0, *check_layout(shape, strides))


def _parameter(arguments: Arguments) -> Tensor:
    if len(arguments) not in {3, 4} or not isinstance(arguments[0], Tensor) or not isinstance(arguments[1], bool):
        raise Refusal(said("its pickle rebuilds a parameter from what is not a tensor"))
    tensor = arguments[0]
    return Tensor(tensor.storage, tensor.dtype, tensor.offset, tensor.shape, tensor.strides, arguments[1])


def _check_bits(metadata: Sequence[object]) -> None:
    for bits in metadata:
        if isinstance(bits, Branch) and bits.items:
            raise Refusal(said("it holds a tensor with torch's conjugate or negative bit, which is not read"))


def _tensor(storage: Storage, dtype: str, offset: object, shape: object, strides: object) -> Tensor:
    sizes, steps = check_layout(shape, strides)
    if type(offset) is not int or offset < 0:
        raise Refusal(said("its pickle begins a tensor at what is not a place in its storage"))
    needed = (offset + span_of(sizes, steps)) * (DTYPES[dtype].bits // 8)
    if needed > storage.num_bytes and 0 not in sizes:
        raise Refusal(
            said(
                "it holds a tensor of shape %(sizes)s and strides %(steps)s from %(offset)s on, which needs %(needed)s "
                "bytes of storage %(key)r, and that has %(num_bytes)s",
                sizes=list(sizes),
                steps=list(steps),
                offset=offset,
                needed=f"{needed:,}",
                key=storage.key,
                num_bytes=f"{storage.num_bytes:,}",
            )
        )
    return Tensor(storage.key, dtype, offset, sizes, steps)


def span_of(shape: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Return how many elements of its storage a tensor reaches over, from its first to its last."""
    if 0 in shape:
        return 0
    return 1 + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))


def check_layout(shape: object, strides: object) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shape and the strides; raises `Refusal` where they are not those of a tensor."""
    sizes, steps = _counts(shape), _counts(strides)
    if len(sizes) != len(steps):
        raise Refusal(
            said(
                "its pickle has a tensor of %(num)s dimensions and %(num_2)s strides", num=len(sizes), num_2=len(steps)
            )
        )
    if prod(sizes) > MAX_ELEMENTS:
        raise Refusal(said("its pickle has a tensor of more elements than 2**62: %(list)s", list=list(sizes)))
    return sizes, steps


def _counts(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or len(value) > MAX_DIMS:
        raise Refusal(
            said("its pickle has a shape that is not a tuple of at most %(max_dims)s dimensions", max_dims=MAX_DIMS)
        )
    for count in value:
        if type(count) is not int or not 0 <= count < 2**63:
            raise Refusal(said("its pickle has a dimension or a stride that is not a count below 2**63"))
    return value


def _dtype(value: object) -> str:
    word = value.path.removeprefix("torch.") if isinstance(value, Global) else ""
    if word not in DTYPES:
        raise Refusal(said("its pickle has a tensor of a dtype that is not read"))
    return word


def _from_type(arguments: Arguments) -> Tensor:
    """A plain tensor on which somebody has set an attribute; of a subclass, the class is not in the table."""
    if len(arguments) == 4:
        function, kind, inner, _ = arguments
        rebuild = _TENSOR_CALLS.get(function.path) if isinstance(function, Global) else None
        if rebuild is not None and isinstance(kind, Global) and isinstance(inner, tuple):
            return rebuild(inner)
    raise Refusal(said("its pickle rebuilds a tensor with attributes in a way that is not known"))


def _dict(arguments: Arguments) -> Branch:
    # What is copied by a call can be copied a million times by a short pickle: a copy is read as the thing itself.
    branches = [argument for argument in arguments if isinstance(argument, Branch)]
    if len(branches) > 1 or not all(isinstance(argument, Branch | Global | None) for argument in arguments):
        raise Refusal(said("its pickle makes a dict of something that is not one"))
    return branches[0] if branches else Branch()


def _list(arguments: Arguments) -> object:
    if len(arguments) > 1 or not all(isinstance(argument, list | tuple) for argument in arguments):
        raise Refusal(said("its pickle makes a set of something that is not a list"))
    return arguments[0] if arguments else []


def _size(arguments: Arguments) -> tuple[int, ...]:
    return _counts(arguments[0] if arguments else ())


def _named(name: str) -> Callable[[Arguments], Plain]:
    def text(arguments: Arguments) -> Plain:
        shown = [value[:100] if isinstance(value, str) else value for value in arguments[:4]]
        return Plain(f"{name}({', '.join(repr(value) for value in shown if isinstance(value, str | int | float))})")

    return text


_TENSOR_CALLS: dict[str, Callable[[Arguments], Tensor]] = {
    "torch._utils._rebuild_tensor": _tensor_v2,
    "torch._utils._rebuild_tensor_v2": _tensor_v2,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_meta_tensor_no_storage": _meta_tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
}

CALLS: dict[str, Callable[[Arguments], object]] = {
    **_TENSOR_CALLS,
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch.Size": _size,
    "torch.device": _named("device"),
    "collections.OrderedDict": _dict,
    "collections.Counter": _dict,
    "collections.defaultdict": _dict,
    "argparse.Namespace": _dict,
    "builtins.set": _list,
    "builtins.frozenset": _list,
    "builtins.bytearray": _named("bytearray"),
    "builtins.complex": _named("complex"),
    "_codecs.encode": _named("bytes"),
    "numpy.dtype": _named("dtype"),
    "numpy.core.multiarray.scalar": _named("numpy scalar"),
    "numpy._core.multiarray.scalar": _named("numpy scalar"),
}
"""What is made of a call of each global; nothing that is not here is called, and nothing here is what its name says."""


def build(holder: object, state: object) -> None:
    """Take in what an object is given as its state: attributes of a namespace, `_metadata` of a state dict."""
    if isinstance(holder, Branch):
        holder.state = state
    elif not isinstance(holder, Opaque | Plain):
        raise Refusal(said("its pickle sets the state of something that has none"))


_UNSUPPORTED = {
    "torch._utils._rebuild_sparse_tensor": N_("a sparse tensor"),
    "torch._utils._rebuild_sparse_csr_tensor": N_("a sparse tensor"),
    "torch._utils._rebuild_qtensor": N_("a quantised tensor"),
    "torch._utils._rebuild_nested_tensor": N_("a nested tensor"),
    "torch._utils._rebuild_wrapper_subclass": N_("a tensor subclass"),
    "torch._utils._rebuild_device_tensor_from_numpy": N_("a tensor of another kind of device"),
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": N_("a tensor of another kind of device"),
    "torch.jit._pickle.build_intlist": "TorchScript",
}


def unsupported(needs: Sequence[str]) -> str:
    """Return the rule that a pickle breaks which needs these globals."""
    named = ", ".join(needs)
    for need in needs:
        if need in _UNSUPPORTED:
            return said(
                "it holds %(unsupported)s, and only strided tensors are read; its pickle needs %(named)s",
                unsupported=_UNSUPPORTED[need],
                named=named,
            )
    if any(need.startswith("torch.nn.") for need in needs):
        return said(
            "it is a whole pickled module, which needs these classes: %(named)s; none was imported, and the module's "
            "state_dict() is what to save instead",
            named=named,
        )
    return said(
        "its pickle needs %(named)s, which a state dict does not; nothing of it was imported or run", named=named
    )
