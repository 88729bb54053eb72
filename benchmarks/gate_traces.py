"""G5 on made-up traces, for ``gate_truth.py``: how often it errs and how often it finds what it names, by layouts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.evaluate.gate.clusters import Design, design
from waytrace.evaluate.gate.exact import holm
from waytrace.evaluate.gate.policy import Alpha
from waytrace.evaluate.gate.said import FIGURES
from waytrace.evaluate.gate.scores import family_p, family_reach

Floats = NDArray[np.float64]
ALPHA = Alpha().traces
HOLDS = 0.95
"""How often a claim holds, in the mean over layouts."""


@dataclass(frozen=True)
class Traced:
    """A population of scenes with traces: some layouts of two scenes, so many claims a scene for each figure."""

    layouts: int
    claims: int

    @property
    def design(self) -> Design:
        """As G5 has it: one stratum."""
        scenes = 2 * self.layouts
        return design(["all"] * scenes, [f"{k // 2:04d}" for k in range(scenes)])

    def shares(self, rng: np.random.Generator, trials: int) -> tuple[Floats, Floats]:
        """Shares of claims that hold [figures, trials, scenes] of two equal planners.

        How often a claim holds differs from layout to layout (beta), for each planner in its own way.
        """
        drawn = []
        for _ in range(2):
            odds = rng.beta(20 * HOLDS, 20 * (1 - HOLDS), (len(FIGURES), trials, self.layouts))
            drawn.append(rng.binomial(self.claims, np.repeat(odds, 2, axis=-1)) / self.claims)
        return drawn[0], drawn[1]


def populations() -> dict[str, Traced]:
    """By numbers of layouts and of claims."""
    return {f"{k} layouts, {c} claims": Traced(k, c) for c in (6, 40) for k in (2, 6, 13, 20, 60)}


def traces(world: Traced, trials: int) -> dict[str, float | None]:
    """Shares of trials: equal planners called regressed; a drop of the printed size in the first figure found.

    The drop is what another comparison of the same planners printed; None where it prints none in any trial.
    """
    rng = np.random.default_rng([4, world.layouts, world.claims])
    of = world.design
    before, after = world.shares(rng, trials)
    regressed = _fell(of, after - before)
    drop = family_reach(of, after[0] - before[0], ALPHA / len(FIGURES))
    named = np.isfinite(drop) & (drop <= 1.0)
    out: dict[str, float | None] = {"regressed": float(regressed.mean()), "named": float(named.mean())}
    if not named.any():
        return out | {"found": None, "effect": None}
    fresh, lower = world.shares(rng, trials)
    lower[0] -= np.where(named, drop, 0.0)[:, None]
    found = _fell(of, lower - fresh)
    return out | {"found": float(found[named].mean()), "effect": float(drop[named].mean())}


def _fell(of: Design, difference: Floats) -> NDArray[np.bool_]:
    """[trials] whether any figure falls, after Holm."""
    p = np.stack([family_p(of, figure)[..., 0] for figure in difference], axis=-1)
    return np.array([min(holm(row.tolist())) <= ALPHA for row in p])
