"""`Admission`: what is looked at before a run is let in, and what is kept so that it can begin."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec
from torch import Tensor, nn

from app.errors import CannotDo, Invalid, Misfit
from app.training import fused, tree_misfits
from app.training.config import RunConfig, misfits_of, refuse
from app.training.data import CsvData, TableData, num_points
from app.training.holders import holders_of
from app.training.module_columns import least_every
from app.training.ports import DataStore, KeptTrees, TensorStore, Tree, TreeSnapshot
from app.training.run import KeptRun, Run
from app.training.run_files import RunFiles
from app.translation import said
from app.trees.index import TreeIndex
from app.trees.origin import is_description, pack, unpack

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"

Points: TypeAlias = tuple[Tensor, Tensor]


class Admission:
    """Looks whether a run can be made, and makes it; any thread may ask."""

    def __init__(self, trees: KeptTrees, tensors: TensorStore, files: RunFiles, data: DataStore) -> None:
        self._trees = trees
        self._tensors = tensors
        self._files = files
        self._data = data

    def admit(self, tree_id: str, config: RunConfig) -> tuple[KeptRun, bytes]:
        """Return a new run, its files in their places, and the structure that it trains.

        Raises `NotFound`, `CannotDo` for a tree that cannot train, and `Invalid` with every misfit of the config, of
        the tree, and of the data with the tree.
        """
        tree = self._trees.get(tree_id)
        if not tree.facts.can.train:
            raise _cannot(tree)
        config, points, of_data = self._resolved(config)
        misfits = [*misfits_of(config), *of_data]
        with self._trees.reading(tree_id) as opened:
            index, tree, snapshot = opened.index, opened.record, self._trees.snapshot(tree_id)
            misfits += tree_misfits.frozen_misfits(index, config)
            if not misfits and index.is_live:
                misfits += self._unfit(index, tree, config)
        if not misfits and not index.is_live:
            # Outside the block: another process is asked.
            misfits += self._unfit(index, tree, config)
        refuse(misfits)
        structure = _structure(tree, snapshot)
        if config.module_stats_every:
            # Its modules are named at every epoch of the stream: raises where their names are too long for that.
            refuse(_too_many_statistics(len(holders_of(structure).rows), config))
        return self._kept(tree, snapshot, config, points), structure

    def _resolved(self, config: RunConfig) -> tuple[RunConfig, Points | None, Sequence[Misfit]]:
        """The config with what is known of an uploaded file, its points, and what is wrong with them."""
        data = config.data
        if not isinstance(data, CsvData) or not (data.x and data.y):
            return config, None, ()
        try:
            found, x, y = self._data.points(data)
        except Invalid as error:
            return config, None, error.errors
        return msgspec.structs.replace(config, data=found), (x, y), ()

    def _unfit(self, index: TreeIndex, tree: Tree, config: RunConfig) -> list[Misfit]:
        """What is wrong with the tree and the data together."""
        x, y = _num_features(config)
        shapes = tree_misfits.shapes_asked(config, x)
        outputs = (
            tree_misfits.linear_outputs(index, config, shapes)
            if index.is_live
            else self._trees.forward(tree.source, shapes, config.frozen)
        )
        misfits = list(tree_misfits.output_misfits(config, shapes, outputs, y))
        if config.step == "fused" and not misfits:
            model = index.modules[0] if index.is_live else nn.Module()
            message = fused.misfit(config, model, (num_points(config.data), x), (num_points(config.data), y))
            misfits += [Misfit(("step",), message)] if message else []
        return misfits

    def _kept(self, tree: Tree, snapshot: TreeSnapshot, config: RunConfig, points: Points | None) -> KeptRun:
        run_id = "r_" + "".join(secrets.choice(ALPHABET) for _ in range(10))
        try:
            tensors = self._tensors.path(snapshot.tensors) if snapshot.tensors else None
            start = self._files.add_start(run_id, tensors, tree.id)
            if points is not None:
                self._files.add_points(run_id, *points)
        except BaseException:
            self._files.delete_all_of(run_id)
            raise
        run = Run(
            id=run_id,
            tree=tree.id,
            tree_name=tree.name,
            tree_revision=snapshot.revision,
            epochs=config.epochs,
            config=config,
            created_at=datetime.now(UTC),
        )
        return KeptRun(run=run, start_tensors=start)


def _too_many_statistics(num_modules: int, config: RunConfig) -> list[Misfit]:
    least = least_every(num_modules, config.epochs)
    if config.module_stats_every >= least:
        return []
    return [
        Misfit(
            ("module_stats_every",),
            said(
                "statistics of %(modules)s modules at so many epochs are more than a run keeps: %(least)s or more",
                modules=f"{num_modules:,}",
                least=f"{least:,}",
            ),
        )
    ]


def _structure(tree: Tree, snapshot: TreeSnapshot) -> bytes:
    """The structure as the run keeps it: that of a factory's module with what makes it, since the tree may go."""
    if not is_description(snapshot.structure):
        return snapshot.structure
    description, origin = unpack(snapshot.structure)
    return pack(description, msgspec.structs.replace(origin, built_from=dict(tree.source)))


def _num_features(config: RunConfig) -> tuple[int, int]:
    data = config.data
    if isinstance(data, TableData):
        return len(data.x[0]), len(data.y[0])
    return (len(data.x), len(data.y)) if isinstance(data, CsvData) else (1, 1)


def _cannot(tree: Tree) -> CannotDo:
    why = said("only its structure is known")
    if tree.facts.can.forward or tree.source.get("kind") == "factory":
        why = said("no parameter of it requires a gradient")
    if tree.source.get("kind") == "factory" and tree.source.get("device") != "cpu":
        why = said('it has no values: open the factory with "device": "cpu"')
    return CannotDo(said("The tree %(name)r cannot be trained: %(why)s.", name=tree.name, why=why))
