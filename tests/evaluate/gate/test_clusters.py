"""Clustered means, standard errors and the bootstrap, beside hand counts, statsmodels and arch."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from waytrace.evaluate.gate.clusters import Design, _redrawn, carriers, design, estimate, resamples, studentised
from waytrace.evaluate.gate.scores import interval_of


def _drawn(rng: np.random.Generator, strata: int, clusters: int, size: int) -> tuple[Design, np.ndarray]:
    s = np.repeat(np.arange(strata), clusters * size)
    c = np.tile(np.repeat(np.arange(clusters), size), strata)
    made = rng.normal(size=(strata, clusters, 1)) + rng.normal(size=(strata, clusters, size))
    return design([f"s{k}" for k in s], [f"c{k:03d}" for k in c]), made.reshape(-1)


def test_the_mean_is_the_mean_over_scenes() -> None:
    rng = np.random.default_rng(0)
    strata, clusters = rng.integers(3, size=50).astype(str), rng.integers(6, size=50).astype(str)
    values = rng.normal(size=(4, 50))
    found = estimate(design(strata.tolist(), clusters.tolist()), values)
    assert found.mean == pytest.approx(values.mean(axis=1))
    assert found.se.shape == found.df.shape == (4,)


def test_clusters_of_one_size_give_students_t() -> None:
    rng = np.random.default_rng(1)
    of, values = _drawn(rng, 1, 12, 3)
    means = values.reshape(12, 3).mean(axis=1)
    found = estimate(of, values)
    assert found.se == pytest.approx(means.std(ddof=1) / np.sqrt(12))
    assert found.df == pytest.approx(11)


def test_strata_add_up_and_differences_between_them_are_no_error() -> None:
    rng = np.random.default_rng(2)
    of, values = _drawn(rng, 3, 8, 2)
    shifted = values.copy()
    for h in range(3):
        shifted[of.members(h)] += 10.0 * h
    assert estimate(of, shifted).se == pytest.approx(estimate(of, values).se)
    alone = [float(estimate(of.one(h), values[of.members(h)]).se) for h in range(3)]
    assert estimate(of, values).se == pytest.approx(np.sqrt(np.sum(np.square(alone))) / 3)


def test_scenes_in_another_order_give_the_same() -> None:
    rng = np.random.default_rng(3)
    strata = [f"s{k}" for k in rng.integers(3, size=60)]
    clusters = [f"c{k}" for k in rng.integers(9, size=60)]
    values, order = rng.normal(size=60), rng.permutation(60)
    one, two = design(strata, clusters), design([strata[k] for k in order], [clusters[k] for k in order])
    assert np.array(studentised(one, values)) == pytest.approx(np.array(studentised(two, values[order])))


def test_equal_values_have_no_spread() -> None:
    of, _ = _drawn(np.random.default_rng(4), 2, 5, 2)
    found = estimate(of, np.full(20, 0.1))
    assert found.se == 0.0
    assert studentised(of, np.full(20, 0.1)) == pytest.approx((0.1, 0.1))


def test_lone_clusters_are_joined() -> None:
    of = design(["a", "a", "b", "c"], ["1", "2", "1", "1"])
    assert of.strata == ("a", "b+c")
    assert of.clusters.tolist() == [2, 2]
    assert design(["a", "a", "b"], ["1", "2", "1"]).clusters.tolist() == [3]
    assert np.isnan(estimate(design(["a", "a"], ["1", "1"]), np.array([0.1, 0.2])).se)


def test_trials_together_are_trials_alone() -> None:
    rng = np.random.default_rng(5)
    of, _ = _drawn(rng, 2, 6, 2)
    values = rng.normal(size=(3, 24))
    together = studentised(of, values)
    for k in range(3):
        assert studentised(of, values[k]) == pytest.approx((together[0][k], together[1][k]))


def test_draws_keep_the_number_of_clusters() -> None:
    of, _ = _drawn(np.random.default_rng(6), 2, 7, 1)
    for counts in resamples(of, draws=50):
        assert counts.shape == (50, 7)
        assert (counts.sum(axis=1) == 7).all()


def test_normal_clusters_give_the_t_interval_nearly() -> None:
    of, values = _drawn(np.random.default_rng(7), 6, 15, 2)
    found, (low, high) = estimate(of, values), studentised(of, values, draws=9999)
    half = t.ppf(0.975, found.df) * found.se
    assert low == pytest.approx(found.mean - half, abs=0.1 * half)
    assert high == pytest.approx(found.mean + half, abs=0.1 * half)


def test_the_standard_error_is_statsmodels_clustered_one() -> None:
    sm = pytest.importorskip("statsmodels.api", reason="statsmodels is not installed (extra: dev)")
    rng = np.random.default_rng(8)
    clusters = np.repeat(np.arange(14), 5)
    values = rng.normal(size=14)[clusters] + rng.normal(size=70)
    fit = sm.OLS(values, np.ones(70)).fit(cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": True})
    found = estimate(design(["s"] * 70, [f"{k:02d}" for k in clusters]), values)
    assert found.mean == pytest.approx(fit.params[0])
    assert found.se == pytest.approx(fit.bse[0])


def test_of_clusters_of_any_size_it_is_what_leaving_one_out_does() -> None:
    rng = np.random.default_rng(11)
    clusters = np.sort(rng.integers(9, size=70))
    values = rng.normal(size=9)[clusters] + rng.normal(size=70)
    without = [values[clusters != k].mean() for k in range(9)]
    found = estimate(design(["s"] * 70, [f"{k:02d}" for k in clusters]), values)
    assert found.se == pytest.approx(np.sqrt(8 / 9 * np.sum((np.array(without) - values.mean()) ** 2)))


def test_a_layout_of_most_scenes_is_one_layout() -> None:
    """Means of families that hang on one large layout each: intervals err as often as they say, or less."""
    rng = np.random.default_rng(12)
    sizes = np.tile([40] + [2] * 9, 3)
    cluster = np.repeat(np.arange(30), sizes)
    of = design([f"f{k // 10}" for k in cluster], [f"{k:02d}" for k in cluster])
    values = rng.normal(size=(2000, 30))[:, cluster] + 0.3 * rng.normal(size=(2000, len(cluster)))
    low, high = interval_of(of, 0.1 * values, 0.95)
    assert of.freedom == pytest.approx([1.0] * 3, abs=0.1)
    assert 0.0 < (high < 0).mean() <= 0.03
    assert 0.0 < (low > 0).mean() <= 0.03


def test_the_bootstrap_is_archs_studentised_one() -> None:
    arch = pytest.importorskip("arch.bootstrap", reason="arch is not installed (extra: dev)")
    rng = np.random.default_rng(9)
    means = rng.gamma(1.0, size=20)
    boot = arch.IIDBootstrap(means, seed=np.random.default_rng(1))
    interval = boot.conf_int(
        lambda x: np.array([x.mean()]), reps=9999, method="studentized",
        std_err_func=lambda params, x: np.array([x.std(ddof=1) / np.sqrt(len(x))]),
    )[:, 0]  # fmt: skip
    found = studentised(design(["s"] * 20, [f"{k:02d}" for k in range(20)]), means, draws=9999)
    assert np.array(found) == pytest.approx(interval, abs=0.05 * float(interval[1] - interval[0]))


def test_a_few_clusters_carry_the_scatter_whatever_is_the_same_everywhere() -> None:
    of, _ = _drawn(np.random.default_rng(8), 4, 15, 2)
    few = np.zeros(120)
    few[[0, 31, 32, 66]] = [0.3, -0.2, -0.2, 0.5]  # 31 and 32 are of two clusters
    noise = 1e-4 * np.random.default_rng(9).normal(size=120)
    assert [int(carriers(of, values)) for values in (few, few - 0.05, few + noise)] == [4, 4, 4]
    normal = np.random.default_rng(10).normal(size=120)
    assert carriers(of, np.stack([few, normal])) == pytest.approx([4, 53], abs=5)


def test_an_interval_whose_scatter_is_that_of_a_few_clusters_moves_with_the_difference() -> None:
    """Draws that hold none of the three say that the mean is known, and so the true one is anywhere."""
    of, _ = _drawn(np.random.default_rng(8), 18, 15, 2)
    few = np.zeros(540)
    few[[0, 100, 200]] = [0.3, -0.2, -0.2]
    low, high = interval_of(
        of, np.stack([few, few - 0.05, few + 1e-5 * np.random.default_rng(9).normal(size=540)]), 0.95
    )
    assert low[1] + 0.05 == pytest.approx(low[0])
    assert high[1] + 0.05 == pytest.approx(high[0])
    assert (low[2], high[2]) == pytest.approx((low[0], high[0]), abs=1e-4)
    assert high[1] < 0
    wild = studentised(of, few - 0.05)
    assert wild[1] - wild[0] > 1


def test_a_draw_without_a_cluster_of_as_many_scenes_as_it_has_is_a_draw_like_others() -> None:
    of = design(["s"] * 60 + ["t"] * 5, [f"c{k}" for k in range(60)] + ["a", "b", "c", "c", "c"])
    values = np.random.default_rng(11).normal(size=65)
    means, errors = _redrawn(of, of.sums(values)[None], list(resamples(of)))
    assert np.isfinite(means).all()
    assert np.isfinite(errors).all()
