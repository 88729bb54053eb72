"""Verdicts do not depend on where the world lies, how it is turned, or in which order its agents are listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.planners import make
from waytrace.scenario import Agents, Plan, Scenario, transformed
from waytrace.sim import World
from waytrace.trace import Present, Trace, Verdict, compose
from waytrace.trace.check import check
from waytrace.trace.measure import measure, motion, relations, summary

FAMILIES = ("cut-in", "red-light", "pedestrian-occluded", "unprotected-left", "parked-car", "merge")


def moments(scenario: Scenario) -> tuple[Scene, Plan]:
    """The first scene and what a driver model plans in it."""
    planner = make("idm")
    planner.reset([scenario.id])
    observation = World([scenario]).observe()
    plan, _, _ = planner.plan(observation, None)
    return observation.scenes[0], plan[0]


def a_trace(scene: Scene, seed: int) -> Trace:
    """Anything that the grammar allows."""
    rng = np.random.default_rng(seed)
    return compose(Present.of_scene(scene), lambda ask: int(rng.choice(np.flatnonzero(ask.legal))))


def values(verdicts: tuple[Verdict, ...]) -> dict[str, str]:
    return {v.claim: v.value for v in verdicts if v.kind == "present"}


def near(verdicts: tuple[Verdict, ...]) -> set[str]:
    """Claims so near to turning that rounding decides."""
    return {v.claim for v in verdicts if abs(v.slack) < 1e-3}


def moved_plan(plan: Plan, move: tuple[float, float, float]) -> Plan:
    c, s = np.cos(move[2]), np.sin(move[2])

    def turn(rows: np.ndarray) -> np.ndarray:
        out = rows.copy()
        out[..., 0] = c * rows[..., 0] - s * rows[..., 1] + move[0]
        out[..., 1] = s * rows[..., 0] + c * rows[..., 1] + move[1]
        out[..., 2] += move[2]
        return out

    return replace(plan, start=turn(plan.start), waypoints=turn(plan.waypoints))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("move", [(1000.0, -700.0, 0.0), (0.0, 0.0, 2.1), (-300.0, 40.0, -1.0)])
def test_moving_and_turning_the_world_changes_no_verdict(family: str, move: tuple[float, float, float]) -> None:
    scenario = generate(family, 1)
    scene, plan = moments(scenario)
    other = World([transformed(scenario, move)]).observe().scenes[0]
    for seed in range(6):
        trace = a_trace(scene, seed)
        first, second = check(trace, scene, plan), check(trace, other, moved_plan(plan, move))
        sure = set(values(first)) - near(first) - near(second)
        assert {c: values(first)[c] for c in sure} == {c: values(second)[c] for c in sure}
        assert len(sure) > 0.8 * len(values(first))


def reordered(scenario: Scenario, order: np.ndarray) -> Scenario:
    """The same agents in another order."""
    a = scenario.agents
    new = {int(old): k for k, old in enumerate(order)}
    agents = Agents(
        tuple(a.agent_id[i] for i in order), a.kind[order], a.size_m[order], a.xy[order], a.heading_rad[order],
        a.velocity_mps[order], a.valid[order],
    )  # fmt: skip
    routes = tuple(scenario.agent_route[i] for i in order) if scenario.agent_route else ()
    scripts = tuple(replace(s, agent=new[s.agent]) for s in scenario.scripts)
    assertive = None if scenario.assertive is None else scenario.assertive[order]
    return scenario.with_(
        agents=agents, ego_index=new[scenario.ego_index], agent_route=routes, scripts=scripts, assertive=assertive
    )


def things(scene: Scene) -> Iterator[Reference]:
    yield from (Reference(ReferenceKind.AGENT, int(i)) for i in scene.agents.index)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_order_of_the_agents_changes_no_verdict(family: str) -> None:
    scenario = generate(family, 2)
    order = np.random.default_rng(0).permutation(len(scenario.agents))
    new = {int(old): k for k, old in enumerate(order)}
    one, other = moments(scenario)[0], moments(reordered(scenario, order))[0]
    first, second = measure(one), measure(other)
    assert summary(first) == summary(second)
    for ref in things(one):
        again = Reference(ref.kind, new[ref.index])
        assert {(r.relation, r.value) for r in relations(first, ref)} == {
            (r.relation, r.value) for r in relations(second, again)
        }
        assert motion(first, ref) == motion(second, again)
        assert first.gap_m(ref) == pytest.approx(second.gap_m(again))
