"""Who drives while the expert is asked: the expert off its course, or a planner that is to learn.

A planner that has seen nothing but the expert's own drives does not know the way back to them (Ross, Gordon and Bagnell
2011, https://arxiv.org/abs/1011.0686). So the states come from drives that leave the expert's course, by noise (as in
DART, Laskey et al. 2017, https://arxiv.org/abs/1703.09327) or by a learner's own mistakes, and the labels from the
expert at each of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_overlap, corners
from waytrace.observe import Observation
from waytrace.planners import make_plan
from waytrace.scenario import ACCEL_RANGE_MPS2, CURVATURE_RANGE_1PM, Plan, Scenario
from waytrace.scenario.index import compile_maps
from waytrace.scenario.lanes import off_drivable
from waytrace.trace import Trace

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """How far the expert is taken off its course."""

    share: float = 0.18
    """Probability that a decision without noise begins some."""
    accel_mps2: float = 1.2
    """Standard deviation of what is added to the acceleration."""
    lateral_mps2: float = 0.8
    """The same of the lateral acceleration, held as a curvature."""
    decisions: tuple[int, int] = (1, 3)
    """Fewest and most decisions (0.5 s each) that it is held for."""
    across_m: float = 0.45
    """Standard deviation of the start's offset to the side; cut at three of them, like the others."""
    turned_rad: float = 0.035
    speed_share: float = 0.12


def generator(*parts: object) -> np.random.Generator:
    """Random numbers that depend on these parts alone."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


class Perturbed:
    """The expert, whose plans are driven with an acceleration and a curvature added for 0.5 to 1.5 s now and then."""

    def __init__(self, noise: Noise, random: np.random.Generator) -> None:
        self.noise, self._random = noise, random
        self._left, self._accel, self._lateral = 0, 0.0, 0.0

    def drive(self, observation: Observation, asked: Plan, said: Trace | None) -> tuple[Plan, Trace | None]:
        """The expert's plan, more or less; its decision stands."""
        noise, random = self.noise, self._random
        begins, how_long = random.random() < noise.share, int(random.integers(*noise.decisions, endpoint=True))
        accel, lateral = random.standard_normal(2).clip(-3.0, 3.0) * (noise.accel_mps2, noise.lateral_mps2)
        if self._left > 0:
            self._left -= 1
        elif begins:
            self._left, self._accel, self._lateral = how_long - 1, float(accel), float(lateral)
        else:
            return asked, said
        first = slice(0, 1 + self._left)
        speed = np.maximum(asked.start[:, 3:], 4.0)
        added, bent = asked.accel_mps2.copy(), asked.curvature_1pm.copy()
        added[:, first] = np.clip(added[:, first] + self._accel, *ACCEL_RANGE_MPS2)
        bent[:, first] = np.clip(bent[:, first] + self._lateral / speed**2, *CURVATURE_RANGE_1PM)
        return make_plan(asked.t0_s, asked.start, added, bent, "perturbed"), said


class Learner:
    """A planner drives. Its last decision is that of the trace it gave; none where it gives no traces."""

    def __init__(self, planner: Any, scenario: str) -> None:
        self.planner = planner
        self._state: Any = None
        planner.reset([scenario])

    def drive(self, observation: Observation, asked: Plan, said: Trace | None) -> tuple[Plan, Trace | None]:
        """The planner's plan."""
        plan, traces, self._state = self.planner.plan(observation, self._state)
        first = traces[0] if isinstance(traces, Sequence) and len(traces) else None
        return plan, first if isinstance(first, Trace) else None


def off_course(scenario: Scenario, noise: Noise, random: np.random.Generator, tries: int = 8) -> Scenario:
    """The scenario with the ego beside, across and faster or slower than it began, its past moved along.

    Where none of some draws leaves it clear of everybody and on the road, as it was.
    """
    for _ in range(tries):
        across, turned, faster = random.standard_normal(3).clip(-3.0, 3.0)
        moved = _moved(scenario, across * noise.across_m, turned * noise.turned_rad, 1.0 + faster * noise.speed_share)
        if _clear(moved):
            return moved
    return scenario


def _moved(scenario: Scenario, across_m: float, turned_rad: float, faster: float) -> Scenario:
    """The ego's past and start turned about the start, moved to the side, and stretched in time."""
    agents, i, now = scenario.agents, scenario.ego_index, scenario.start_step
    rows = np.flatnonzero(agents.valid[i, : now + 1])
    xy, heading, velocity = agents.xy.copy(), agents.heading_rad.copy(), agents.velocity_mps.copy()
    at, h = agents.xy[i, now], float(agents.heading_rad[i, now])
    c, s = np.cos(turned_rad), np.sin(turned_rad)
    turn = np.array([[c, -s], [s, c]]) * faster
    xy[i, rows] = at + across_m * np.array([-np.sin(h), np.cos(h)]) + (agents.xy[i, rows] - at) @ turn.T
    heading[i, rows] = (agents.heading_rad[i, rows] + turned_rad + np.pi) % (2.0 * np.pi) - np.pi
    velocity[i, rows] = agents.velocity_mps[i, rows] @ turn.T
    return scenario.with_(agents=replace(agents, xy=xy, heading_rad=heading, velocity_mps=velocity))


def _clear(scenario: Scenario, margin_m: float = 0.4) -> bool:
    """Whether the ego's box at the start, a little larger, touches nobody and has its corners on the road."""
    agents, i, now = scenario.agents, scenario.ego_index, scenario.start_step
    (x, y), h = agents.xy[i, now], float(agents.heading_rad[i, now])
    length, width = agents.size_m[i]
    for j in np.flatnonzero(agents.valid[:, now]):
        (other_x, other_y), other_h = agents.xy[j, now], float(agents.heading_rad[j, now])
        other_length, other_width = agents.size_m[j]
        if j != i and boxes_overlap(
            x, y, h, length + margin_m, width + margin_m, other_x, other_y, other_h, other_length, other_width
        ):
            return False
    index = compile_maps([scenario]).index
    box = corners(agents.xy[i, now], np.asarray(h), length, width)
    return all(off_drivable(index, 0, float(px), float(py)) == 0.0 for px, py in box)
