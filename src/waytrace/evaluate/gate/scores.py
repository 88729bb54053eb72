"""G4 and G7: the paired difference of scores, overall and by family, and what it could have shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import number_of

from .clusters import Design, Estimate, Ints, carriers, estimate, studentised, wobble
from .exact import fewest, holm, swaps
from .pairs import Pairs
from .policy import Policy
from .verdict import Outcome, Verdict

Floats = NDArray[np.float64]

POWER = 0.8
"""How often the smallest detectable effect is found."""
LEVEL = 0.95
"""Of the interval that has to lie within the margin for "equivalent"."""
FEW_CLUSTERS = 30
"""Below this many clusters that carry the scatter, or degrees of freedom, the bootstrap gives way to Student's t."""
SPARE_CLUSTERS = 3
"""So many clusters more than a test of swaps needs at least, before a drop is named that it would find."""
_ROUNDS = 5
"""A number of failures and the degrees of freedom that it gives settle each other, within a percent after four."""
_SD, _ALPHA, _MOST_MARGIN = 0.25, 0.05, 0.1
_MOST_WOBBLE = 0.25
"""A standard error less sure than by half of itself is taken to be so sure: beyond that no drop could be named."""


def default_margin(scenes: int) -> float:
    """Half-width of "equivalent" where the policy names none: what that many independent scenes could show.

    (z(0.95) + z(0.8)) times 0.25 / sqrt(scenes): 0.088 for 50, 0.025 for 600, 0.011 for 3,000. It rests on the size of
    the suite alone: a comparison that scatters more does not get a wider margin, it gets "inconclusive". It is 0.1 at
    most: three scenes that lose a tenth are not as good as before.
    """
    from scipy.special import ndtri

    return min(_MOST_MARGIN, float(ndtri(1 - _ALPHA) + ndtri(POWER)) * _SD / float(np.sqrt(scenes)))


def detectable(
    found: Estimate, carry: Ints, wobbles: Floats, alpha: float, scores: Floats
) -> tuple[Floats, Floats]:  # fmt: skip
    """(drop that is spread evenly, drop that comes as outright failures) [*T] found with probability 0.8 at ``alpha``.

    A drop of the same size everywhere leaves the scatter as it is. It is :func:`_reach` standard errors. A drop
    that comes as scenes that score 0 scatters by itself: a share q of failing scenes with scores s lowers the mean by
    q E[s] and adds about q E[s^2] / N to the variance; the second figure solves for that. Who fails carries scatter
    too, beside the clusters that do (``carry``). ``scores`` [*T, N] are the baseline's.
    """
    even = _reach(_freedom(carry, found)[1], wobbles, alpha) * found.se
    mean, square, scenes = scores.mean(axis=-1), (scores**2).mean(axis=-1), scores.shape[-1]
    df = found.df
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_ROUNDS):
            factor = _reach(df, wobbles, alpha)
            extra = np.where(mean > 0, factor**2 * square / mean / scenes, 0.0)
            failures = (extra + np.sqrt(extra**2 + 4 * (factor * found.se) ** 2)) / 2
            df = _freedom(carry + np.where(mean > 0, failures / mean * scenes, 0.0), found)[1]
    return even, failures


def _reach(df: Floats, wobbles: Floats, alpha: float) -> Floats:
    """How many standard errors, as one comparison saw them, a drop is that another one finds with probability 0.8.

    It is found where c s - t s' + z > 0: s is the standard error that the drop was worked out with, s' that of the
    comparison that is to find it, z the chance in its mean, and both s scatter around the true one by the relative
    variance w (``wobbles``). So (c - t)^2 = z(0.8)^2 (1 + w (c^2 + t^2)), t being Student's quantile at 1 - alpha.
    Without w it would be found too seldom, the more so the fewer clusters hold the scatter; w is counted up to 1/4.
    """
    from scipy.special import ndtri, stdtrit

    t, z = stdtrit(df, 1 - alpha), float(ndtri(POWER))
    known = 1.0 - z**2 * np.minimum(wobbles, _MOST_WOBBLE)
    reach: Floats = (t + np.sqrt(t**2 - known * (t**2 * known - z**2))) / known
    return reach


@dataclass(frozen=True)
class Compared:
    """Paired comparisons of scores; arrays lead with trials [*T]."""

    estimate: Estimate
    low: Floats
    high: Floats
    even: Floats
    """Smallest detectable effect, a drop spread evenly."""
    failures: Floats
    """Smallest detectable effect, a drop by outright failures: the larger of the two."""


def compare_scores(design: Design, before: Floats, after: Floats, alpha: float) -> Compared:
    """Difference of means after - before [*T, N] with its ``1 - 2 alpha`` interval, as :func:`interval_of` has it."""
    found = estimate(design, after - before)
    low, high = interval_of(design, after - before, 1 - 2 * alpha)
    even, failures = detectable(found, carriers(design, after - before), wobble(design, after - before), alpha, before)
    return Compared(found, low, high, even, failures)


def interval_of(design: Design, difference: Floats, level: float) -> tuple[Floats, Floats]:
    """Bounds [*T] of the ``level`` interval of the mean of differences of scores [*T, N], within [-1, 1].

    Stratified cluster bootstrap-t. Where fewer clusters than :data:`FEW_CLUSTERS` carry the scatter, however many there
    are, or a few hold most of the scenes, some draws hold next to none of them, and the quantiles of the draws say
    nothing: two lower scenes of 612 would be a regression, one would leave the bound at -1. There it is Student's t,
    with no more degrees of freedom than clusters that carry it: their mean over the root of their sum of squares, which
    is what is left of t among so many zeros, is no wider than that for differences that are as likely to go either way
    (Efron, Student's t-test under symmetry conditions, 1969). Nor does it leave 0 out where swapping the planners of
    whole layouts gives as much with more than the tail's probability: two layouts that lost the same term have no
    scatter, and are two all the same.
    """
    from scipy.special import stdtrit

    found = estimate(design, difference)
    few, df = _freedom(carriers(design, difference), found)
    half = stdtrit(df, (1 + level) / 2) * found.se
    low, high = np.asarray(found.mean - half), np.asarray(found.mean + half)
    many = np.asarray(~few)
    if many.any():
        low[many], high[many] = studentised(design, difference[many], level=level)
    sums, tail = design.sums(difference), (1 - level) / 2
    for trial in map(tuple, np.argwhere(few & ((high < 0) | (low > 0)))):
        side = high if high[trial] < 0 else low
        if swaps(sums[trial] if side is high else -sums[trial]) > tail:
            side[trial] = 0.0
    return np.clip(low, -1.0, 1.0), np.clip(high, -1.0, 1.0)


def _freedom(carry: Floats | Ints, found: Estimate) -> tuple[NDArray[np.bool_], Floats]:
    """[*T] whether so few clusters carry the scatter that it takes Student's t, and with what degrees of freedom."""
    few = np.asarray(np.minimum(carry, found.df) < FEW_CLUSTERS)
    return few, np.where(few, np.clip(carry, 1.0, found.df), found.df)


def state_of(low: Floats, high: Floats, margin: float) -> NDArray[np.str_]:
    """The verdict [*T] of an interval: beyond 0, else within the margin, else inconclusive."""
    return np.select(
        [high < 0, low > 0, (low >= -margin) & (high <= margin)],
        [str(Verdict.REGRESSED), str(Verdict.IMPROVED), str(Verdict.EQUIVALENT)],
        str(Verdict.INCONCLUSIVE),
    )


def family_p(design: Design, difference: Floats) -> Floats:
    """One-sided p values [*T, H] of "worse", one a stratum: the planners of whole clusters swapped, exactly.

    Student's t would not do: scores are lost in whole terms, and where two layouts of two lost the same one there is no
    scatter, so that it would be certain.
    """
    sums = design.sums(difference)
    columns = [np.apply_along_axis(swaps, -1, sums[..., low:high]) for low, high in pairwise(design.first)]
    return np.stack(columns, axis=-1)


def family_reach(design: Design, difference: Floats, alpha: float) -> Floats:
    """Drop [*T] in a design of one stratum that :func:`family_p` finds at ``alpha`` with probability 0.8.

    By Student's t, which a test of swaps falls short of where there are hardly more clusters than it needs; infinite
    there. Of G5's drops 74 to 81 % are found (``docs/gate-truth.md``).
    """
    if design.clusters[0] < fewest(alpha) + SPARE_CLUSTERS:
        return np.full(difference.shape[:-1], np.inf)
    found = estimate(design, difference)
    return _reach(found.df, wobble(design, difference), alpha) * found.se


def g4(pairs: Pairs, policy: Policy) -> Outcome:
    """G4: scores, overall and by family with Holm's correction."""
    return _judge(pairs, policy, "G4", "scores", policy.alpha.scores, policy.alpha.families)


def g7(pairs: Pairs, policy: Policy) -> Outcome:
    """G7: scores beside the last release's, for what creeps below every single merge's notice."""
    return _judge(pairs, policy, "G7", "scores beside the last release", policy.alpha.release, None)


def _judge(pairs: Pairs, policy: Policy, gate: str, title: str, alpha: float, families: float | None) -> Outcome:
    design, difference = pairs.design, pairs.difference()
    scenes = len(difference)
    margin = policy.scores.margin or default_margin(scenes)
    found = compare_scores(design, pairs.before[pairs.counted], pairs.after[pairs.counted], alpha)
    mean, low, high = float(found.estimate.mean), float(found.low), float(found.high)
    few = int(design.clusters.min()) < 2
    state = str(Verdict.INCONCLUSIVE if few else state_of(found.low, found.high, margin))
    figures: dict[str, Any] = {
        "difference": mean,
        "interval": None if few else [low, high],
        "level": 1 - 2 * alpha,
        "standard_error": None if few else float(found.estimate.se),
        "margin": margin,
        "detectable_effect": None if few else _possible(found.failures),
        "detectable_shift": None if few else _possible(found.even),
        "scenes": scenes,
        "clusters": int(design.clusters.sum()),
        "before": float(pairs.before[pairs.counted].mean()),
        "after": float(pairs.after[pairs.counted].mean()),
    }
    details = []
    if few:
        details.append("All scenes are of one cluster: nothing can be said of how clusters differ.")
    if families is not None and not few:
        rows = family_table(design, difference, families)
        figures["families"] = rows
        fell = [r for r in rows if r["p_holm"] <= families]
        if fell:
            state = str(Verdict.REGRESSED)
        details += [
            f"{r['family']}: {r['difference']:+.3f} (p {r['p_holm']:.2g} after Holm), {number_of(r['scenes'], 'scene')}"
            for r in fell
        ]
    if state in (Verdict.INCONCLUSIVE, Verdict.EQUIVALENT) and not few:
        usual_low, usual_high = (np.array(b) for b in _usual(design, difference, alpha, low, high))
        state = str(state_of(usual_low, usual_high, margin))
    interval = "" if few else f" [{low:+.4f}, {high:+.4f}]"
    says = f"{figures['before']:.4f} -> {figures['after']:.4f}: {mean:+.4f}{interval}, margin {margin:.4f}"
    return Outcome(gate, title, state, says, tuple(details), figures)


def _possible(drop: float | Floats) -> float | None:
    """A drop of a mean score, None where it is beyond 1: no drop at all would be found then."""
    return float(drop) if drop <= 1.0 else None


def _usual(design: Design, difference: Floats, alpha: float, low: float, high: float) -> tuple[float, float]:
    """The interval that decides on "equivalent" whatever ``alpha`` is: 95 %, never beyond 0."""
    if math.isclose(2 * alpha, 1 - LEVEL):
        return low, high
    usual_low, usual_high = interval_of(design, difference, LEVEL)
    return min(float(usual_low), 0.0), max(float(usual_high), 0.0)


def family_table(design: Design, difference: Floats, alpha: float) -> list[dict[str, Any]]:
    """A record for every stratum: difference, interval, p value before and after Holm, detectable effect."""
    from scipy.special import stdtrit

    p = family_p(design, difference)
    corrected = holm(p.tolist())
    rows = []
    for h, name in enumerate(design.strata):
        found = estimate(design.one(h), difference[design.members(h)])
        se, df = float(found.se), float(found.df)
        half = float(stdtrit(df, 0.975)) * se
        reach = float(family_reach(design.one(h), difference[design.members(h)], alpha / len(design.strata)))
        known = bool(np.isfinite(se))
        rows.append(
            {
                "family": name,
                "scenes": int(design.scenes[h]),
                "clusters": int(design.clusters[h]),
                "difference": float(found.mean),
                "interval": [float(found.mean) - half, float(found.mean) + half] if known else None,
                "p": float(p[h]),
                "p_holm": corrected[h],
                "detectable_effect": _possible(reach) if known else None,
            }
        )
    return rows
