"""What a plan would do to others and to itself, as far as the moment tells: contacts and leaving the road.

The others are where the scene tokens expect them (``waytrace.planners.expert.forecast``), so a planner that looks here
learns nothing that it was not told. Contacts are the score's own: nobody is blamed for being run into from behind.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit, wrap_angle
from waytrace.observe import Scene
from waytrace.planners.expert.forecast import STEP_S, forecast
from waytrace.planners.moment import OTHERS, Moment, Others
from waytrace.planners.reading import moment_of_scene
from waytrace.rules import REAR, STOPPED_TRACK, contact_kind, off_road_m
from waytrace.scenario import DT_S
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.roads import RoadCache
from waytrace.sim.dynamics import integrate_dense

Array = NDArray[np.float64]

HORIZON_S = 4.0
"""So far ahead harm counts; what lies beyond is decided again eight times before it comes."""

MARGIN_NOW_M, MARGIN_M, MARGIN_FULL_S = 0.1, 0.2, 2.0
"""Room that is kept on every side of the ego: from the first to the second, which is reached after so long."""

OFF_ROAD_LEAST_M = 0.15
"""Half of what the score allows, as in the expert."""

FOLLOWS_M = 1.0
"""Who points the ego's way and has its front no further than this past the ego's back is driving behind it."""

TICKS_PER_STEP = round(STEP_S / DT_S)


@jit("f8", MAP_INDEX, OTHERS, "f8[:,:,:]", "f8[:,:]", "f8", "f8", "f8", allocates=True)
def first_harm_s(
    m: MapIndex, others: Others, expected: Array, states: Array, rear: float, length: float, width: float
) -> float:
    """When rear-axle ``states`` [41, 4], each 0.2 s, first touch somebody at fault or leave the road; else infinity.

    States and ``expected`` [A, 41, 4], where the others' box centres will be, are x, y, heading, speed in the world:
    metres, radians, m/s. ``rear`` is from the rear axle to the ego's box centre, metres as its size is. What is so
    at 0 s already is no plan's doing and does not count: neither a contact of now, while it lasts, nor standing off the
    road.
    """
    agents = len(others.x)
    apart = np.zeros(agents, np.bool_)
    h = states[0, 2]
    c, n = math.cos(h), math.sin(h)
    x, y = states[0, 0] + rear * c, states[0, 1] + rear * n
    follows = np.zeros(agents, np.bool_)
    for a in range(agents):
        ahead = (others.x[a] - x) * c + (others.y[a] - y) * n
        aligned = abs(wrap_angle(others.heading[a] - h)) < 1.0
        follows[a] = aligned and ahead + 0.5 * others.length[a] < FOLLOWS_M - 0.5 * length
    on_road = off_road_m(m, 0, x, y, h, length, width) <= OFF_ROAD_LEAST_M
    for t in range(round(HORIZON_S / STEP_S) + 1):
        h, v = states[t, 2], states[t, 3]
        x, y = states[t, 0] + rear * math.cos(h), states[t, 1] + rear * math.sin(h)
        if off_road_m(m, 0, x, y, h, length, width) <= OFF_ROAD_LEAST_M:
            on_road = True
        elif on_road:
            return t * STEP_S
        margin = MARGIN_NOW_M + (MARGIN_M - MARGIN_NOW_M) * min(t * STEP_S / MARGIN_FULL_S, 1.0)
        for a in range(agents):
            if follows[a]:
                continue
            kind = contact_kind(
                x, y, h, length + 2.0 * margin, width + 2.0 * margin, v, expected[a, t, 0], expected[a, t, 1],
                expected[a, t, 2], others.length[a], others.width[a], expected[a, t, 3],
            )  # fmt: skip
            if kind >= STOPPED_TRACK and kind != REAR:
                if apart[a]:
                    return t * STEP_S
            else:
                apart[a] = True
    return math.inf


class Outlook(NamedTuple):
    """One moment, and where everybody else is expected from it on."""

    moment: Moment
    expected: Array
    """[A, 41, 4] x, y, heading, speed, each 0.2 s from now."""

    @classmethod
    def of(cls, scene: Scene, roads: RoadCache) -> Outlook:
        """From what is seen."""
        moment = moment_of_scene(scene, roads)
        return cls(moment, forecast(moment)[0])

    def harm_s(self, accel_mps2: Array, curvature_1pm: Array) -> float:
        """When a plan with these controls [16] first does harm, seconds from now; infinity for never within 4 s."""
        moment = self.moment
        states = integrate_dense(moment.axle, accel_mps2, curvature_1pm)[0, ::TICKS_PER_STEP]
        return float(first_harm_s(
            moment.roads.index, moment.others, self.expected, np.ascontiguousarray(states), moment.rear_m,
            moment.length_m, moment.width_m,
        ))  # fmt: skip
