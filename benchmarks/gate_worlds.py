"""Populations of scenes with a known truth, for ``gate_truth.py``: made up, and drawn from real results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.evaluate import load_result
from waytrace.evaluate.gate.clusters import Design, design

Floats = NDArray[np.float64]
FAMILIES = 18
"""As suite ``pr``."""
LONG_RUN = 60
"""Times 500 trials that the true difference is the mean of."""


@dataclass(frozen=True)
class Draw:
    """Results of one planner: scores and events [trials, scenes]."""

    scores: Floats
    events: NDArray[np.bool_]

    def dropped(self, drop: Floats, kind: str, rng: np.random.Generator) -> Draw:
        """Lower by ``drop`` [trials] in the mean: the same everywhere, or as scenes that fail outright."""
        if kind == "evenly":
            return replace(self, scores=self.scores - drop[:, None])
        share = drop / self.scores.mean(axis=1)
        fails = rng.random(self.scores.shape) < share[:, None]
        return replace(self, scores=np.where(fails, 0.0, self.scores))


@dataclass(frozen=True)
class World:
    """A population: how scenes stand together, and how results are drawn."""

    about: str
    seed: int
    design: Design
    draw: Callable[[np.random.Generator, int, int], list[Draw]]
    """(random numbers, trials, planners): results of so many equal planners on the same scenes."""
    differing: Callable[[np.random.Generator, int], tuple[Floats, Floats, float, Floats]]
    """(before, after, true difference of the means, and that of every family): planners that do differ."""


def worlds() -> dict[str, World]:
    """The made-up ones: two numbers of layouts a family, layouts of equal and of very different size, rare failures."""
    return {
        "15 layouts": _made("18 families, 15 layouts each of 2 scenes", 15, 1),
        "50 layouts": _made("18 families, 50 layouts each of 2 scenes", 50, 2),
        "15 uneven": _made("18 families, 15 layouts each of 1 to 6 scenes", 15, 3, sizes=_one_to_six),
        "3 layouts": _made("18 families, 3 layouts each of 2 scenes", 3, 4),
        "5 families": _made("5 families, 15 layouts each of 2 scenes", 15, 5, families=5),
        "rare": _made("as the first, a drive in 500 fails", 15, 6, failing=0.002),
        "one large": _made("as the first, but one layout of each family has 40 scenes", 15, 9, sizes=_one_large),
        "few large": _made("3 families, 10 layouts each, most of 1 or 2 scenes, some of up to 60", 10, 10, families=3,
                           sizes=_few_large),
        "2 layouts": _terms("18 families, 2 layouts each of 1 scene, that lose a whole term or do not", 2, 1, 11),
        "15, terms": _terms("as the last, 15 layouts each of 2 scenes", 15, 2, 12),
        "few differ": _few("as the first, but only in some 8 layouts of 270 does anything go differently", 15, 7),
        "few matter": _few("as the last, but every scene's score differs by some 0.001 besides", 15, 8, noise=0.001),
    }  # fmt: skip


Sizes = Callable[[np.random.Generator, int], NDArray[np.int64]]
"""(random numbers, layouts of a family): how many scenes each has."""


def _two(_: np.random.Generator, clusters: int) -> NDArray[np.int64]:
    return np.full(clusters, 2)


def _one_to_six(rng: np.random.Generator, clusters: int) -> NDArray[np.int64]:
    return rng.integers(1, 7, clusters)


def _one_large(_: np.random.Generator, clusters: int) -> NDArray[np.int64]:
    return np.where(np.arange(clusters) == 0, 40, 2)


def _few_large(rng: np.random.Generator, clusters: int) -> NDArray[np.int64]:
    """As road sections of recorded drives: a Pareto distribution."""
    return np.minimum(60, 1 + rng.pareto(1.0, clusters)).astype(np.int64)


def _terms(about: str, clusters: int, size: int, seed: int, losing: float = 0.2) -> World:
    """A planner loses comfort (2 of 16 parts) in a whole layout with that chance, and has all else everywhere."""
    layouts = FAMILIES * clusters
    of = design(
        np.repeat([f"f{k:03d}" for k in range(FAMILIES)], clusters * size).tolist(),
        np.char.zfill(np.repeat(np.arange(layouts), size).astype(str), 5).tolist(),
    )

    def drive(rng: np.random.Generator, trials: int, chance: float) -> Draw:
        loses = np.repeat(rng.random((trials, layouts)) < chance, size, axis=1)
        return Draw(np.where(loses, 0.875, 1.0), np.zeros(loses.shape, dtype=bool))

    def draw(rng: np.random.Generator, trials: int, planners: int) -> list[Draw]:
        return [drive(rng, trials, losing) for _ in range(planners)]

    def differing(rng: np.random.Generator, trials: int) -> tuple[Floats, Floats, float, Floats]:
        before, after = (drive(rng, trials, chance).scores for chance in (losing, 3 * losing))
        truth = -0.125 * 2 * losing
        return before, after, truth, np.full(FAMILIES, truth)

    return World(about, seed, of, draw, differing)


def _few(about: str, clusters: int, seed: int, leaving: float = 0.015, noise: float = 0.0) -> World:
    """Two versions of one planner, alike but for ``noise`` in all but few layouts: there, with that chance, a version
    does worse than the other by something (gamma, shape 1/2, mean 0.1) in each scene, and fails three times in ten.
    """
    size = 2
    of = design(
        np.repeat([f"f{k:03d}" for k in range(FAMILIES)], clusters * size).tolist(),
        np.char.zfill(np.repeat(np.arange(FAMILIES * clusters), size).astype(str), 5).tolist(),
    )
    layouts = FAMILIES * clusters
    level = np.repeat(np.random.default_rng(seed).uniform(0.75, 0.97, FAMILIES), clusters * size)

    def drive(rng: np.random.Generator, trials: int, chances: list[float]) -> list[Draw]:
        found = []
        for chance in chances:
            leaves = np.repeat(rng.random((trials, layouts)) < chance, size, axis=1)
            fails = leaves & (rng.random(leaves.shape) < 0.3)
            lower = np.maximum(level - rng.gamma(0.5, 0.2, leaves.shape), 0.0)
            usual = level + noise * rng.standard_normal(leaves.shape) if noise else level
            found.append(Draw(np.where(fails, 0.0, np.where(leaves, lower, usual)), fails))
        return found

    def draw(rng: np.random.Generator, trials: int, planners: int) -> list[Draw]:
        return drive(rng, trials, [leaving] * planners)

    unlike = [leaving, 3.0 * leaving]
    truth = _long_run(lambda r: drive(r, 500, unlike), of, seed)

    def differing(rng: np.random.Generator, trials: int) -> tuple[Floats, Floats, float, Floats]:
        before, after = drive(rng, trials, unlike)
        return before.scores, after.scores, float(truth @ of.weight), truth

    return World(about, seed, of, draw, differing)


def _made(
    about: str, clusters: int, seed: int, *, families: int = FAMILIES, sizes: Sizes = _two, failing: float = 0.03
) -> World:
    """Scores are a family's level, less what a layout costs whoever drives, less what it costs this planner, less what
    the drive costs; and 0 where it fails. How often a planner fails differs from layout to layout (gamma, shape 1/2),
    so that failures come together. The mean over layouts is the same for all planners.
    """
    rng = np.random.default_rng(seed)
    scenes = np.tile(sizes(rng, clusters), families)
    stratum = np.repeat(np.arange(families), clusters)
    of = design(
        np.char.add("f", np.char.zfill(np.repeat(stratum, scenes).astype(str), 3)).tolist(),
        np.char.zfill(np.repeat(np.arange(len(scenes)), scenes).astype(str), 5).tolist(),
    )
    level = rng.uniform(0.75, 0.97, families)
    scene = np.repeat(np.arange(len(scenes)), scenes)
    n = scenes.sum()

    def drive(rng: np.random.Generator, trials: int, planners: list[tuple[float, float]]) -> list[Draw]:
        """One draw a planner, which is (how often a drive fails, how dear a layout is to it)."""
        layout = rng.gamma(1.0, 0.04, (trials, len(scenes)))
        found = []
        for rate, cost in planners:
            own = rng.gamma(0.5, 0.02 * cost, (trials, len(scenes)))
            score = level[stratum[scene]] - (layout + own)[:, scene] - rng.gamma(0.5, 0.04, (trials, n))
            chance = rng.gamma(0.5, 2.0 * rate, (trials, len(scenes)))
            fails = rng.random((trials, n)) < np.minimum(chance, 1.0)[:, scene]
            found.append(Draw(np.where(fails, 0.0, np.maximum(score, 0.0)), fails & (rng.random((trials, n)) < 0.5)))
        return found

    def draw(rng: np.random.Generator, trials: int, planners: int) -> list[Draw]:
        return drive(rng, trials, [(failing, 1.0)] * planners)

    truths: list[Floats] = []

    def differing(rng: np.random.Generator, trials: int) -> tuple[Floats, Floats, float, Floats]:
        unlike = [(failing, 1.0), (3 * failing, 3.0)]
        if not truths:
            truths.append(_long_run(lambda r: drive(r, 500, unlike), of, seed))
        before, after = drive(rng, trials, unlike)
        return before.scores, after.scores, float(truths[0] @ of.weight), truths[0]

    return World(about, seed, of, draw, differing)


def _long_run(drives: Callable[[np.random.Generator], list[Draw]], of: Design, seed: int) -> Floats:
    """True differences [families]: the mean of so many draws that their error is nothing beside one comparison's."""
    rng = np.random.default_rng([seed, 99])
    gaps = []
    for _ in range(LONG_RUN):
        before, after = drives(rng)
        gap = after.scores - before.scores
        gaps.append([gap[:, of.members(h)].mean() for h in range(len(of.strata))])
    return np.asarray(np.mean(gaps, axis=0))


def measured(worse: Path, better: Path) -> dict[str, World]:
    """Real results on one suite as the population: whole layouts are drawn from each family's with replacement.

    "No difference" is made of a real pair by swapping the two planners in every layout by a fair coin.
    """
    rows = [{row["id"]: row for row in load_result(path).meta["scenarios"]} for path in (worse, better)]
    ids = sorted(rows[0])
    family, layout = (np.array([rows[0][i][key] for i in ids]) for key in ("family", "cluster"))
    pair = np.stack([[r[i]["score"] for i in ids] for r in rows])
    hit = np.stack([[(r[i]["figures"]["at_fault"] or 0) > 0 for i in ids] for r in rows])
    names = np.unique(family)
    pools = [[np.flatnonzero((family == f) & (layout == c)) for c in np.unique(layout[family == f])] for f in names]
    who = " and ".join(str(load_result(path).meta["planner"]) for path in (worse, better))
    return {
        f"pr, {k} layouts": _real(
            f"{who} on suite pr, {k} layouts a family drawn from there", k, names, pools, pair, hit
        )
        for k in (15, 50)
    }


def _real(about: str, clusters: int, names: Any, pools: list[list[NDArray[np.int64]]], pair: Floats, hit: Any) -> World:
    """Two scenes are drawn of each drawn layout, so that all trials have one design."""
    size, families = 2, len(names)
    of = design(
        np.repeat(names, clusters * size).tolist(),
        np.char.zfill(np.repeat(np.arange(families * clusters), size).astype(str), 5).tolist(),
    )
    true = np.array([np.mean([(pair[0] - pair[1])[c].mean() for c in pool]) for pool in pools])

    def places(rng: np.random.Generator, trials: int) -> NDArray[np.int64]:
        parts = []
        for pool in pools:
            length = np.array([len(c) for c in pool])
            table = np.stack([np.resize(c, length.max()) for c in pool])
            pick = rng.integers(len(pool), size=(trials, clusters, 1))
            within = (rng.random((trials, clusters, size)) * length[pick]).astype(int)
            parts.append(table[pick, within].reshape(trials, -1))
        return np.concatenate(parts, axis=1)

    def differing(rng: np.random.Generator, trials: int) -> tuple[Floats, Floats, float, Floats]:
        at = places(rng, trials)
        return pair[1][at], pair[0][at], float(true.mean()), true

    def draw(rng: np.random.Generator, trials: int, planners: int) -> list[Draw]:
        at = places(rng, trials)
        coins = np.repeat(rng.random((trials, families * clusters)) < 0.5, size, axis=1)
        found = []
        for k in range(planners):
            # The second is the other planner in every layout; a third is drawn by coins of its own.
            swap = (coins, ~coins)[k] if k < 2 else rng.random(coins.shape) < 0.5
            found.append(Draw(np.where(swap, pair[0][at], pair[1][at]), np.where(swap, hit[0][at], hit[1][at])))
        return found

    return World(about, clusters, of, draw, differing)
