"""Whether the gate says the truth: thousands of comparisons in which the truth is known. Writes ``docs/gate-truth.md``.

    python benchmarks/gate_truth.py [--trials 5000] [--parts null ...] [--worlds NAME ...] [--results A B]
                                    [--page docs/gate-truth.md]

The very functions of the gate judge made-up results, many at once. Parts that are done are kept in ``--work`` and not
done again, so that the command can be broken off and repeated. With ``--results`` two real results on one suite are a
population too: whole layouts are drawn from it with replacement. Part ``traces`` has populations of its own. The last
line of standard output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gate_traces import populations, traces
from gate_truth_page import page
from gate_worlds import World, measured, worlds
from waytrace.evaluate.gate.clusters import Design, estimate, resamples, studentised
from waytrace.evaluate.gate.clusters import _redrawn as redrawn
from waytrace.evaluate.gate.exact import holm, sign_flips
from waytrace.evaluate.gate.policy import Alpha
from waytrace.evaluate.gate.scores import compare_scores, default_margin, family_p, interval_of, state_of

PIECE = 250
ALPHA = Alpha()


def main() -> int:
    arguments = _arguments()
    every = worlds()
    if arguments.results:
        every |= measured(*arguments.results)
    every = {name: world for name, world in every.items() if name in (arguments.worlds or every)}
    record: dict[str, dict[str, Any]] = {}
    for part in arguments.parts:
        for name, world in (populations() if part == "traces" else every).items():
            file = arguments.work / f"{part}-{name}-{arguments.trials}.json"
            if not file.exists() and arguments.done:
                continue
            if not file.exists():
                began = time.monotonic()
                found = PARTS[part](world, arguments.trials)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(found))
                print(f"{part} {name}: {found} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
            record.setdefault(part, {})[name] = json.loads(file.read_text())
    if arguments.page:
        arguments.page.write_text(page(record, every, arguments.trials, arguments.results))
    print(json.dumps(record))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=5000)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--worlds", nargs="+", help="populations by name; default: all")
    parser.add_argument("--results", nargs=2, type=Path, help="two real results on one suite, worse planner first")
    parser.add_argument("--work", type=Path, default=Path("out/gate-truth"))
    parser.add_argument("--page", type=Path)
    parser.add_argument("--done", action="store_true", help="only what is kept already: for the page of a part")
    return parser.parse_args()


def _pieces(world: World, trials: int, seed: int) -> Any:
    """Trials in pieces: (random numbers of the piece, how many)."""
    for k in range(0, trials, PIECE):
        yield np.random.default_rng([seed, k, world.seed]), min(PIECE, trials - k)


def null(world: World, trials: int) -> dict[str, float]:
    """No difference: both planners are drawn from one distribution. How often each verdict is given, by which gate."""
    counts = dict.fromkeys(("regressed", "scores", "families", "events", "release", "equivalent", "inconclusive"), 0)
    for rng, count in _pieces(world, trials, 1):
        before, after, release = world.draw(rng, count, 3)
        design = world.design
        found = compare_scores(design, before.scores, after.scores, ALPHA.scores)
        beside = compare_scores(design, release.scores, after.scores, ALPHA.release)
        fell = _fell(design, before, after, found) | {"release": beside.high < 0}
        regressed = np.any(list(fell.values()), axis=0)
        states = state_of(found.low, found.high, default_margin(before.scores.shape[1]))
        for gate, flags in fell.items():
            counts[gate] += int(flags.sum())
        counts["regressed"] += int(regressed.sum())
        counts["equivalent"] += int((~regressed & (states == "equivalent")).sum())
        counts["inconclusive"] += int((~regressed & (states == "inconclusive")).sum())
    return {name: found / trials for name, found in counts.items()}


def _fell(design: Design, before: Any, after: Any, found: Any) -> dict[str, Any]:
    p = family_p(design, after.scores - before.scores)
    net = design.sums(after.events.astype(float) - before.events).astype(int)
    events = np.array([sign_flips(row) <= ALPHA.events / 2 for row in net])
    families = np.array([min(holm(row.tolist())) <= ALPHA.families for row in p])
    return {"scores": found.high < 0, "families": families, "events": events}


def planted(world: World, trials: int) -> dict[str, float]:
    """A drop of what another comparison of the same two planners printed as its smallest detectable effect."""
    kinds = {"evenly": "even", "failures": "failures"}
    found = dict.fromkeys(kinds, 0) | {f"{name}_all_gates": 0 for name in kinds}
    printed: dict[str, list[float]] = {name: [] for name in kinds}
    for rng, count in _pieces(world, trials, 2):
        before, after = world.draw(rng, count, 2)
        said = compare_scores(world.design, before.scores, after.scores, ALPHA.scores)
        for name, field in kinds.items():
            drop = getattr(said, field)
            printed[name] += drop.tolist()
            fresh, lower = world.draw(rng, count, 2)
            lower = lower.dropped(drop, name, rng)
            now = compare_scores(world.design, fresh.scores, lower.scores, ALPHA.scores)
            fell = _fell(world.design, fresh, lower, now)
            found[name] += int(fell["scores"].sum())
            found[f"{name}_all_gates"] += int(np.any(list(fell.values()), axis=0).sum())
    shares = {name: hits / trials for name, hits in found.items()}
    return shares | {f"{name}_effect": float(np.mean(drop)) for name, drop in printed.items()}


def coverage(world: World, trials: int) -> dict[str, float]:
    """How often the interval holds the true difference, where there is one; also by other methods, and by family."""
    names = ("as decided", "bootstrap-t", "student", "percentile")
    hits = dict.fromkeys(names, 0)
    below = above = 0
    family = np.zeros(len(world.design.strata))
    draws = list(resamples(world.design))
    for rng, count in _pieces(world, trials, 3):
        before, after, truth, truths = world.differing(rng, count)
        difference = after - before
        found = estimate(world.design, difference)
        bounds = {
            "as decided": interval_of(world.design, difference, 0.95),
            "bootstrap-t": studentised(world.design, difference),
            "student": _student(found),
            "percentile": tuple(
                np.quantile(redrawn(world.design, world.design.sums(difference), draws)[0], [0.025, 0.975], axis=0)
            ),
        }
        for name, (low, high) in bounds.items():
            hits[name] += int(((low <= truth) & (truth <= high)).sum())
        low, high = bounds["as decided"]
        below, above = below + int((high < truth).sum()), above + int((low > truth).sum())
        for h in range(len(family)):
            one = estimate(world.design.one(h), difference[:, world.design.members(h)])
            low, high = _student(one)
            family[h] += ((low <= truths[h]) & (truths[h] <= high)).sum()
    shares: dict[str, float] = {name: count / trials for name, count in hits.items()}
    shares |= {"too_low": below / trials, "too_high": above / trials}
    rates = family / trials
    return shares | {
        "family_least": float(rates.min()), "family_median": float(np.median(rates)), "family_most": float(rates.max())
    }  # fmt: skip


def _student(found: Any) -> tuple[Any, Any]:
    from scipy.special import stdtrit

    half = stdtrit(found.df, 0.975) * found.se
    return found.mean - half, found.mean + half


PARTS: dict[str, Callable[[Any, int], Any]] = {
    "null": null, "planted": planted, "coverage": coverage, "traces": traces
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
