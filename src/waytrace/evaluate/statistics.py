"""Intervals for mean scores whose scenarios are not independent of one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BOOTSTRAP_DRAWS = 2000
FEW_CLUSTERS = 10
"""Below this many clusters the bootstrap is too narrow; a t interval on the cluster means is used instead."""


def mean_interval(
    values: Sequence[float] | NDArray[np.float64],
    clusters: Sequence[str],
    *,
    level: float = 0.95,
    seed: int = 0,
    most: float = 1.0,
) -> tuple[float, float] | None:
    """Confidence interval of the mean of ``values``, where scenarios of one cluster (log, layout) are not independent.

    With ten clusters or more: percentile cluster bootstrap, whole clusters drawn with replacement. With fewer: a
    t interval on the cluster means, around their mean. With one cluster or none: ``None``, for nothing can be said.
    Bounds are clipped to the range that the mean can have, [0, most], where all values lie in it: that of scores and
    shares, unless ``most`` says otherwise (infinity for distances).
    """
    data = np.asarray(values, dtype=np.float64)
    names, member = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if len(names) < 2:
        return None
    sums = np.bincount(member, weights=data)
    counts = np.bincount(member).astype(np.float64)
    if len(names) < FEW_CLUSTERS:
        low, high = _t_interval(sums / counts, level)
    else:
        drawn = np.random.default_rng(seed).integers(len(names), size=(BOOTSTRAP_DRAWS, len(names)))
        means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
        low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    if data.min() >= 0.0 and data.max() <= most:
        low, high = max(0.0, low), min(most, high)
    return float(low), float(high)


def _t_interval(means: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Student's t interval of the mean of independent ``means``."""
    from scipy.stats import t  # slow to import, and large suites never need it

    half = float(t.ppf((1 + level) / 2, len(means) - 1)) * means.std(ddof=1) / np.sqrt(len(means))
    return float(means.mean() - half), float(means.mean() + half)
