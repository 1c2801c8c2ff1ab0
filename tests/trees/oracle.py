"""What torch says of a module, against what the index and its views say of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from app.errors import TargetNotFound
from app.trees import views
from app.trees.index import TreeIndex
from app.trees.rows import BufferRow, ModuleRow, ParameterRow, TensorRow
from app.trees.state_dict import state_dict
from app.trees.texts import repr_of
from app.trees.views import MAX_LIMIT


class Oracle:
    """A module and its index, with torch's paths of all modules and tensors."""

    def __init__(self, root: nn.Module) -> None:
        self.root = root
        self.index = TreeIndex.of(root)
        self.modules = dict(root.named_modules(remove_duplicate=False))
        self.parameters = dict(root.named_parameters(remove_duplicate=False))
        self.buffers = dict(root.named_buffers(remove_duplicate=False))
        self.first = _first_paths([*self.modules.items()])
        self.first_parameter = _first_paths([*self.parameters.items()])
        self.first_buffer = _first_paths([*self.buffers.items()])

    def check(self) -> None:
        """Every view at every target, every text, every path."""
        assert list(self.index.paths(range(len(self.index)))) == list(self.modules)
        for row, (target, module) in enumerate(self.modules.items()):
            assert self.index.path(row) == target
            assert self.index.row(target) == row
            assert repr_of(self.index, row) == repr(module)
            self.check_modules(target, module)
            self.check_parameters(target, module)
            self.check_buffers(target, module)
            self.check_state_dict(row, module)
        for target in self.targets():
            self.check_target(target)

    def targets(self) -> Iterator[str]:
        """Paths of everything, and of what is missing or of another kind."""
        yield from ("", "training", "forward", "missing", ".", "..", " ", "weight", "0")
        for path in [*self.modules, *self.parameters, *self.buffers]:
            yield path
            yield from (f"{path}.", f".{path}", f"{path}.missing", f"{path}x", f"{path}.weight", f"{path}.training")

    def check_modules(self, target: str, module: nn.Module) -> None:
        for remove_duplicate in (True, False):
            page = views.named_modules(self.index, target, remove_duplicate=remove_duplicate, limit=MAX_LIMIT)
            self.check_rows(target, page.items, module.named_modules(remove_duplicate=remove_duplicate), page.total)
        children = views.named_children(self.index, target)
        self.check_rows(target, children.items, module.named_children(), children.total)
        assert [row.path for row in children.items] == [_path(target, name) for name, _ in module.named_children()]

    def check_rows(
        self, target: str, rows: Sequence[ModuleRow], expected: Iterable[tuple[str, nn.Module]], total: int
    ) -> None:
        named = list(expected)
        assert [row.name for row in rows] == [name for name, _ in named]
        assert total == len(named)
        for row, (name, module) in zip(rows, named, strict=True):
            assert row.path == _path(target, name)
            assert self.modules[row.path] is module
            self.check_facts(row, module)

    def check_facts(self, row: ModuleRow, module: nn.Module) -> None:
        parameters, buffers = list(module.parameters()), list(module.buffers())
        tensors = {id(tensor): tensor for tensor in [*parameters, *buffers]}
        first = self.first[id(module)]
        assert row.class_name == type(module).__name__
        assert row.module == type(module).__module__
        assert row.extra_repr == module.extra_repr()
        assert row.training is module.training
        assert row.depth == (row.path.count(".") + 1 if row.path else 0)
        assert row.num_children == len(list(module.children()))
        assert row.num_modules == len(list(module.modules()))
        assert row.num_parameters == sum(map(_numel, parameters))
        assert row.num_trainable == sum(_numel(parameter) for parameter in parameters if parameter.requires_grad)
        assert row.num_buffers == sum(map(_numel, buffers))
        assert row.num_bytes == sum(_numel(tensor) * tensor.dtype.itemsize for tensor in tensors.values())
        assert row.shared_with == (None if first == row.path else first)

    def check_parameters(self, target: str, module: nn.Module) -> None:
        for recurse in (True, False):
            for remove_duplicate in (True, False):
                page = views.named_parameters(
                    self.index, target, recurse=recurse, remove_duplicate=remove_duplicate, limit=MAX_LIMIT
                )
                expected = list(module.named_parameters(recurse=recurse, remove_duplicate=remove_duplicate))
                assert [row.name for row in page.items] == [name for name, _ in expected]
                assert page.total == len(expected)
                for row, (name, parameter) in zip(page.items, expected, strict=True):
                    assert row.path == _path(target, name)
                    assert self.parameters[row.path] is parameter
                    self.check_parameter(row, parameter)

    def check_parameter(self, row: ParameterRow, parameter: Tensor) -> None:
        check_tensor(row, parameter, self.first_parameter[id(parameter)])
        assert row.requires_grad is parameter.requires_grad

    def check_buffers(self, target: str, module: nn.Module) -> None:
        for recurse in (True, False):
            for remove_duplicate in (True, False):
                page = views.named_buffers(
                    self.index, target, recurse=recurse, remove_duplicate=remove_duplicate, limit=MAX_LIMIT
                )
                expected = list(module.named_buffers(recurse=recurse, remove_duplicate=remove_duplicate))
                assert [row.name for row in page.items] == [name for name, _ in expected]
                assert page.total == len(expected)
                for row, (name, buffer) in zip(page.items, expected, strict=True):
                    assert row.path == _path(target, name)
                    assert self.buffers[row.path] is buffer
                    self.check_buffer(row, buffer)

    def check_buffer(self, row: BufferRow, buffer: Tensor) -> None:
        owner, _, name = row.path.rpartition(".")
        check_tensor(row, buffer, self.first_buffer[id(buffer)])
        assert row.persistent is (name not in self.modules[owner]._non_persistent_buffers_set)

    def check_state_dict(self, row: int, module: nn.Module) -> None:
        entries = [(entry.name, entry.tensor) for entry in state_dict(self.index, row)]
        expected = module.state_dict(keep_vars=True)
        assert [name for name, _ in entries] == list(expected)
        assert all(tensor is expected[name] for name, tensor in entries)

    def check_target(self, target: str) -> None:
        module, text = _outcome(self.root.get_submodule, target)
        row, said = _outcome(lambda path: views.get_submodule(self.index, path), target)
        assert said == text
        if isinstance(row, ModuleRow):
            assert isinstance(module, nn.Module)
            assert (row.name, row.path) == (target, target)
            self.check_facts(row, module)
        parameter, text = _outcome(self.root.get_parameter, target)
        row, said = _outcome(lambda path: views.get_parameter(self.index, path), target)
        if isinstance(row, ParameterRow):
            assert isinstance(parameter, Tensor)
            assert self.parameters[row.path] is parameter
            self.check_parameter(row, parameter)
        elif any(parameter is buffer for buffer in self.buffers.values()):
            # torch returns the nn.Parameter that was registered as a buffer; among the parameters it does not stand.
            assert said == f"`{target.rpartition('.')[2]}` is not an nn.Parameter"
        else:
            assert said == text
        buffer, text = _outcome(self.root.get_buffer, target)
        row, said = _outcome(lambda path: views.get_buffer(self.index, path), target)
        if isinstance(row, BufferRow):
            assert isinstance(buffer, Tensor)
            assert self.buffers[row.path] is buffer
            self.check_buffer(row, buffer)
        elif buffer is None and not text:
            # torch returns the None of a buffer that is None; a row cannot stand for it.
            assert said == f"`{target.rpartition('.')[2]}` is not a buffer"
        else:
            assert said == text


def check_tensor(row: TensorRow, tensor: Tensor, first: str) -> None:
    """The fields that parameters and buffers have in common."""
    assert row.shape == (None if is_lazy(tensor) else list(tensor.shape))
    assert row.dtype == str(tensor.dtype).removeprefix("torch.")
    assert row.device == str(tensor.device)
    assert row.numel == _numel(tensor)
    assert row.num_bytes == _numel(tensor) * tensor.dtype.itemsize
    assert row.shared_with == (None if first == row.path else first)
    if is_lazy(tensor) or tensor.is_meta or tensor.is_sparse or tensor.numel() > 64:
        assert row.values is None
    else:
        plain = torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor
        assert repr(row.values) == repr(plain.tolist())


def _outcome(ask: Callable[[str], object], target: str) -> tuple[object, str]:
    # What is returned, and the message where there is none.
    try:
        return ask(target), ""
    except AttributeError as error:
        return None, str(error)
    except TargetNotFound as error:
        return None, error.detail


def _first_paths(named: Iterable[tuple[str, object]]) -> dict[int, str]:
    first: dict[int, str] = {}
    for path, thing in named:
        first.setdefault(id(thing), path)
    return first


def _path(target: str, name: str) -> str:
    return f"{target}.{name}" if target and name else target or name


def _numel(tensor: Tensor) -> int:
    return 0 if is_lazy(tensor) else tensor.numel()
