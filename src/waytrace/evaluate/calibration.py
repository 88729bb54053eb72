"""Whether what is said with a probability comes true as often: calibration error, its chance level, Brier skill.

Legend: N answers, K values, G groups of answers of like probability, C clusters of answers that are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .gate.clusters import design, resamples

GROUPS = 15
DRAWS = 1000
"""Of a perfectly calibrated one, for the chance level."""
LEVEL = 0.95

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Answers of like probability."""

    stated: float
    """Mean probability."""
    true: float
    """Share that came true."""
    count: int


@dataclass(frozen=True)
class Calibration:
    """How far stated probabilities are from what came true. Intervals are None where one cluster says it all."""

    count: int
    stated: float
    """Mean probability."""
    true: float
    """Share that came true."""
    over: float
    """By how much more is stated than comes true."""
    over_interval: tuple[float, float] | None
    error: float
    """Expected calibration error over the groups, which chance alone keeps above 0."""
    chance: float
    """What the same probabilities would get if each were right; mean, and the value that 97.5 % are below."""
    chance_most: float
    corrected: float
    """The error less what chance adds, as far as the bootstrap can tell; not below 0."""
    corrected_interval: tuple[float, float] | None
    groups: tuple[Group, ...]

    @property
    def shown(self) -> bool:
        """Whether the error is more than chance would give."""
        return self.error > self.chance_most + 1e-9


def equal_mass(probability: Array, groups: int = GROUPS) -> Ints:
    """[N] group of each probability: as many answers in each, in order of their probability."""
    out = np.zeros(len(probability), np.int64)
    for number, part in enumerate(np.array_split(np.argsort(probability, kind="stable"), groups)):
        out[part] = number
    return np.unique(out, return_inverse=True)[1].astype(np.int64)


def calibration(
    probability: Sequence[float] | Array, true: Sequence[bool] | NDArray[np.bool_], clusters: Sequence[str],
    *, group: Ints | None = None, seed: int = 0,
) -> Calibration | None:  # fmt: skip
    """Of N probabilities and what came true; None of nothing.

    ``group`` [N] says which belong together, for probabilities that are bins already; else they are put into
    :data:`GROUPS` groups of equal mass (Nguyen and O'Connor 2015, https://aclanthology.org/D15-1182).

    The error is sum over groups of |sum of probability - number true| / N. It is above 0 even for one who is
    perfectly calibrated; ``chance`` is how far, by drawing what comes true from the probabilities themselves, answers
    independent of one another (within clusters they are not, so the true level is somewhat higher). Bootstrap
    draws of whole clusters add that bias once more, so they are reflected about the error: ``corrected`` is twice the
    error less their mean, and the interval likewise (Efron and Tibshirani 1993, ch. 10 and 13). Of one who is
    perfectly calibrated that takes away some four tenths of what chance adds, not all: look at ``chance`` first.
    """
    p, hits = np.asarray(probability, np.float64), np.asarray(true, np.float64)
    if not len(p):
        return None
    of = equal_mass(p) if group is None else np.unique(group, return_inverse=True)[1].astype(np.int64)
    count = int(of.max()) + 1
    gap = np.zeros((len(p), count))
    gap[np.arange(len(p)), of] = p - hits
    error = float(np.abs(gap.sum(0)).sum() / len(p))
    drawn = _by_chance(p, of, count, seed)
    errors, overs = _redrawn(gap, clusters)
    around = _bounds(errors)
    sizes = np.bincount(of)
    return Calibration(
        count=len(p), stated=float(p.mean()), true=float(hits.mean()), over=float(p.mean() - hits.mean()),
        over_interval=_bounds(overs), error=error, chance=float(drawn.mean()),
        chance_most=float(np.quantile(drawn, (1 + LEVEL) / 2)),
        corrected=max(0.0, 2.0 * error - float(errors.mean())) if around else error,
        corrected_interval=(max(0.0, 2.0 * error - around[1]), max(0.0, 2.0 * error - around[0])) if around else None,
        groups=tuple(
            Group(float(p[of == k].mean()), float(hits[of == k].mean()), int(sizes[k])) for k in range(count)
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class Brier:
    """Mean squared error of probabilities: 0 is best. Of two values both count: twice the usual figure."""

    count: int
    score: float
    """Mean over answers of the sum over values of (probability - whether it is so) squared (Brier 1950)."""
    reference: float
    """The same for whoever always states the shares of the values among these very answers."""
    skill: float | None
    """1 - score / reference: 1 is best, 0 no better than the shares; None where all answers are one value."""
    interval: tuple[float, float] | None
    """Of the skill."""


def brier(probability: Array, label: Ints, clusters: Sequence[str]) -> Brier | None:
    """Of probabilities [N, K] and what is so [N], a number below K; None of nothing.

    The interval draws whole clusters, the shares worked out anew in each draw.
    """
    if not len(label):
        return None
    so = np.zeros(probability.shape)
    so[np.arange(len(label)), label] = 1.0
    each = ((probability - so) ** 2).sum(1)
    score, reference = float(each.mean()), float(1.0 - (so.mean(0) ** 2).sum())
    skill = 1.0 - score / reference if reference > 0.0 else None
    plan = design(["all"] * len(label), clusters)
    interval = None
    if len(plan.size) > 1:
        (weights,) = resamples(plan)
        sums = weights @ plan.sums(np.column_stack([each, so]).T).T
        total = weights @ plan.size
        other = 1.0 - ((sums[:, 1:] / total[:, None]) ** 2).sum(1)
        drawn = 1.0 - (sums[:, 0] / total)[other > 0.0] / other[other > 0.0]
        interval = _bounds(drawn)
    return Brier(len(label), score, reference, skill, interval)


def _by_chance(p: Array, of: Ints, count: int, seed: int) -> Array:
    """[draws] errors of somebody who is right about every probability."""
    order = np.argsort(of, kind="stable")
    start = np.searchsorted(of[order], np.arange(count))
    random = np.random.default_rng(seed)
    stated = np.add.reduceat(p[order], start)
    out = np.zeros(DRAWS)
    for k in range(DRAWS):
        came = (random.random(len(p)) < p[order]).astype(np.float64)
        out[k] = np.abs(stated - np.add.reduceat(came, start)).sum() / len(p)
    return out


def _redrawn(gap: Array, clusters: Sequence[str]) -> tuple[Array, Array]:
    """Errors and excesses of what is stated in draws of whole clusters; none of one cluster."""
    plan = design(["all"] * len(gap), clusters)
    if len(plan.size) < 2:
        return np.zeros(0), np.zeros(0)
    (weights,) = resamples(plan)
    sums, total = weights @ plan.sums(gap.T).T, weights @ plan.size
    return np.abs(sums).sum(1) / total, sums.sum(1) / total


def _bounds(drawn: Array) -> tuple[float, float] | None:
    """What 95 % of the draws are within; None without any."""
    if not len(drawn):
        return None
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
