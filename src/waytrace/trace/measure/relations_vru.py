"""Relations of people on foot and on bicycles, and of what stands on or beside the road."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from waytrace.scenario import AgentKind

from ..finding import Finding, Margin, all_of, either, fact, least, most, negated
from ..thresholds import T
from .measured import Measured
from .relations_traffic import ahead, angle_deg, evidence, front_way, on_path, side

Rule = Callable[[Measured, int], Finding]


def _vru(m: Measured, i: int) -> Margin:
    kind = m.others.kind[i]
    return fact("it walks or cycles", bool(kind in (AgentKind.CYCLIST, AgentKind.PEDESTRIAN)))


def _vru_near(m: Measured, i: int) -> list[Margin]:
    return [_vru(m, i), on_path(m, i), ahead(m, i), most("gap", float(m.others.gap[i]), T.vru_gap_m, "m", 0.3)]


def _walks_along(m: Measured, i: int) -> list[Margin]:
    o, angle = m.others, angle_deg(m, i)
    return [
        most("angle to the path", min(angle, 180.0 - angle), T.vru_along_deg, "deg", 2.0),
        least("its speed", abs(float(o.state[i, 3])), T.vru_walk_mps, "m/s", 0.03),
        most("from the lane's edge", float(o.edge[i]), T.vru_along_m, "m", 0.1),
    ]


def _enters_s(m: Measured, i: int) -> float:
    toward = _toward(m, i)
    return max(-float(m.others.overlap[i]), 0.0) / toward if toward > 1e-3 else math.inf


def _toward(m: Measured, i: int) -> float:
    """Speed across towards the path, now or over the last half second: people set off and stop within a step."""
    o = m.others
    return max(float(o.toward[i]), -math.copysign(1.0, float(o.d[i])) * float(o.v_across[i]))


def vru_crossing(m: Measured, i: int) -> Finding:
    """In the way of the ego's body, or moving across into it within 6 s."""
    o = m.others
    angle = angle_deg(m, i)
    in_way = Margin("overlap with the ego's way", float(o.overlap[i]), "m", 0.05)
    seconds = min(_enters_s(m, i), 99.0)
    steep = 90.0 - abs(90.0 - angle)
    along = all_of(_walks_along(m, i))
    moves = [
        _vru(m, i), on_path(m, i), ahead(m, i), most("gap", float(o.gap[i]), T.vru_gap_m, "m", 0.3),
    ]  # fmt: skip
    if in_way.room >= 0.0:
        moves += [in_way, fact("it does not move along the lane", along.value != "true")]
    else:
        moves += [
            least("speed across", _toward(m, i), T.vru_walk_mps, "m/s", 0.03),
            least("angle of the crossing", steep, T.crossing_low_deg, "deg", 1.0),
            most("time until it is in the way", seconds, T.vru_enter_s, "s", 0.1),
        ]
    return all_of(moves, **evidence(m, i), enters_s=seconds)


def vru_along(m: Measured, i: int) -> Finding:
    """Moves along the lane, on it or at its edge."""
    return all_of([*_vru_near(m, i), *_walks_along(m, i)], **evidence(m, i))


def vru_roadside(m: Measured, i: int) -> Finding:
    """Beside the lane and neither crossing nor moving along it."""
    o = m.others
    crosses, along = vru_crossing(m, i), all_of(_walks_along(m, i))
    return all_of(
        [*_vru_near(m, i), Margin("room beside the ego's way", -float(o.overlap[i]), "m", 0.05),
         most("from the lane's edge", float(o.edge[i]), T.vru_roadside_m, "m", 0.1),
         fact("it is not crossing", crosses.value != "true"), fact("it is not moving along", along.value != "true")],
        **evidence(m, i),
    )  # fmt: skip


def _stands(m: Measured, i: int) -> list[Margin]:
    """Has stood for 2 s, or for as long as it is known, and not in a queue or at a red light."""
    o = m.others
    still = either(
        fact("it cannot move by itself", bool(o.kind[i] == AgentKind.STATIC)),
        least("time it has stood", float(o.stood_s[i]), min(T.parked_for_s, max(float(o.known_s[i]), 0.3)) - 0.05, "s"),
    )
    thing = fact("it is a vehicle or a thing", bool(o.kind[i] not in (AgentKind.PEDESTRIAN, AgentKind.CYCLIST)))
    return [thing, still, fact("it stands for nobody ahead of it", not _waits(m, i))]


def _waits(m: Measured, i: int) -> bool:
    """Whether someone standing has a reason to, that is ahead of it: a queue, a line."""
    o = m.others
    if o.kind[i] == AgentKind.STATIC or float(o.inside[i]) < 0.0:
        return False
    front = float(o.s[i] + o.along[i])
    for j in m.leads:
        if j != i and 0.0 < float(o.s[j] - o.along[j]) - front < T.queue_ahead_m:
            return True
    shut = [v.way_m for k, v in m.lights.items() if m.scene.light_state[k] in (1, 2)]
    lines = shut + [v.way_m for v in m.stop_lines.values()]
    return any(-2.0 < way + m.front_m - front < T.queue_ahead_m for way in lines)


def _parked_near(m: Measured, i: int) -> list[Margin]:
    return [on_path(m, i), ahead(m, i), most("gap", float(m.others.gap[i]), T.parked_gap_m, "m", 0.3), *_stands(m, i)]


def _covers_middle(m: Measured, i: int) -> Margin:
    o = m.others
    return Margin("reaches over the lane's middle", float(o.across[i]) - abs(float(o.d[i])), "m", 0.05)


def parked_in_path(m: Measured, i: int) -> Finding:
    """Stands across the middle of the ego's lane."""
    return all_of([*_parked_near(m, i), _covers_middle(m, i)], **evidence(m, i), stood_s=float(m.others.stood_s[i]))


def _parked(sign: int) -> Rule:
    def rule(m: Measured, i: int) -> Finding:
        """Stands beside the middle of the lane and leaves less than 0.8 m beside the ego's way."""
        room = -float(m.others.overlap[i])
        return all_of(
            [*_parked_near(m, i), side(m, i, sign), negated(_covers_middle(m, i)),
             most("room beside the ego's way", room, T.blocker_m, "m", 0.05)],
            **evidence(m, i), stood_s=float(m.others.stood_s[i]),
        )  # fmt: skip

    return rule


def occluder(m: Measured, i: int) -> Finding:
    """Stands beside the ego's way ahead, big enough to hide a person who steps out from behind it."""
    o = m.others
    room = -float(o.overlap[i])
    return all_of(
        [fact("it can hide a person", bool(o.kind[i] not in (AgentKind.PEDESTRIAN, AgentKind.CYCLIST))),
         on_path(m, i), least("its far end ahead", front_way(m, i) + 2.0 * float(o.along[i]), 0.0, "m", 0.2),
         least("its size", float(o.size_m[i].max()), T.occluder_size_m, "m", 0.05),
         most("its speed", abs(float(o.state[i, 3])), T.occluder_mps, "m/s", 0.05),
         most("gap", float(o.gap[i]), T.occluder_gap_m, "m", 0.3),
         least("room beside the ego's way", room, -T.in_path_m, "m", 0.05),
         most("room beside the ego's way", room, T.occluder_side_m, "m", 0.1)],
        **evidence(m, i),
    )  # fmt: skip


def work_zone(m: Measured, i: int) -> Finding:
    """One of several cones or barriers near the path."""
    o = m.others
    static = o.kind == AgentKind.STATIC
    apart = np.hypot(*(o.state[:, :2] - o.state[i, :2]).T)
    count = int((static & (apart <= T.work_zone_spread_m)).sum())
    return all_of(
        [fact("it is a cone or barrier", bool(static[i])), on_path(m, i),
         least("way to it", front_way(m, i), -m.front_m * 2.0, "m", 0.2),
         most("gap", float(o.gap[i]), T.work_zone_gap_m, "m", 0.3),
         most("offset", abs(float(o.d[i])), T.work_zone_m, "m", 0.1),
         fact("there are at least three together", count >= T.work_zone_count)],
        **evidence(m, i), together=count,
    )  # fmt: skip


SIDE_RULES: dict[str, Rule] = {
    "vru_crossing": vru_crossing, "vru_roadside": vru_roadside, "vru_along": vru_along,
    "parked_blocker_left": _parked(1), "parked_blocker_right": _parked(-1), "parked_in_path": parked_in_path,
    "occluder": occluder, "work_zone": work_zone,
}  # fmt: skip
