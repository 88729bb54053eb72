"""Ways that were not taken, for pictures: of rejected lateral options and of the runner-up."""

from __future__ import annotations

import numpy as np

from waytrace.planners import Certificate, Rejected
from waytrace.scenario.paths import empty_path, project, sample_chain, shift
from waytrace.scenario.roads import Roads
from waytrace.trace.file import Ghost

from .from_certificate import Label, Setting, lay_of, own_lane
from .rejections import option_of

POINTS = 17
SETTLE_S, CHANGE_S, LEAST_M = 2.5, 4.0, 8.0
"""How long a move beside the lane's middle, and a change of lanes, take; and the metres that either takes at least."""


def ghosts_of(made: Certificate, label: Label, runner_up: Label | None, at: Setting) -> list[Ghost]:
    """A ghost for each lateral option that the trace says was turned down, and for the runner-up.

    The runner-up's way is its plan; a rejected option's the middle of its lane, or beside it, over the distance that
    the plan covers. World frame.
    """
    own = own_lane(made)
    lay = lay_of(made.chosen, at, own)
    said = {r.option for r in label.trace.decision.rejected if r.axis == "lateral"}
    out: dict[str, Ghost] = {}
    for r in made.rejected:
        option = option_of(r, lay, goes_on=False) if r.axis == "lateral" else ""
        if option in said and option not in out:
            xy = _way(lay.roads, r, at, max(float(lay.own.s_m[-1] - lay.own.s_m[0]), 2.0 * LEAST_M))
            out[option] = Ghost("lateral", option, xy)
    if runner_up is not None:
        d = runner_up.trace.decision
        lateral = d.lateral != label.trace.decision.lateral
        points = np.round(runner_up.plan.waypoints[:, :2], 3).tolist()
        ghost = Ghost("lateral" if lateral else "longitudinal", d.lateral if lateral else d.longitudinal,
                      tuple((x, y) for x, y in points))  # fmt: skip
        out[ghost.option] = ghost
    return list(out.values())


def _way(roads: Roads, r: Rejected, at: Setting, reach_m: float) -> tuple[tuple[float, float], ...]:
    x, y, _ = (float(v) for v in at.scene.ego.pose)
    speed = at.scene.ego.speed_mps
    lanes = roads.chain(r.lane, float(roads.index.lane_length[r.lane]) + reach_m)
    path = empty_path(int(sum(float(roads.index.lane_length[v]) for v in lanes)) + 2)
    count = sample_chain(roads.index, np.array(lanes, np.int32), 0.0, path)
    s0, d0 = project(path, count, x, y, 0.0, -1.0)
    length = max(LEAST_M, (CHANGE_S if r.sideways in ("left", "right") else SETTLE_S) * speed)
    out = []
    for along in np.linspace(0.0, reach_m, POINTS):
        i = min(max(round(s0 + float(along)), 0), count - 1)
        d, h = shift(float(along), length, d0, 0.0, r.offset_m), float(path.heading[i])
        out.append((round(float(path.x[i]) - d * np.sin(h), 3), round(float(path.y[i]) + d * np.cos(h), 3)))
    return tuple(out)
