"""Means over scenes that are not independent: strata, clusters within them, standard errors, studentised bootstrap.

Everything takes leading axes ``*T`` (trials, measures) and treats them alike, so that a simulation of thousands of
comparisons runs the very code that the gate runs.

Legend: N scenes, K clusters, H strata, B bootstrap draws, T trials.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 1999
"""Bootstrap draws; (draws + 1) times the usual tail shares is a whole number."""
SEED = 7
NEARLY_ALL = 0.999
"""Share of the scatter that its carriers hold."""
CHUNK = 256
"""Trials that are bootstrapped at once: bounds the memory, changes no figure."""


@dataclass(frozen=True)
class Design:
    """Which scenes stand together. Made by :func:`design`; clusters are sorted by stratum."""

    strata: tuple[str, ...]
    order: Ints
    """[N] scenes, sorted by cluster."""
    start: Ints
    """[K] where each cluster begins in ``order``."""
    size: Floats
    """[K] scenes of each cluster."""
    stratum: Ints
    """[K] stratum of each cluster."""

    @cached_property
    def first(self) -> Ints:
        """[H+1] where each stratum begins among the clusters."""
        return np.searchsorted(self.stratum, np.arange(len(self.strata) + 1))

    @cached_property
    def clusters(self) -> Ints:
        """[H] clusters of each stratum."""
        return np.diff(self.first)

    @cached_property
    def scenes(self) -> Floats:
        """[H] scenes of each stratum."""
        return np.add.reduceat(self.size, self.first[:-1])

    @cached_property
    def kept(self) -> Floats:
        """[K] share of its stratum's scenes that are left without a cluster; 0 for one that is alone."""
        return np.asarray(1.0 - self.size / self.scenes[self.stratum], dtype=np.float64)

    @cached_property
    def freedom(self) -> Floats:
        """[H] degrees of freedom of each stratum: clusters less one where they are of one size.

        What a cluster adds to the variance grows with its size squared. Those of a stratum count as many as equal ones
        of which the sum of such shares would be as sure: (sum n^2)^2 / sum n^4 (after Carter, Schnepel, Steigerwald,
        Asymptotic behavior of a t-test robust to cluster heterogeneity, 2017). At least 1.
        """
        square, fourth = (np.add.reduceat(self.size**power, self.first[:-1]) for power in (2, 4))
        return np.asarray(np.maximum(square**2 / fourth - 1.0, 1.0), dtype=np.float64)

    @property
    def weight(self) -> Floats:
        """[H] share of each stratum in the mean over all scenes."""
        return np.asarray(self.scenes / self.scenes.sum(), dtype=np.float64)

    def sums(self, values: Floats) -> Floats:
        """Cluster totals [*T, K] of ``values`` [*T, N]."""
        return np.asarray(np.add.reduceat(values[..., self.order], self.start, axis=-1), dtype=np.float64)

    def one(self, stratum: int) -> Design:
        """The design of one stratum alone, over its own scenes in the order of :meth:`members`."""
        low, high = self.first[stratum], self.first[stratum + 1]
        size, start = self.size[low:high], self.start[low:high] - self.start[low]
        return Design(
            (self.strata[stratum],), np.arange(int(size.sum())), start, size, np.zeros(len(size), dtype=np.int64)
        )

    def members(self, stratum: int) -> Ints:
        """Scenes of one stratum, cluster by cluster."""
        low, high = self.first[stratum], self.first[stratum + 1]
        begin = self.start[low]
        end = self.start[high] if high < len(self.start) else len(self.order)
        return self.order[begin:end]


def design(strata: Sequence[str], clusters: Sequence[str]) -> Design:
    """The design of scenes [N] whose stratum (family, source) and cluster (log, road section, layout) are given.

    A cluster that occurs in two strata counts as one in each. A stratum with one cluster says nothing about how its
    clusters differ: all such are joined, and joined to the smallest other stratum where that leaves one cluster.
    Raises ``ValueError`` without scenes.
    """
    if not len(strata):
        raise ValueError("there are no scenes")
    named = np.asarray(strata, dtype=str)
    pairs = np.array([f"{s}\x00{c}" for s, c in zip(strata, clusters, strict=True)])
    merged = _merged(named, pairs)
    keys = np.array([f"{s}\x00{p}" for s, p in zip(merged, pairs, strict=True)])
    names, member = np.unique(keys, return_inverse=True)
    order = np.argsort(member, kind="stable")
    size = np.bincount(member).astype(np.float64)
    start = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.int64)
    of_cluster = np.array([name.split("\x00")[0] for name in names])
    strata_names, stratum = np.unique(of_cluster, return_inverse=True)
    return Design(tuple(str(s) for s in strata_names), order, start, size, stratum.astype(np.int64))


def _merged(strata: NDArray[np.str_], pairs: NDArray[np.str_]) -> list[str]:
    counts = {s: len(np.unique(pairs[strata == s])) for s in np.unique(strata)}
    lone = {s for s, count in counts.items() if count < 2}
    if len(lone) == 1 and len(counts) > 1:
        lone.add(min((s for s in counts if s not in lone), key=lambda s: (counts[s], s)))
    joined = "+".join(sorted(lone))
    return [joined if s in lone else str(s) for s in strata]


@dataclass(frozen=True)
class Estimate:
    """A mean over scenes with its standard error."""

    mean: Floats
    """[*T]"""
    se: Floats
    """[*T]; 0 where all clusters of every stratum agree, NaN where one cluster is all there is."""
    df: Floats
    """[*T] degrees of freedom by Satterthwaite."""


def estimate(design: Design, values: Floats) -> Estimate:
    """Mean over scenes of ``values`` [*T, N], with a standard error that respects strata and clusters.

    Within a stratum the mean is a ratio (cluster totals over cluster sizes) and its variance is the jackknife's:
    (J - 1) / J times the sum of squares of what leaving a cluster out does to the mean (Cochran, Sampling Techniques,
    1977, ch. 6 and 11; Wolter, Introduction to Variance Estimation, 2007, ch. 4). For clusters of one size that is
    the variance of the mean of the cluster means; a cluster that holds most scenes pulls the mean to itself, and
    leaving it out shows by how much, which its residual does not. Strata are independent, so variances add with
    squared weights; degrees of freedom are Satterthwaite's (1946) over those of :attr:`Design.freedom`.
    """
    return _from_sums(design, design.sums(values))


def _from_sums(design: Design, sums: Floats) -> Estimate:
    first, weight, count = design.first[:-1], design.weight, design.clusters.astype(np.float64)
    ratio = np.add.reduceat(sums, first, axis=-1) / design.scenes
    square = _left_out(design, sums, ratio) ** 2
    share = weight**2 * (count - 1) / count * np.add.reduceat(square, first, axis=-1) / design.scenes**2
    # Equal values leave residuals of the size of rounding: they are no spread.
    level = np.abs(sums).max(axis=-1, keepdims=True) if sums.size else sums
    share = np.where(share < (1e-13 * level / design.scenes.sum()) ** 2, 0.0, share)
    variance = share.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (share**2 / design.freedom).sum(axis=-1)
        df = np.where(spread > 0, variance**2 / spread, design.freedom.sum())
    return Estimate((ratio * weight).sum(axis=-1), np.sqrt(variance), np.maximum(df, 1.0))


def _left_out(design: Design, sums: Floats, ratio: Floats) -> Floats:
    """[*T, K] by how much the mean of a stratum moves when a cluster is left out, times the scenes of the stratum.

    NaN for a cluster that is alone.
    """
    residual = sums - ratio[..., design.stratum] * design.size
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(design.kept > 0, residual / design.kept, np.nan), dtype=np.float64)


def wobble(design: Design, values: Floats) -> Floats:
    """[*T] variance of the standard error that :func:`estimate` gives of ``values`` [*T, N], over its square.

    Of normal values it is 1 / (2 df). Where few clusters make up most of the scatter it is more: the squared standard
    error is a sum of squared residuals, and how much those scatter can be seen.
    """
    sums = design.sums(values)
    first, weight, count = design.first[:-1], design.weight, design.clusters.astype(np.float64)
    ratio = np.add.reduceat(sums, first, axis=-1) / design.scenes
    square = _left_out(design, sums, ratio) ** 2
    total, fourth = (np.add.reduceat(square**power, first, axis=-1) for power in (1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = weight**2 * (count - 1) / count / design.scenes**2
        seen = (scale**2 * (fourth - total**2 / count) * count / (count - 1)).sum(axis=-1)
        normal = (2.0 * (scale * total) ** 2 / design.freedom).sum(axis=-1)
        found = np.maximum(seen, normal) / (4.0 * (scale * total).sum(axis=-1) ** 2)
    return np.where(np.isfinite(found), found, 0.0)


def carriers(design: Design, values: Floats) -> Ints:
    """[*T] how many clusters carry the scatter of ``values`` [*T, N]: the fewest that hold :data:`NEARLY_ALL` of it.

    It is counted as squared distance from 0 or from the median cluster of the stratum, whichever leaves fewer: a
    difference that is the same everywhere, or a little noise, does not hide that the scatter is that of a few.
    """
    sums = design.sums(values)
    mean = sums / design.size
    parts = [mean[..., low:high] for low, high in pairwise(design.first)]
    middle = np.stack([np.median(part, axis=-1) for part in parts], axis=-1)
    return np.minimum(_most_of(sums**2), _most_of((sums - middle[..., design.stratum] * design.size) ** 2))


def _most_of(square: Floats) -> Ints:
    """[*T] how many of ``square`` [*T, K], the largest first, add up to nearly all."""
    held = np.cumsum(np.sort(square, axis=-1), axis=-1)
    return np.asarray((held > (1.0 - NEARLY_ALL) * held[..., -1:]).sum(axis=-1))


def resamples(design: Design, draws: int = DRAWS, seed: int = SEED, *, rescaled: bool = False) -> Iterator[Floats]:
    """Of every stratum in turn, how often each of its J clusters is drawn [B, J]: J times with replacement.

    ``rescaled`` draws J - 1, each of which counts J / (J - 1): means of such draws scatter as the mean does, where with
    J draws their variance is (J - 1) / J of that (Rao and Wu, Resampling inference with complex survey data, 1988).
    """
    rng = np.random.default_rng(seed)
    for count in design.clusters:
        times = count - 1 if rescaled and count > 1 else count
        drawn = rng.multinomial(times, np.full(count, 1.0 / count), size=draws)
        yield drawn * (count / times)


def studentised(
    design: Design, values: Floats, *, level: float = 0.95, draws: int = DRAWS, seed: int = SEED
) -> tuple[Floats, Floats]:
    """Bounds [*T] of the ``level`` interval of the mean of ``values`` [*T, N]: stratified cluster bootstrap-t.

    Whole clusters are drawn with replacement within every stratum; each draw gives its mean and its own standard
    error, and the quantiles of (mean* - mean) / se* take the place of Student's (Efron 1979; Hall 1988). A draw
    without spread says nothing of the scale and counts as beyond every bound on the side that its mean lies.
    """
    flat = values.reshape(-1, values.shape[-1])
    counts = list(resamples(design, draws, seed))
    bounds = [_studentised(design, flat[k : k + CHUNK], counts, level) for k in range(0, len(flat), CHUNK)]
    low, high = (np.concatenate(part).reshape(values.shape[:-1]) for part in zip(*bounds, strict=True))
    return low, high


def _studentised(design: Design, values: Floats, counts: list[Floats], level: float) -> tuple[Floats, Floats]:
    sums = design.sums(values)
    found = _from_sums(design, sums)
    mean, se = (a.T for a in _redrawn(design, sums, counts))
    away = mean - found.mean[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(se > 0, away / se, np.where(np.abs(away) <= 1e-12, 0.0, np.sign(away) * np.inf))
    t.sort(axis=1)
    tail = (1 - level) / 2
    below = int(np.floor(tail * (t.shape[1] + 1))) - 1
    low_t, high_t = t[:, below], t[:, t.shape[1] - 1 - below]
    with np.errstate(invalid="ignore"):
        low = np.where(found.se > 0, found.mean - high_t * found.se, found.mean)
        high = np.where(found.se > 0, found.mean - low_t * found.se, found.mean)
    return low, high


def _redrawn(design: Design, sums: Floats, counts: list[Floats]) -> tuple[Floats, Floats]:
    """Means and standard errors [B, T] of the draws."""
    mean, variance = 0.0, 0.0
    for h, drawn in enumerate(counts):
        part = slice(design.first[h], design.first[h + 1])
        s, n, weight = sums[:, part].T, design.size[part], design.weight[h]
        scenes = drawn @ n
        ratio = drawn @ s / scenes[:, None]
        count = len(n)
        kept = np.where(drawn > 0, 1.0 - n / scenes[:, None], 1.0) if count > 1 else 1.0
        left = drawn / kept**2
        squares = left @ s**2 - 2 * ratio * (left @ (s * n[:, None])) + ratio**2 * (left @ n**2)[:, None]
        mean = mean + weight * ratio
        variance = variance + weight**2 * (count - 1) / count * np.maximum(squares, 0.0) / scenes[:, None] ** 2
    return np.asarray(mean), np.sqrt(np.asarray(variance))
