"""Labels of recorded drives: the fewest things that the expert would have to mind to drive as the human did.

The human's motion from a moment on becomes a plan. The expert is asked about the scene with nothing in it but a few
agents and closed lights: first none, then each one, then each pair. The smallest set with which one of its proposals
drives as the human did, and is nearly as good as the best, explains the human. Where none does, nor the whole scene,
the decision is ``unexplained``. Of the recording's future the ego's own motion alone is looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.planners import Certificate, Choice, fit_controls
from waytrace.scenario import PLAN_KNOTS, REAR_AXLE_TO_CENTRE, LightState, Scenario
from waytrace.scenario.roads import RoadCache
from waytrace.sim import World
from waytrace.trace import Decision

from .asking import Asker
from .from_certificate import Label, Setting, label_choice, own_lane, setting
from .without import only

Array = NDArray[np.float64]

NEEDED_S = 6.0
"""So much of the ego's motion has to be recorded after a moment for the moment to be labelled."""

ALONG_M, ALONG_SHARE, ACROSS_M = 1.5, 0.06, 0.8
"""A proposal drives as the human did where it stays within 1.5 m and 6 % of the way along, and 0.8 m across."""

NEARLY = 0.1
"""A proposal whose score is this much below the best one is nearly as good."""

MOST_CANDIDATES = 6
MOST_TOGETHER = 2


@dataclass(frozen=True, eq=False)
class RecordedMoment:
    """One moment of a recorded drive with its label."""

    tick: int
    """Since the scenario's start step."""
    label: Label
    at: Setting
    explained_by: tuple[Reference, ...] | None
    """The smallest set that explains the human; None for an unexplained decision."""


def label_recorded(scenario: Scenario, *, every_s: float = 1.0, asker: Asker | None = None) -> Iterator[RecordedMoment]:
    """The labels of a recorded drive, one every ``every_s`` seconds.

    Moments after which less than 6 s of the ego's motion is recorded have none, nor has a drive that is no recording.
    """
    if not scenario.recorded:
        return
    asker = asker or Asker()
    roads = RoadCache()
    before: Decision | None = None
    step = max(round(every_s / scenario.dt_s), 1)
    last = scenario.end_step - round(NEEDED_S / scenario.dt_s)
    for now in range(scenario.start_step, last + 1, step):
        found = _at(scenario, now, before, asker, roads)
        if found is not None:
            before = found.label.trace.decision
            yield replace(found, tick=now - scenario.start_step)


def _at(
    scenario: Scenario, now: int, before: Decision | None, asker: Asker, roads: RoadCache
) -> RecordedMoment | None:  # fmt: skip
    """The label of one step; None where the ego is not there all along or no road is in reach."""
    motion = human_motion(scenario, now)
    if motion is None:
        return None
    world = World([scenario.with_(start_step=now)], traffic="replay")
    observation = world.observe()
    scene = observation.scenes[0]
    _, whole = asker.ask(scene, None)
    forecast = asker.expert.forecasts[0]
    if whole is None or forecast is None:
        return None
    at = setting(observation, 0, forecast, roads)
    pose, speed, known = motion
    start = np.array([*pose[0], speed[0]])
    accel, curvature = fit_controls(pose[5::5], speed[5::5], start)
    choice, refs = explain(scene, whole, (pose, known), (accel, curvature), asker)
    plan = replace(choice.plan, producer="log", t0_s=np.asarray((now - scenario.start_step) * scenario.dt_s))
    label = label_choice(
        replace(choice, plan=plan), at, (), 0.0, before, own=own_lane(whole), emergency=whole.emergency
    )
    if refs is None:
        label = replace(label, gate="unexplained")
    return RecordedMoment(now, label, at, refs)


def human_motion(scenario: Scenario, now: int) -> tuple[Array, Array, int] | None:
    """(rear-axle poses [81, 3], speeds [81], how many of them are recorded) from step ``now`` on, each 0.1 s.

    Beyond the recording's end it goes on straight at its last speed. None where the ego is missing in between, or
    too little is recorded.
    """
    agents, i = scenario.agents, scenario.ego_index
    ticks = 5 * PLAN_KNOTS + 1
    known = min(scenario.end_step - now + 1, ticks)
    rows = slice(now, now + known)
    if known < round(NEEDED_S / scenario.dt_s) or not agents.valid[i, rows].all():
        return None
    heading = np.unwrap(agents.heading_rad[i, rows])
    velocity = agents.velocity_mps[i, rows]
    speed = velocity[:, 0] * np.cos(heading) + velocity[:, 1] * np.sin(heading)
    rear = REAR_AXLE_TO_CENTRE * float(agents.size_m[i, 0])
    axle = agents.xy[i, rows] - rear * np.column_stack([np.cos(heading), np.sin(heading)])
    pose = np.zeros((ticks, 3))
    pose[:known, :2], pose[:known, 2] = axle, heading
    more = np.arange(1, ticks - known + 1)[:, None] * scenario.dt_s * max(float(speed[-1]), 0.0)
    pose[known:, :2] = axle[-1] + more * np.array([np.cos(heading[-1]), np.sin(heading[-1])])
    pose[known:, 2] = heading[-1]
    return pose, np.concatenate([speed, np.full(ticks - known, speed[-1])]), known


def explain(
    scene: Scene, whole: Certificate, motion: tuple[Array, int], controls: tuple[Array, Array], asker: Asker
) -> tuple[Choice, tuple[Reference, ...] | None]:
    """The proposal that drives as the human did, and the smallest set of things for which the expert would do so.

    Where nothing explains the human: the proposal of the whole scene that comes nearest, and None.
    """
    candidates = candidates_of(scene, whole)
    for size in range(MOST_TOGETHER + 1):
        best: tuple[float, Choice, tuple[Reference, ...]] | None = None
        for some in itertools.combinations(candidates, size):
            found = _reproduced(only(scene, some), motion, controls, asker)
            if found is not None and (best is None or found[0] < best[0]):
                best = (*found, some)
        if best is not None:
            return best[1], best[2]
    found = _reproduced(scene, motion, controls, asker)
    if found is not None:
        return found[1], tuple(candidates)
    asker.ask(scene, None)
    rollouts = asker.expert.rollouts[0]
    assert rollouts is not None
    nearest = int(np.argmin(_apart(rollouts, *motion).max(1)))
    return asker.expert.as_driven(0, nearest, *controls), None


def candidates_of(scene: Scene, whole: Certificate) -> list[Reference]:
    """What may explain the human: whoever the expert minds, binding things first, then those that bar options."""
    cited = [c.reference for c in sorted(whole.chosen.constraints, key=lambda c: -c.lost_mps) if c.lost_mps > 0.0]
    cited += [r.reference for r in whole.rejected if r.reference is not None]
    agents = [ref for ref in dict.fromkeys(cited) if ref.kind == ReferenceKind.AGENT]
    shut = (LightState.RED, LightState.YELLOW)
    lights = [
        ref for ref in dict.fromkeys(cited)
        if ref.kind == ReferenceKind.LIGHT and LightState(int(scene.light_state[ref.index])) in shut
    ]  # fmt: skip
    return [*lights, *agents][:MOST_CANDIDATES]


def _reproduced(
    scene: Scene, motion: tuple[Array, int], controls: tuple[Array, Array], asker: Asker
) -> tuple[float, Choice] | None:
    """(how far off at worst, the proposal) of the best fitting proposal that drives as the human did in a scene."""
    _, made = asker.ask(scene, None)
    rollouts = asker.expert.rollouts[0]
    if made is None or rollouts is None:
        return None
    off = _apart(rollouts, *motion).max(1)
    considered = made.considered
    good = considered.clean & (considered.score >= made.chosen.score - NEARLY)
    if made.emergency:
        good = considered.score >= made.chosen.score
    off[~good] = np.inf
    j = int(np.argmin(off))
    return (float(off[j]), asker.expert.as_driven(0, j, *controls)) if off[j] <= 1.0 else None


def _apart(rollouts: Array, pose: Array, known: int) -> Array:
    """[J, 2] how far proposals leave the human's motion along and across within 6 s, as shares of what is allowed."""
    rows = slice(5, min(known, round(NEEDED_S * 10.0) + 1), 5)
    delta = rollouts[:, rows, :2] - pose[None, rows, :2]
    h = pose[rows, 2]
    along = delta[..., 0] * np.cos(h) + delta[..., 1] * np.sin(h)
    across = delta[..., 1] * np.cos(h) - delta[..., 0] * np.sin(h)
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(pose[:, :2], axis=0).T))])[rows]
    worst: Array = np.stack(
        [(np.abs(along) / (ALONG_M + ALONG_SHARE * way)).max(1), (np.abs(across) / ACROSS_M).max(1)], -1
    )
    return worst
