from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waytrace.observe.arrays import KEPT, KEPT_MOST
from waytrace.observe.nearest import keep_nearest, nearest_few, sort_nearest
from waytrace.scenario.index import MapIndex


def nearest(x: float, y: float, px: np.ndarray, py: np.ndarray, count: int) -> np.ndarray:
    d2 = (px - x) * (px - x) + (py - y) * (py - y)
    return np.lexsort((np.arange(len(px)), d2))[:count]


@pytest.mark.parametrize(("seed", "side"), [(0, 2), (1, 4), (2, 6)])
def test_map_rows_are_the_nearest_at_every_tick(make_bench: Any, seed: int, side: int) -> None:
    bench = make_bench(seed, side=side)
    index: MapIndex = bench.compiled.index
    rng = np.random.default_rng(seed)
    searched = 0
    for tick in range(30):
        before = bench.cache.kept_x.copy()
        bench.observe(tick)
        searched += int((before != bench.cache.kept_x).sum())
        for c in range(len(bench.row_slot)):
            w, s = c // 4, bench.row_slot[c]
            best = nearest(bench.state.x[w, s], bench.state.y[w, s], index.element_x, index.element_y, 96)
            assert np.array_equal(bench.cache.kept[c, : len(best)], best)
        bench.drive(rng)
    assert searched < 30 * len(bench.row_slot)  # the list was used, not only renewed


@pytest.mark.parametrize("seed", range(3))
def test_the_cache_changes_nothing(make_bench: Any, seed: int) -> None:
    with_cache, without = make_bench(seed), make_bench(seed)
    for tick in range(25):
        a, b = with_cache.observe(tick), without.observe(tick, cached=False)
        for name, mine, theirs in zip(a._fields, a, b, strict=True):
            assert np.array_equal(mine, theirs), name
        with_cache.drive(np.random.default_rng(tick))
        without.drive(np.random.default_rng(tick))


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 600), piles=st.integers(1, 40), outside=st.floats(1.0, 1e6))
def test_what_is_kept_is_nearer_than_what_is_not(seed: int, n: int, piles: int, outside: float) -> None:
    rng = np.random.default_rng(seed)
    key = rng.choice(rng.uniform(0.0, outside, piles), n)
    found = rng.permutation(n).astype(np.int32)
    by_element = np.empty(n)
    by_element[found] = key
    kept = np.zeros((1, KEPT_MOST), np.int32)
    count, bound = keep_nearest(0, n, outside, key, found, np.zeros(257, np.int32), kept)
    assert min(n, KEPT) <= count <= KEPT_MOST
    mine = kept[0, :count].copy()
    rest = np.setdiff1d(np.arange(n), mine)
    assert len(np.unique(mine)) == count
    assert bound <= min(outside, by_element[rest].min(initial=np.inf))
    key = by_element[mine].copy()
    sort_nearest(key, kept, 0, count, 96)
    assert np.array_equal(np.sort(kept[0, :count]), np.sort(mine))
    order = np.lexsort((np.arange(n), by_element))
    assert np.array_equal(kept[0, : min(96, count)], order[: min(96, count)])


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 60), grid=st.booleans())
def test_the_nearest_few_are_exact_while_moving(seed: int, n: int, grid: bool) -> None:
    rng = np.random.default_rng(seed)
    px, py = rng.uniform(-50, 50, (2, n))
    if grid:  # many ties
        px, py = np.round(px / 10) * 10, np.round(py / 10) * 10
    items, count, at = np.zeros((1, 16), np.int32), np.zeros(1, np.int32), np.full((1, 3), -1.0)
    x, y = 0.0, 0.0
    for _ in range(20):
        got = nearest_few(0, x, y, 8, 0, n, px, py, items, count, at, np.zeros(64))
        assert np.array_equal(items[0, :got], nearest(x, y, px, py, 8))
        x, y = x + rng.choice([0.0, 0.5, 5.0]), y + rng.choice([0.0, 1.0])
