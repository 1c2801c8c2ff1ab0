"""What the log of a run says: found when it is so, not found when it is not, and never flickering."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.training.insights.insight import Finding, Kind
from app.training.insights.looks import looks
from app.training.insights.losses import LossWatch
from app.training.insights.modules import ModuleWatch
from app.training.insights.words import words_of
from app.training.log import EpochColumns, Floats
from app.training.module_columns import ModuleColumns
from tests.training.chunks import losses

TUTORIAL = [37.1365, 6.4399, 1.1369, 0.2204, 0.0618, 0.0341, 0.0291, 0.0279, 0.0275, 0.0272]


def columns(values: Sequence[float], first: int = 0, validation: Sequence[float] | None = None) -> EpochColumns:
    nothing = np.full(len(values), math.nan)
    held_out = nothing if validation is None else np.array(validation, float)
    return EpochColumns(first, 1 + first, np.array(values, float), nothing, nothing, nothing, held_out, nothing)


def found(values: Sequence[float], validation: Sequence[float] | None = None) -> list[Finding]:
    watch = LossWatch()
    watch.follow(columns(values, validation=validation))
    return list(watch.findings())


def kinds(findings: Sequence[Finding]) -> list[Kind]:
    return [finding.kind for finding in findings if finding.last_epoch is None]


def test_the_tutorials_losses_are_as_they_should_be() -> None:
    assert found(TUTORIAL) == []


def test_a_loss_that_grows_is_diverging_from_the_epoch_at_which_it_began_to() -> None:
    (finding,) = found([10 * 0.9**epoch for epoch in range(30)] + [0.5 * 1.3**epoch for epoch in range(30)])
    assert (finding.kind, finding.last_epoch) == (Kind.DIVERGING, None)
    assert 35 <= finding.first_epoch <= 50
    assert finding.figures["loss"] > 4 * finding.figures["lowest"]


def test_a_loss_that_comes_back_has_diverged_for_a_while() -> None:
    (finding,) = found([1.0] * 20 + [50.0] * 20 + [0.9 * 0.99**epoch for epoch in range(60)])
    assert finding.kind is Kind.DIVERGING
    assert finding.last_epoch is not None
    assert 20 <= finding.first_epoch < finding.last_epoch < 60


def test_noise_far_under_the_first_loss_is_no_divergence() -> None:
    noise = np.random.default_rng(0).uniform(1e-9, 1e-7, 300).tolist()
    assert Kind.DIVERGING not in kinds(found([100.0, 1.0, 0.01, *noise]))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_one_loss_that_is_not_finite_is_told_and_so_is_when_it_was_over(bad: float) -> None:
    (held,) = found([*TUTORIAL, bad])
    assert (held.kind, held.first_epoch, held.last_epoch) == (Kind.NONFINITE, 10, None)
    past = next(each for each in found([*TUTORIAL, bad, *[0.02] * 20]) if each.kind is Kind.NONFINITE)
    assert (past.first_epoch, past.last_epoch) == (10, 10)


def test_one_bad_loss_between_two_looks_of_a_long_run_is_not_missed() -> None:
    values = [1 / (1 + epoch) for epoch in range(20_000)]
    values[17_003] = math.nan
    assert 17_003 not in set(looks(0, 20_000))
    assert [each.first_epoch for each in found(values) if each.kind is Kind.NONFINITE] == [17_003]


def test_a_loss_that_falls_no_more_stands_still_and_one_that_has_learnt_all_does_not() -> None:
    assert kinds(found([1.0, *[0.5] * 200])) == [Kind.PLATEAU]
    assert kinds(found([1.0, *[1e-9] * 200])) == []
    assert kinds(found([0.97**epoch for epoch in range(400)])) == []


def test_a_validation_loss_that_rises_alone_is_overfitting() -> None:
    falling = [0.98**epoch for epoch in range(200)]
    rising = [*falling[:100], *[falling[99] * 1.02**epoch for epoch in range(100)]]
    assert Kind.OVERFITTING in kinds(found(falling, rising))
    assert Kind.OVERFITTING not in kinds(found(falling, falling))
    assert Kind.OVERFITTING not in kinds(found(rising, rising))


def test_a_loss_around_a_threshold_does_not_flicker() -> None:
    around = [4.1 if epoch % 2 else 3.9 for epoch in range(200)]
    watch, seen = LossWatch(), []
    for epoch, value in enumerate([1.0] * 10 + around):
        watch.follow(columns([value], epoch))
        seen.append(Kind.DIVERGING in kinds(list(watch.findings())))
    assert sum(before != after for before, after in pairwise(seen)) <= 1


@given(st.lists(losses, max_size=400), st.lists(st.integers(1, 60), min_size=400, max_size=400))
def test_what_is_found_does_not_depend_on_the_pieces_in_which_a_log_arrives(
    values: list[float], sizes: list[int]
) -> None:
    watch, start = LossWatch(), 0
    for size in sizes:
        if start < len(values):
            watch.follow(columns(values[start : start + size], start))
            start += size
    assert list(watch.findings()) == found(values)


@given(st.integers(0, 10**6), st.integers(0, 3_000))
def test_looks_are_at_the_same_epochs_from_wherever_they_are_counted(first: int, count: int) -> None:
    last = first + count
    assert list(looks(first, last)) == [look for look in looks(0, last) if look >= first]


def test_a_million_epochs_take_few_looks() -> None:
    assert sum(1 for _ in looks(0, 999_999)) < 2_000


# Modules


def stats(
    gradient: Sequence[Sequence[float]], parameter: float = 1.0, ratio: float = 1e-3, first: int = 0
) -> ModuleColumns:
    size: Floats = np.array(gradient, "<f4")
    epochs = np.arange(first, first + len(size))
    return ModuleColumns(1, epochs, np.full_like(size, parameter), size, np.where(np.isnan(size), 0, ratio))


def found_in(figures: ModuleColumns, frozen: Sequence[bool] | None = None) -> list[Finding]:
    count = figures.gradient_norm.shape[1]
    watch = ModuleWatch(np.arange(10, 10 + count), np.array(frozen or [False] * count))
    watch.follow(figures)
    return list(watch.findings())


def test_modules_without_a_gradient_are_told_at_once_those_that_are_frozen_apart() -> None:
    findings = found_in(stats([[1.0, math.nan, math.nan]]), [False, False, True])
    assert {finding.kind: finding.rows for finding in findings} == {Kind.NO_GRADIENT: (11,), Kind.FROZEN: (12,)}


CASES: dict[Kind, Callable[[], ModuleColumns]] = {
    Kind.DEAD: lambda: stats([[1.0, 0.0]] * 5),
    Kind.NOT_MOVING: lambda: stats([[1.0, 1.0]] * 5, ratio=0.0),
    Kind.VANISHING: lambda: stats([[1.0, 1e-9]] * 8),
    Kind.EXPLODING: lambda: stats([[1.0, 1.0]] * 20 + [[1.0, 1e6]] * 4),
    Kind.LR_HIGH: lambda: stats([[1.0, 1.0]] * 12, ratio=0.5),
    Kind.LR_LOW: lambda: stats([[1.0, 1.0]] * 12, ratio=1e-9),
}


@pytest.mark.parametrize("kind", CASES)
def test_each_rule_finds_what_it_is_for_and_says_it_with_its_figures(kind: Kind) -> None:
    findings = {finding.kind: finding for finding in found_in(CASES[kind]())}
    assert kind in findings
    words = words_of(findings[kind], {10: "sub1", 11: "sub1.sub2_1"})
    assert "%" not in words.title
    assert "%(" not in words.detail + words.rule
    figures = [figure for name, figure in findings[kind].figures.items() if name != "threshold"]
    assert any(f"{figure:.4g}" in words.detail for figure in figures)


def test_healthy_modules_have_nothing_said_of_them() -> None:
    rng = np.random.default_rng(0)
    assert found_in(stats(rng.lognormal(0, 0.5, (400, 6)).tolist())) == []


def test_the_first_module_that_is_not_finite_is_known_by_epoch_and_then_by_place() -> None:
    watch = ModuleWatch(np.array([0, 4, 7]), np.zeros(3, bool))
    watch.follow(stats([[1.0, 1.0, 1.0], [1.0, math.inf, math.inf], [math.inf] * 3]))
    assert watch.first_bad == (1, 4)


@given(
    st.lists(st.lists(st.sampled_from([math.nan, 0.0, 1e-9, 1.0, 1e6]), min_size=3, max_size=3), max_size=300),
    st.integers(1, 40),
)
def test_findings_in_modules_do_not_depend_on_the_pieces_either(figures: list[list[float]], size: int) -> None:
    watch = ModuleWatch(np.arange(3), np.zeros(3, bool))
    for start in range(0, len(figures), size):
        watch.follow(stats(figures[start : start + size], first=start))
    whole = ModuleWatch(np.arange(3), np.zeros(3, bool))
    if figures:
        whole.follow(stats(figures))
    assert list(watch.findings()) == list(whole.findings())
