"""Intervals of mean scores."""

from __future__ import annotations

import math

import numpy as np
import pytest

from waytrace.evaluate import mean_interval


def test_few_clusters_give_the_t_interval_by_hand() -> None:
    # Cluster means 0.2, 0.4, 0.6: mean 0.4, standard error 0.2 / sqrt(3), t(0.975, 2) = 4.30265.
    found = mean_interval([0.1, 0.3, 0.4, 0.6], ["a", "a", "b", "c"])
    half = 4.302652729911275 * 0.2 / np.sqrt(3)
    assert found == pytest.approx((max(0.0, 0.4 - half), 0.4 + half))


def test_one_cluster_says_nothing() -> None:
    assert mean_interval([0.1, 0.9], ["a", "a"]) is None


def test_scores_that_stand_together_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    base = rng.uniform(0, 1, 30)
    values = np.repeat(base, 10)
    together = mean_interval(values, [str(k) for k in np.repeat(np.arange(30), 10)])
    alone = mean_interval(values, [str(k) for k in range(300)])
    assert together is not None
    assert alone is not None
    assert together[1] - together[0] > 2.5 * (alone[1] - alone[0])


def test_the_bootstrap_covers_the_mean_and_is_repeatable() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for trial in range(100):
        values = rng.uniform(0, 1, 40)
        interval = mean_interval(values, [str(k) for k in range(40)], seed=trial)
        assert interval == mean_interval(values, [str(k) for k in range(40)], seed=trial)
        assert interval is not None
        hits += interval[0] <= 0.5 <= interval[1]
    assert 85 <= hits <= 100


def test_the_order_of_scenarios_does_not_matter_to_the_t_interval() -> None:
    values, clusters = [0.2, 0.9, 0.5], ["x", "y", "z"]
    assert mean_interval(values, clusters) == pytest.approx(mean_interval(values[::-1], clusters[::-1]))


def test_a_distance_is_not_below_zero_and_has_no_upper_bound() -> None:
    names = ["a", "b", "c"]
    assert mean_interval([0.0, 0.0, 3.0], names, most=math.inf)[0] == 0.0  # type: ignore[index]
    near = mean_interval([0.1, 0.9, 0.9], names, most=math.inf)
    assert near is not None
    assert near[1] > 1.0, "that of a share would end at 1"
    assert mean_interval([0.1, 0.9, 0.9], names)[1] == 1.0  # type: ignore[index]
