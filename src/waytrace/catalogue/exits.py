"""A place to leave a main road: an extra lane beside it that leads on to an off-ramp."""

from __future__ import annotations

import math

import numpy as np

from .curves import ReferenceLine, stations
from .draws import Draw
from .layouts import Layout, bends, comfortable_radius_m, start_pose
from .roads import RoadBuilder


def off_ramp(
    key: str, draw: Draw, *, limit_kmh: float, main_lanes: int, before_m: float, beside_m: float, after_m: float,
    ramp_m: float,
) -> Layout:  # fmt: skip
    """A one-way main road; from ``before_m`` on a lane lies beside it for ``beside_m``, then bends away to the right.

    ``roads`` is (main, exit lane with the ramp); main and exit lane are cut where the lane begins and where it ends.
    """
    limit = limit_kmh / 3.6
    width = draw.uniform("width", (3.4, 3.75))
    length = before_m + beside_m + after_m
    knots = bends(draw, length, 1.5 * comfortable_radius_m(limit), 0.5)
    line = ReferenceLine.of(start_pose(draw), length, knots)
    builder = RoadBuilder()
    shoulder = draw.uniform("shoulder", (0.6, 2.0))
    main = builder.road(
        "m", line, forward=main_lanes, backward=0, width_m=width, limit_mps=limit,
        cuts=(before_m, before_m + beside_m), shoulder_m=shoulder,
    )  # fmt: skip
    s = stations(before_m, before_m + beside_m, 0.5)
    inner = line.offset(s, -main_lanes * width)
    heading = np.interp(s, line.s, line.heading)
    away = draw.uniform("ramp turn", (0.15, 0.4))
    ease = ramp_m / 2.0
    x, y, h = float(inner[-1, 0]), float(inner[-1, 1]), float(heading[-1])
    ramp = ReferenceLine.of((x, y, h), ramp_m, [(0.0, 0.0), (ease, -away / ease), (ramp_m, 0.0)])
    xy = np.concatenate([inner, ramp.xy[1:]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    out = ReferenceLine(along, xy, np.concatenate([heading, ramp.heading[1:]]))
    leaves = float(along[len(inner) - 1])
    road = builder.road(
        "x", out, forward=1, backward=0, width_m=width, limit_mps=limit, cuts=(leaves,), shoulder_m=shoulder
    )
    builder.beside(main.forward[1][main_lanes - 1], road.forward[0][0])
    builder.set_limit(road.forward[1][0], min(limit, math.sqrt(2.0 * ease / away)))
    figures = {
        "lanes": main_lanes, "width_m": width, "limit_kmh": limit_kmh, "beside_m": beside_m, "curved": bool(knots),
    }  # fmt: skip
    return Layout(key, builder.build(), limit, (main, road), figures=figures)
