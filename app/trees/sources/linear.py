"""`linear` and `grid`: LinearModels by nested spec, or as a full tree of a branching and a depth."""

from collections.abc import Mapping

from app.errors import Invalid, Misfit
from app.translation import said
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.spec import SEEDS, build, grid_spec, parse_spec

FORWARDS = ("own", "chain")


def open_linear(source: Mapping[str, object], limits: Limits) -> LinearModel:
    """Return the LinearModels that `root`, a LinearSpec, nests; raises `Invalid` with every misfit."""
    options = _Options(source)
    seed, chain = options.seed(), options.chain()
    try:
        spec = parse_spec(
            source.get("root"), max_modules=limits.max_modules, max_depth=limits.max_depth, loc=("source", "root")
        )
    except Invalid as error:
        options.misfits.extend(error.errors)
    options.check()
    return build(spec, seed=seed, chain=chain)


def open_grid(source: Mapping[str, object], limits: Limits) -> LinearModel:
    """Return a full tree of LinearModels, its size checked before anything is built."""
    options = _Options(source)
    seed, chain = options.seed(), options.chain()
    branching, depth = options.whole("branching", 1), options.whole("depth", 0)
    options.check()
    spec = grid_spec(branching, depth, max_modules=limits.max_modules, max_depth=limits.max_depth)
    return build(spec, seed=seed, chain=chain)


class _Options:
    """Reads the options of a source; what does not fit is raised by `check`, all at once."""

    def __init__(self, source: Mapping[str, object]) -> None:
        self.source = source
        self.misfits: list[Misfit] = []

    def seed(self) -> int | None:
        if self.source.get("seed") is None:
            return None
        seed = self.whole("seed", SEEDS.start)
        if seed >= SEEDS.stop:
            self._misfit("seed", said("expected -2**63 to 2**64 - 1, got %(seed)s", seed=seed))
        return seed

    def chain(self) -> bool:
        forward = self.source.get("forward", "own")
        if forward not in FORWARDS:
            self._misfit(
                "forward",
                said("expected one of %(known)s, got %(forward)r", known=", ".join(FORWARDS), forward=forward),
            )
        return forward == "chain"

    def whole(self, key: str, least: int) -> int:
        value = self.source.get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            self._misfit(key, said("expected a whole number, got %(value)r", value=value))
            return least
        if value < least:
            self._misfit(key, said("expected %(least)s or more, got %(value)s", least=least, value=value))
        return value

    def check(self) -> None:
        if self.misfits:
            detail = "; ".join(f"{'.'.join(map(str, misfit.loc))}: {misfit.msg}" for misfit in self.misfits)
            raise Invalid(said("%(detail)s.", detail=detail), tuple(self.misfits))

    def _misfit(self, key: str, msg: str) -> None:
        self.misfits.append(Misfit(("source", key), msg))
