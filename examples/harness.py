"""Scenarios, metrics and a gate in one file: `python examples/harness.py [CANDIDATE [BASELINE [COUNT]]]`.

The atoms of `waytrace eval` and `waytrace gate`, to be read from top to bottom. What it leaves out: worker processes,
resuming, the oracle (progress is beside the baseline's own), six of the score's nine terms, traces, latency, policies,
the bootstrap (Student's t over layouts instead), Holm over families.
"""

import sys
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from waytrace.catalogue import generate_many
from waytrace.planners import make
from waytrace.score import score_rollout
from waytrace.sim import World

REPLAN_TICKS = 5  # a plan every 0.5 s; the simulator ticks every 0.1 s
ALPHA, POWER = 0.025, 0.8


# -- scenarios: closed loop -------------------------------------------------------------------------------------------


def drive(planner, scenarios):
    """One rollout a scenario. All drive together; between two plans the held one is tracked."""
    world = World(scenarios, traffic="reactive", seed=0)
    planner.reset([s.id for s in scenarios])
    state = None
    while world.active.any():
        plan, _, state = planner.plan(world.observe(), state)
        world.step_plans(plan, ticks=REPLAN_TICKS)
    return world.rollouts(planner.name)


# -- metrics: one row a scene, never only means -----------------------------------------------------------------------


@dataclass
class Row:
    """How one scene went."""

    scene: str
    family: str
    layout: str
    collision: bool
    progress_m: float
    safe: float  # product of: no collision at fault, on the road, right way, no red light
    smooth: float  # mean of: time to collision, speed limit, comfort


def rows(planner, scenarios):
    """Every scene judged from its rollout alone."""
    found = []
    for scenario, rollout in zip(scenarios, drive(planner, scenarios), strict=True):
        judged = score_rollout(scenario, rollout, None)  # None: no oracle, so neither EP nor MP
        safe = np.prod([judged.terms.get(name, 1.0) for name in ("NC", "DAC", "DDC", "TLC")])
        smooth = np.mean([judged.terms.get(name, 1.0) for name in ("TTC", "SL", "C")])
        found.append(
            Row(
                scenario.id,
                scenario.family,
                scenario.cluster,
                judged.figures["at_fault"] > 0,
                judged.figures["progress_m"],
                float(safe),
                float(smooth),
            )
        )
    return found


def scores(mine, reference):
    """In [0, 1]: safety times the mean of smoothness and progress, which is measured beside ``reference``."""
    reached = [min(1.0, max(a.progress_m, 2.0) / max(b.progress_m, 2.0)) for a, b in zip(mine, reference, strict=True)]
    return np.array([a.safe * (a.smooth + r) / 2 for a, r in zip(mine, reached, strict=True)])


# -- gate: paired, stratified by family, clustered by layout ----------------------------------------------------------


def mean_and_error(difference, families, layouts):
    """(mean, standard error, degrees of freedom) of paired differences: scenes of one layout are one piece of news."""
    variance, spread = 0.0, 0.0
    for family in np.unique(families):
        at = families == family
        residual = difference[at] - difference[at].mean()
        names, size = np.unique(layouts[at], return_counts=True)
        if len(names) < 2:
            raise SystemExit(f"family {family} has one layout: nothing can be said of how layouts differ")
        sums = np.array([residual[layouts[at] == layout].sum() for layout in names])
        left_out = sums / (1 - size / size.sum())  # what leaving a layout out does to the mean: the jackknife
        share = (len(names) - 1) / len(names) * (left_out**2).sum() / len(difference) ** 2
        freedom = max((size**2).sum() ** 2 / (size**4).sum() - 1, 1.0)  # a layout of most scenes is one layout
        variance, spread = variance + share, spread + share**2 / freedom
    return difference.mean(), np.sqrt(variance), max(variance**2 / spread, 1.0) if spread else 1.0


def gate(after, before, families, layouts, margin):
    """(verdict, difference, interval, smallest detectable effect). A missing scene is an error, never left out."""
    if len(after) != len(before):
        raise SystemExit(f"{len(before)} scenes before, {len(after)} now: evaluate them all")
    mean, error, df = mean_and_error(after - before, families, layouts)
    low, high = mean - stdtrit(df, 1 - ALPHA) * error, mean + stdtrit(df, 1 - ALPHA) * error
    effect = (stdtrit(df, 1 - ALPHA) + stdtrit(df, POWER)) * error
    if high < 0:
        verdict = "regressed"
    elif low > 0:
        verdict = "improved"
    else:
        verdict = "equivalent" if -margin <= low and high <= margin else "inconclusive"
    return verdict, mean, (low, high), effect


def flipped(after, before):
    """Exact one-sided McNemar: chance of as many new collisions, were new and gone ones as likely."""
    new = sum(a.collision and not b.collision for a, b in zip(after, before, strict=True))
    gone = sum(b.collision and not a.collision for a, b in zip(after, before, strict=True))
    row = np.array([1.0])
    for _ in range(new + gone):
        row = np.convolve(row, [0.5, 0.5])  # the binomial distribution, coin by coin
    return new, gone, float(row[new:].sum())


def main(candidate="idm", baseline="expert", count=40):
    """Evaluate both on the same scenes, print what differs, end with 0 or 1 for a merge to wait for."""
    scenarios = list(generate_many(int(count), split="select"))
    before, after = rows(make(baseline), scenarios), rows(make(candidate), scenarios)
    old, new = scores(before, before), scores(after, before)
    families, layouts = (np.array([getattr(r, key) for r in before]) for key in ("family", "layout"))
    alone = [f for f in np.unique(families) if len(np.unique(layouts[families == f])) < 2]
    families[np.isin(families, alone)] = "others"
    verdict, mean, (low, high), effect = gate(new, old, families, layouts, margin=0.62 / np.sqrt(len(old)))
    for a, b, x, y in zip(after, before, new, old, strict=True):
        if a.collision != b.collision or abs(x - y) > 0.2:
            print(f"{a.scene:44} {y:.2f} -> {x:.2f}{' NEW COLLISION' * (a.collision and not b.collision)}")
    more, fewer, p = flipped(after, before)
    print(f"collisions: {more} new, {fewer} gone, p {p:.2g}")
    print(f"score {old.mean():.3f} -> {new.mean():.3f}: {mean:+.3f} [{low:+.3f}, {high:+.3f}]")
    print(f"smallest detectable effect: {effect:.3f}")
    fell = verdict in ("regressed", "inconclusive") or p <= 0.005
    print(f"verdict: {'regressed' if p <= 0.005 else verdict}")
    return int(fell)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
