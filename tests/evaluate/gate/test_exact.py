"""Exact tests and Holm's correction, beside SciPy, statsmodels and counting by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from waytrace.evaluate.gate.exact import STEPS, fewest, holm, mcnemar, sign_flips, swaps


@pytest.mark.parametrize(("new", "gone"), [(0, 0), (1, 0), (0, 4), (6, 1), (9, 9), (40, 22)])
def test_mcnemar_is_the_binomial_test(new: int, gone: int) -> None:
    right = binomtest(new, new + gone, 0.5, alternative="greater").pvalue if new + gone else 1.0
    assert mcnemar(new, gone) == pytest.approx(right, rel=1e-12)


@given(st.lists(st.integers(-3, 3), max_size=9))
def test_sign_flips_are_all_the_swaps_counted(net: list[int]) -> None:
    sums = [sum(s * k for s, k in zip(signs, net, strict=True)) for signs in product((-1, 1), repeat=len(net))]
    right = np.mean([s >= sum(net) for s in sums]) if any(net) else 1.0
    assert sign_flips(net) == pytest.approx(right, rel=1e-12)


@given(st.integers(0, 12), st.integers(0, 12))
def test_with_one_event_a_cluster_sign_flips_are_mcnemar(new: int, gone: int) -> None:
    assert sign_flips([1] * new + [-1] * gone + [0] * 5) == pytest.approx(mcnemar(new, gone), rel=1e-12)


def test_events_that_come_together_prove_less() -> None:
    assert sign_flips([3, 3, 3]) == pytest.approx(1 / 8)
    assert mcnemar(9, 0) == pytest.approx(1 / 512)


@given(st.lists(st.integers(-STEPS, STEPS), max_size=9), st.floats(1e-6, 1e3))
def test_swaps_of_sums_are_all_the_swaps_counted(parts: list[int], scale: float) -> None:
    sums = [*parts, STEPS]  # the largest one is what all are rounded by
    every = [sum(s * k for s, k in zip(signs, sums, strict=True)) for signs in product((-1, 1), repeat=len(sums))]
    right = np.mean([s <= sum(sums) for s in every])
    assert swaps(scale * np.array(sums)) == pytest.approx(right, rel=1e-12)


def test_two_layouts_are_never_more_certain_than_two_coins() -> None:
    assert swaps(np.array([-0.125, -0.125])) == 0.25
    assert swaps(np.zeros(2)) == swaps(np.zeros(0)) == 1.0


def test_the_fewest_events_are_the_fewest() -> None:
    for alpha in (0.05, 0.01, 0.0025):
        assert sign_flips([1] * fewest(alpha)) <= alpha < sign_flips([1] * (fewest(alpha) - 1))


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_raises_every_value(p: list[float]) -> None:
    corrected = holm(p)
    assert all(0 <= a <= b <= 1 for a, b in zip(p, corrected, strict=True))
    assert min(corrected) == pytest.approx(min(1.0, len(p) * min(p)))
    order = np.argsort(p, kind="stable")
    assert np.all(np.diff(np.array(corrected)[order]) >= 0)


def test_holm_is_statsmodels_holm() -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="statsmodels is not installed (extra: dev)")
    rng = np.random.default_rng(0)
    for size in (1, 2, 18):
        p = rng.uniform(0, 0.2, size)
        assert holm(p.tolist()) == pytest.approx(multitest.multipletests(p, method="holm")[1])


def test_mcnemar_is_statsmodels_mcnemar() -> None:
    tables = pytest.importorskip(
        "statsmodels.stats.contingency_tables", reason="statsmodels is not installed (extra: dev)"
    )
    for new, gone in ((6, 1), (9, 2), (30, 11)):
        two_sided = tables.mcnemar([[50, new], [gone, 3]], exact=True).pvalue
        assert 2 * mcnemar(new, gone) == pytest.approx(two_sided)
