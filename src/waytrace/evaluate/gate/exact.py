"""Exact tests for rare events, and Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STEPS = 200
"""Parts of the largest sum that :func:`swaps` rounds all others to: by a quarter of a percent of it at most."""


def mcnemar(new: int, gone: int) -> float:
    """One-sided exact McNemar: probability of at least ``new`` of ``new + gone`` changed pairs, were both as likely.

    1.0 where nothing changed. McNemar 1947; exact as a binomial test on the pairs that changed.
    """
    from scipy.special import bdtrc

    return float(bdtrc(new - 1, new + gone, 0.5)) if new else 1.0


def sign_flips(net: Sequence[int] | NDArray[np.int64]) -> float:
    """The same where scenes stand together: probability of a sum of ``net`` [K] or more, were every sign a fair coin.

    ``net`` holds for every cluster how many events are new less how many are gone. Under "no difference" the two
    planners could be swapped in any cluster, which turns its sign; the distribution over all 2^K swaps is convolved,
    not drawn. Where no cluster holds more than one changed pair this is :func:`mcnemar`.
    """
    moves = np.abs(np.asarray(net, dtype=np.int64))
    moves = moves[moves > 0]
    if not len(moves):
        return 1.0
    total, reach = int(np.sum(net)), int(moves.sum())
    chance = np.zeros(2 * reach + 1)
    chance[reach] = 1.0
    for move in moves:
        chance = 0.5 * (np.roll(chance, move) + np.roll(chance, -move))
    return float(min(1.0, chance[reach + total :].sum()))


def swaps(sums: NDArray[np.float64]) -> float:
    """:func:`sign_flips` for sums of differences [K] instead of counts: probability of a total as low or lower.

    Sums are rounded to 1 / :data:`STEPS` of the largest. Rounded sums turn their signs as the others do, so the
    probability is exact for the rounded ones, whatever they are distributed like; it is 2^-K at least.
    """
    largest = float(np.abs(sums).max(initial=0.0))
    return sign_flips(np.rint(-sums / largest * STEPS).astype(np.int64)) if largest > 0 else 1.0


def fewest(alpha: float) -> int:
    """Changed clusters, all for the worse by one event, that :func:`sign_flips` needs to fall to ``alpha``."""
    return int(np.ceil(np.log2(1.0 / alpha)))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values corrected for their number, step down (Holm 1979).

    Any of them falls to alpha or below in error with probability alpha at most, whatever depends on what.
    """
    order = np.argsort(p_values, kind="stable")
    corrected = np.empty(len(p_values))
    highest = 0.0
    for rank, k in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[k]))
        corrected[k] = highest
    return corrected.tolist()
