"""Milliseconds that the kinematic check of one trace takes, its share of measuring the scene included.

Scenes are those of the expert's drives through generated scenarios of split `train`; traces are random ones that the
grammar allows (every list full) and what a short labeller says. Checked first: the same verdicts come out for a scene
that was rebuilt from the rollout. Usage: ``python benchmarks/checking.py [--quick]``; the last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

import numpy as np

from waytrace.catalogue import generate
from waytrace.observe import Scene, scenes_of
from waytrace.planners import Expert
from waytrace.scenario import Plan
from waytrace.sim import World
from waytrace.trace import Decision, PlanClaim, Present, Segment, Trace, compose, sets
from waytrace.trace.check import check
from waytrace.trace.measure import measure, motion, relations, summary
from waytrace.trace.types import Entity

FAMILIES = ("red-light", "merge", "cut-in", "unprotected-left", "dense-lane-change", "pedestrian-occluded", "work-zone")
DECISIONS = 20


def drive(family: str, seed: int) -> list[tuple[Scene, Plan, Scene]]:
    """(scene, plan, the scene rebuilt from the rollout) of every decision of a drive."""
    scenario = generate(family, seed)
    world, expert, state = World([scenario]), Expert(), None
    expert.reset([scenario.id])
    found = []
    for _ in range(DECISIONS):
        observation = world.observe()
        plan, _, state = expert.plan(observation, state)
        found.append((observation.scenes[0], plan[0]))
        world.step_plans(plan)
    again = dict(scenes_of(scenario, [scene.tick for scene, _ in found], world.rollouts()[0]))
    return [(scene, plan, again[scene.tick]) for scene, plan in found]


def full(scene: Scene, seed: int) -> Trace:
    """A random trace whose lists are as long as they may be."""
    rng = np.random.default_rng(seed)

    def choose(ask: object) -> int:
        legal = np.flatnonzero(ask.legal)  # type: ignore[attr-defined]
        end = len(ask.legal) - 1  # type: ignore[attr-defined]
        more = legal[legal != end] if ask.slot.name.endswith("ref") and len(legal) > 1 else legal  # type: ignore[attr-defined]
        return int(rng.choice(more))

    return compose(Present.of_scene(scene), choose)


def short(scene: Scene, plan: Plan) -> Trace:
    """What is so of the nearest things that something can be said of, and a free drive."""
    measured, entities = measure(scene), []
    for ref in scene.elements():
        held = [r.relation for r in relations(measured, ref) if r.value == "true"]
        gap = measured.gap_m(ref, held[0]) if held else np.nan
        if held and np.isfinite(gap) and len(entities) < sets.MOST_ENTITIES:
            kind = ref.kind.name.lower()
            entities.append(Entity(ref, "vehicle" if kind == "agent" else kind, held[0], sets.GAP.number(gap),
                                   motion(measured, ref)))  # fmt: skip
    speed = sets.TARGET_SPEED.number(max(float(plan.waypoints[-1, 3]), 0.0))
    claim = PlanClaim(speed, 13, None, (Segment("8", "maintain", "keep_lane"),))
    return Trace(summary(measured), tuple(entities), (), Decision("set_speed", "keep", "no", (), (), 3), claim)


def forget() -> None:
    """Let no scene be known as measured."""
    from waytrace.trace.measure import measured as kept

    kept._MEASURED.clear()


def times_ms(run: Callable[[int], object], count: int, *, cold: bool) -> np.ndarray:
    """Milliseconds of each call; unless ``cold``, of a second one on the same scene."""
    out = np.zeros(count)
    for i in range(count):
        forget()
        if not cold:
            run(i)
        begin = time.perf_counter()
        run(i)
        out[i] = 1e3 * (time.perf_counter() - begin)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two drives, one repetition")
    quick = parser.parse_args().quick
    families = FAMILIES[:2] if quick else FAMILIES
    moments = [moment for family in families for moment in drive(family, 0)]
    for scene, plan, again in moments:
        trace = full(scene, scene.tick)
        if [v.value for v in check(trace, scene, plan)] != [v.value for v in check(trace, again, plan)]:
            sys.exit(f"checking: the rebuilt scene of tick {scene.tick} of {scene.scenario_id} gets other verdicts")
    traces = {
        "short": [short(scene, plan) for scene, plan, _ in moments],
        "full": [full(scene, i) for i, (scene, _, _) in enumerate(moments)],
    }
    found: dict[str, list[float]] = {}
    for _ in range(1 if quick else 5):  # the arms take turns
        for name, said in traces.items():
            for cold in (True, False):

                def run(i: int, said: list[Trace] = said) -> object:
                    return check(said[i], moments[i][0], moments[i][1])

                key = f"{name}_{'cold' if cold else 'measured'}_ms"
                found.setdefault(key, []).append(float(np.median(times_ms(run, len(moments), cold=cold))))
        found.setdefault("measure_ms", []).append(
            float(np.median(times_ms(lambda i: measure(moments[i][0]).conflicts, len(moments), cold=True)))
        )
    claims = {name: float(np.mean([len(check(t, *moments[i][:2])) for i, t in enumerate(said)]))
              for name, said in traces.items()}  # fmt: skip
    print(f"{len(moments)} scenes of {len(families)} families; median over scenes, median (range) over repetitions")
    for key, values in found.items():
        print(f"  {key:<20} {np.median(values):.2f} ({min(values):.2f} to {max(values):.2f})")
    figures = {key: round(float(np.median(values)), 3) for key, values in found.items()}
    print(json.dumps({"scenes": len(moments), **figures, "claims": claims, "limit_ms": 2.0}))


if __name__ == "__main__":
    main()
