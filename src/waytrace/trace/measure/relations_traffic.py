"""Relations of vehicles that drive, or queue, in traffic."""

from __future__ import annotations

import math
from collections.abc import Callable

from waytrace.scenario import AgentKind

from ..finding import Finding, Margin, all_of, either, fact, least, most
from ..thresholds import T
from .conflicts import Conflict
from .measured import Measured

Rule = Callable[[Measured, int], Finding]


def drives(m: Measured, i: int) -> Margin:
    """Is a vehicle, motorcycles and bicycles included."""
    return fact("it is a vehicle", bool(m.others.kind[i] <= AgentKind.CYCLIST))


def angle_deg(m: Measured, i: int) -> float:
    """Angle between its heading and the path's."""
    return abs(math.degrees(float(m.others.turned[i])))


def aligned(m: Measured, i: int, limit: float = T.aligned_deg) -> Margin:
    """Heads the path's way."""
    return most("angle to the path", angle_deg(m, i), limit, "deg", 2.0)


def on_path(m: Measured, i: int) -> Margin:
    """Has a place beside the path."""
    return fact("it has a place along the path", bool(m.others.on_path[i]))


def in_path(m: Measured, i: int) -> Margin:
    """Is in the lane, or in the way of the ego's body."""
    o = m.others
    room = max(float(o.inside[i]), float(o.overlap[i]) - T.in_path_m)
    return Margin("reaches into the ego's path", room if o.on_path[i] else -100.0, "m", 0.05)


def front_way(m: Measured, i: int) -> float:
    """From the ego's front bumper to its near end; negative beside the ego. Infinite off the path."""
    o = m.others
    return float(o.s[i] - o.along[i]) - m.front_m


def ahead(m: Measured, i: int) -> Margin:
    """Its near end lies ahead of the ego's front bumper."""
    return least("way to it", front_way(m, i), -T.ahead_m, "m", 0.2)


def behind(m: Measured, i: int) -> Margin:
    """Its front is behind the ego's rear bumper."""
    o = m.others
    return least("way back to it", -float(o.s[i] + o.along[i]) - m.front_m, -T.ahead_m, "m", 0.2)


def evidence(m: Measured, i: int) -> dict[str, float | str]:
    """What a report shows of an agent."""
    o = m.others
    return {
        "s_m": float(o.s[i]), "d_m": float(o.d[i]), "gap_m": float(o.gap[i]), "speed_mps": float(o.state[i, 3]),
        "drift_mps": float(o.drift[i]), "angle_deg": math.degrees(float(o.turned[i])),
    }  # fmt: skip


def _near_enough(m: Measured, i: int) -> Margin:
    """Gap and headway of a lead; or soon reached."""
    o, gap = m.others, float(m.others.gap[i])
    closing = m.speed_mps - float(o.v_along[i])
    reached = gap / closing if closing > 0.5 else math.inf
    near = either(
        most("headway", m.headway_s(gap), T.lead_headway_s, "s", 0.05),
        most("time to reach it", min(reached, 1e3), T.lead_reach_s, "s", 0.1),
    )
    far = most("gap", gap, T.lead_gap_m, "m", 0.3)
    return near if near.room < far.room or far.room >= 0 else far


def _nearest(m: Measured, i: int, rank: int) -> Margin:
    """Is number ``rank`` of those ahead, and no other is as near."""
    leads, o = m.leads, m.others
    if i not in leads:
        return Margin("is one of those ahead in the path", -1.0, "m")
    way = [front_way(m, j) for j in leads]
    place = leads.index(i)
    if place == rank:
        apart = min((abs(way[j] - way[rank]) for j in range(len(way)) if j != rank), default=math.inf)
        return Margin("nearer than others by", min(apart - T.nearest_m, 100.0), "m", T.nearest_m)
    if rank >= len(way):
        return Margin("those ahead of it in the path", -float(o.gap[i]) - 1.0, "m")
    return Margin("behind others by", -abs(way[place] - way[rank]), "m", T.nearest_m)


def lead(m: Measured, i: int) -> Finding:
    """The nearest one ahead in the ego's path that drives, or stands, the ego's way."""
    stays = least("time in the path", float(m.others.in_path_s[i]), T.lead_for_s - 0.05, "s")
    return all_of(
        [drives(m, i), on_path(m, i), in_path(m, i), ahead(m, i), aligned(m, i, T.lead_aligned_deg), _nearest(m, i, 0),
         _near_enough(m, i), stays],
        **evidence(m, i), headway_s=m.headway_s(float(m.others.gap[i])),
    )  # fmt: skip


def lead_of_lead(m: Measured, i: int) -> Finding:
    """The next one ahead of the lead."""
    return all_of(
        [drives(m, i), on_path(m, i), in_path(m, i), ahead(m, i), aligned(m, i, T.lead_aligned_deg), _nearest(m, i, 1),
         most("gap", float(m.others.gap[i]), T.reference_range_m, "m", 0.3)],
        **evidence(m, i),
    )  # fmt: skip


def rear(m: Measured, i: int) -> Finding:
    """The nearest one behind in the ego's path."""
    o, followers = m.others, m.followers
    gap, speed = float(o.gap[i]), float(o.v_along[i])
    way = [-float(o.s[j] + o.along[j]) for j in followers]
    if i in followers:
        place = followers.index(i)
        others = [abs(way[j] - way[place]) for j in range(len(way)) if j != place]
        room = min(others, default=100.0) - T.nearest_m if place == 0 else way[0] - way[place]
        nearest = Margin("nearest behind by", room, "m", T.nearest_m)
    else:
        nearest = Margin("is one of those behind in the path", -1.0, "m")
    near = most("its headway", gap / max(speed, T.headway_least_mps), T.rear_headway_s, "s", 0.05)
    return all_of(
        [drives(m, i), on_path(m, i), in_path(m, i), behind(m, i), aligned(m, i, T.lead_aligned_deg), nearest, near,
         most("gap", gap, T.rear_gap_m, "m", 0.3)],
        **evidence(m, i),
    )  # fmt: skip


def side(m: Measured, i: int, sign: int) -> Margin:
    """On the left (+1) or right (-1) of the path."""
    return least(f"offset to the {'left' if sign > 0 else 'right'}", sign * float(m.others.d[i]), 0.0, "m", 0.1)


def _adjacent(sign: int) -> Rule:
    def rule(m: Measured, i: int) -> Finding:
        """Beside the ego in the neighbouring lane, or within 20 m before or behind it there."""
        o = m.others
        beyond = float(-o.inside[i])
        return all_of(
            [drives(m, i), on_path(m, i), side(m, i, sign), aligned(m, i),
             most("gap", float(o.gap[i]), T.adjacent_gap_m, "m", 0.2),
             least("from the lane's edge to its middle", beyond, 0.0, "m", 0.1),
             most("from the lane's edge to its middle", beyond, T.adjacent_lane_m, "m", 0.1)],
            **evidence(m, i),
        )  # fmt: skip

    return rule


def _cut_in(sign: int) -> Rule:
    def rule(m: Measured, i: int) -> Finding:
        """Its front ahead, moving into the ego's lane: to cross the edge within 3 s, or in it for under 1 s."""
        o = m.others
        gap, toward = float(o.gap[i]), float(sign * -o.drift[i])
        seconds = max(float(o.edge[i]), 0.0) / max(toward, 1e-3)
        inside = T.lead_for_s - 0.05 - float(o.in_path_s[i]) if m.others.in_path[i] else T.lead_for_s
        near = either(
            most("gap", gap, T.cut_in_gap_m, "m", 0.3), most("headway", m.headway_s(gap), T.lead_headway_s, "s", 0.05)
        )
        front = float(o.s[i] + o.along[i]) - m.front_m
        return all_of(
            [drives(m, i), on_path(m, i), side(m, i, sign), aligned(m, i), near,
             least("its front ahead of the ego's", front, 0.0, "m", 0.3),
             least("speed towards the lane", toward, T.lateral_mps, "m/s", 0.03),
             most("time to the lane's edge", seconds, T.cut_in_s, "s", 0.1),
             Margin("time until it counts as a lead", inside, "s"),
             most("from the lane's edge to its middle", float(-o.inside[i]), T.adjacent_lane_m + 1.0, "m", 0.1)],
            **evidence(m, i), enters_s=min(seconds, 99.0),
        )  # fmt: skip

    return rule


def cut_out(m: Measured, i: int) -> Finding:
    """Ahead in the path and moving out of it."""
    o = m.others
    away = -float(o.toward[i])
    room = max(float(o.inside[i]) + 0.0, float(o.overlap[i]) - T.in_path_m)
    seconds = max(room, 0.0) / max(away, 1e-3)
    gap = float(o.gap[i])
    left = either(in_path(m, i), most("time since it left the path", float(o.in_path_s[i]), -1.0, "s"))
    near = either(
        most("gap", gap, T.cut_in_gap_m, "m", 0.3), most("headway", m.headway_s(gap), T.lead_headway_s, "s", 0.05)
    )
    return all_of(
        [drives(m, i), on_path(m, i), left, ahead(m, i), aligned(m, i), near,
         least("speed out of the path", away, T.lateral_mps, "m/s", 0.03),
         most("time until it has left", seconds, T.cut_in_s, "s", 0.1)],
        **evidence(m, i), leaves_s=min(seconds, 99.0),
    )  # fmt: skip


def _meeting(m: Measured, i: int, merges: bool) -> Conflict | None:
    return next((c for c in m.conflicts.get(i, ()) if c.merges == merges), None)


def merging(m: Measured, i: int) -> Finding:
    """On a lane that joins the ego's path ahead, arriving there at about the same time."""
    conflict = _meeting(m, i, merges=True)
    if conflict is None:
        return all_of([fact("its lane joins the path", False)], **evidence(m, i))
    return all_of(
        [drives(m, i), fact("it is not in the path yet", not bool(m.others.in_path[i])),
         least("way to where they join", conflict.s1, 0.0, "m", 0.2),
         most("arrivals apart", conflict.apart_s, T.merging_arrival_s, "s", 0.1)],
        **evidence(m, i), ego_arrives_s=conflict.ego_s, it_arrives_s=conflict.arrives_s,
    )  # fmt: skip


def _crossing(sign: int) -> Rule:
    def rule(m: Measured, i: int) -> Finding:
        """Its way crosses the ego's ahead, at a steep angle and at about the same time."""
        conflict = _meeting(m, i, merges=False)
        if conflict is None:
            return all_of([fact("its way crosses the path", False)], **evidence(m, i))
        angle = abs(math.degrees(conflict.turned))
        comes = -sign * math.sin(conflict.turned)
        return all_of(
            [drives(m, i), least("angle of the crossing", angle, T.crossing_low_deg, "deg", 1.0),
             most("angle of the crossing", angle, T.crossing_high_deg, "deg", 1.0),
             fact(f"it comes from the {'left' if sign > 0 else 'right'}", comes > 0.0),
             least("way to the zone's end", conflict.s1, 0.0, "m", 0.2),
             most("arrivals apart", conflict.apart_s, T.crossing_arrival_s, "s", 0.1)],
            **evidence(m, i), ego_arrives_s=conflict.ego_s, it_arrives_s=conflict.arrives_s,
        )  # fmt: skip

    return rule


def _coming(m: Measured, i: int) -> list[Margin]:
    return [
        drives(m, i), on_path(m, i), least("angle to the path", angle_deg(m, i), T.oncoming_deg, "deg", 2.0),
        ahead(m, i), most("gap", float(m.others.gap[i]), T.oncoming_gap_m, "m", 0.3),
    ]  # fmt: skip


def oncoming(m: Measured, i: int) -> Finding:
    """Ahead, heading towards the ego, beside its path."""
    beside = in_path(m, i)
    return all_of(
        [*_coming(m, i), beside._replace(what="room beside the path", room=-beside.room),
         most("offset", abs(float(m.others.d[i])), T.oncoming_side_m, "m", 0.2)], **evidence(m, i)
    )  # fmt: skip


def oncoming_in_path(m: Measured, i: int) -> Finding:
    """Ahead, heading towards the ego, in its path."""
    return all_of([*_coming(m, i), in_path(m, i)], **evidence(m, i))


TRAFFIC_RULES: dict[str, Rule] = {
    "lead": lead, "lead_of_lead": lead_of_lead, "rear": rear, "adjacent_left": _adjacent(1),
    "adjacent_right": _adjacent(-1), "cut_in_left": _cut_in(1), "cut_in_right": _cut_in(-1), "cut_out": cut_out,
    "merging": merging, "crossing_from_left": _crossing(1), "crossing_from_right": _crossing(-1),
    "oncoming": oncoming, "oncoming_in_path": oncoming_in_path,
}  # fmt: skip
