"""Lanes that could be driven, with everyone's forecast in their coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit
from waytrace.scenario.paths import PATH, STEP_M, Path, project

from ..ahead import base_path
from ..moment import OTHERS, Moment, Others
from .forecast import STEPS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Base:
    """A lane (and what follows it along the route) that could be driven."""

    lane: int
    path: Path
    count: int
    s0: float
    """Where the rear axle is."""
    d0: float
    slope: float
    place: Array
    """[41, A, 6] everyone's forecast in coordinates of this base."""
    kind: Literal["keep", "left", "right"]
    run_m: float
    """How far one can go before another lane is needed."""


@jit("void", PATH, "i8", OTHERS, "f8[:,:,:]", "f8[:,:,:]")
def place_forecast(path: Path, count: int, others: Others, forecast: Array, out: Array) -> None:
    """Fill ``out`` [41, A, 6] with everyone's forecast in path coordinates (see ``place_others``)."""
    end = (count - 1) * STEP_M
    for a in range(len(others.x)):
        s, d = project(path, count, forecast[a, 0, 0], forecast[a, 0, 1], 0.0, -1.0)
        for t in range(STEPS):
            if t > 0:
                reach = 6.0 + 0.4 * abs(forecast[a, t, 3])
                s, d = project(path, count, forecast[a, t, 0], forecast[a, t, 1], s, reach)
            i = min(max(int(s / STEP_M), 0), count - 1)
            turned = forecast[a, t, 2] - path.heading[i]
            c, n = math.cos(turned), math.sin(turned)
            out[t, a, 0], out[t, a, 1] = s, d
            out[t, a, 2] = 0.5 * (abs(c) * others.length[a] + abs(n) * others.width[a])
            out[t, a, 3] = 0.5 * (abs(n) * others.length[a] + abs(c) * others.width[a])
            out[t, a, 4], out[t, a, 5] = forecast[a, t, 3] * c, forecast[a, t, 3] * n
            if s < -10.0 or s > end + 10.0 or abs(d) > 60.0:
                out[t, a, 0] = math.inf
                s = min(max(s, 0.0), end)


def bases(moment: Moment, lane: int, forecast: Array, desired_mps: float) -> list[Base]:
    """The lane being driven and its neighbours on the route."""
    index = moment.roads.index
    x, y, heading, speed = (float(v) for v in moment.axle)
    reach = 50.0 + 9.0 * max(speed, desired_mps)
    out = []
    candidates: tuple[tuple[Literal["keep", "left", "right"], int], ...] = (
        ("keep", lane),
        ("left", int(index.lane_left[lane])),
        ("right", int(index.lane_right[lane])),
    )
    for kind, candidate in candidates:
        entry = moment.roads.entry(candidate)
        if candidate < 0 or (kind != "keep" and (entry < 0 or index.lane_junction[candidate])):
            continue
        path, count = base_path(moment, moment.roads.chain(candidate, reach), reach)
        s0, d0 = project(path, count, x, y, 25.0, 60.0)
        at = min(max(int(s0), 0), count - 1)
        turned = (heading - path.heading[at] + math.pi) % (2.0 * math.pi) - math.pi
        slope = math.tan(min(max(turned, -0.6), 0.6)) * max(1.0 - path.curvature[at] * d0, 0.2)
        place = np.zeros((STEPS, len(moment.others.x), 6))
        place_forecast(path, count, moment.others, forecast, place)
        run = math.inf
        if entry >= 0 and math.isfinite(moment.roads.run_m[entry]):
            run = float(moment.roads.run_m[entry]) - float(path.lane_s[at])
        out.append(Base(candidate, path, count, s0, d0, slope, place, kind, run))
    return out
