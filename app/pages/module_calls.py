"""The calls that give what each tab of the inspector shows."""

from app.pages import filters
from app.pages.calls import Call, in_pytorch, module_code, over_http
from app.pages.prints import prints_of_modules, prints_of_tensors
from app.translation import ngettext
from app.trees.index import TreeIndex
from app.trees.tensors import TensorColumns

REPR_LINES = 12


class ModuleCalls:
    """The calls for the module at a row."""

    def __init__(self, index: TreeIndex, tree_id: str, row: int, target: str, origin: str) -> None:
        self.index = index
        self.tree_id = tree_id
        self.row = row
        self.target = target
        self.origin = origin

    def of_tab(self, tab: str, text: str) -> tuple[Call, ...]:
        """Return the calls of a tab, PyTorch's first; `text` is the module's `repr`, "" where it is too long."""
        match tab:
            case "parameters":
                return self._tensors(tab, self.index.parameters)
            case "buffers":
                return self._tensors(tab, self.index.buffers)
            case "children":
                return self._children()
            case "repr":
                return in_pytorch(f"print({module_code(self.target)})"), self._http("repr")
            case "overview":
                return self._itself(text)
        return ()

    def _itself(self, text: str) -> tuple[Call, ...]:
        code = module_code(self.target) if self.target else f"print({module_code(self.target)})"
        count = self.index.end[self.row] - self.row
        too_long = ngettext("%(num)s module: see repr", "%(num)s modules: see repr", count, num=filters.exact(count))
        return in_pytorch(code, _first_lines(text) or too_long), self._http("get_submodule")

    def _tensors(self, kind: str, columns: TensorColumns) -> tuple[Call, ...]:
        one, own = kind.removesuffix("s"), self.index.own(columns, self.row)
        code = f"for name, {one} in {module_code(self.target)}.named_{kind}(recurse=False):\n    print(name, {one})"
        output = prints_of_tensors(self.index, columns, own, self.row, named=True)
        return in_pytorch(code, output), self._http(f"named_{kind}", recurse="false")

    def _children(self) -> tuple[Call, ...]:
        code = f"for name, module in {module_code(self.target)}.named_children():\n    print(name, module)"
        output = prints_of_modules(self.index, self.index.distinct_children(self.row), self.row, named=True)
        return in_pytorch(code, output), self._http("named_children")

    def _http(self, method: str, **query: str) -> Call:
        return over_http(self.origin, f"/api/trees/{self.tree_id}/{method}", target=self.target, **query)


def _first_lines(text: str) -> str:
    lines = text.split("\n")
    return text if len(lines) <= REPR_LINES else "\n".join([*lines[: REPR_LINES - 1], "…"])
