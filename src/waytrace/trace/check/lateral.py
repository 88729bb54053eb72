"""Lateral decisions against the plan: one rule for each."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..finding import Finding, Margin, all_of, either, fact, least, most
from ..measure import events
from ..thresholds import T
from .case import Case

Rule = Callable[[Case], Finding]


def _stays(case: Case) -> Margin:
    return fact("it ends in its own lane", case.planned.changed_lane == 0)


def keep(case: Case) -> Finding:
    """Stays in its lane, near the middle, or comes back to it."""
    p = case.planned
    out = min(abs(p.offset), abs(p.offset) - abs(float(p.d[0])) + T.offset_keep_m if p.offset * p.d[0] > 0 else 1e9)
    return all_of([_stays(case), most("offset from the lane's middle", out, T.offset_keep_m, "m")], offset_m=p.offset)


def _nudge(sign: int, *, out: bool) -> Rule:
    side = "left" if sign > 0 else "right"

    def rule(case: Case) -> Finding:
        """Moves aside without a change of lanes; in the lane, or with the body over its edge."""
        p = case.planned
        offset = max(float((sign * p.d[1:]).max()), 0.0)
        over = Margin("body over the lane's edge", T.edge_near_m - p.edge_room(), "m")
        margins = [_stays(case), least(f"offset to the {side}", offset, T.offset_nudge_m - 0.05, "m")]
        if out:
            return all_of([*margins, over], offset_m=offset)
        inside = Margin("body within the lane", T.edge_near_m + p.edge_room(), "m")
        wide = most(f"offset to the {side}", offset, T.offset_in_lane_m + T.edge_near_m, "m")
        return all_of([*margins, inside, wide], offset_m=offset)

    return rule


def _rear_decel(case: Case, sign: int) -> float:
    """Braking that a change of lanes to a side asks of whoever is behind in that lane; 0 for nobody."""
    m, p, o = case.measured, case.planned, case.measured.others
    hardest = 0.0
    for row in range(len(o)):
        beside = o.on_path[row] and 0.0 < float(-o.inside[row]) < 2.0 * T.adjacent_lane_m and sign * float(o.d[row]) > 0
        gap = -float(o.s[row] + o.along[row]) - m.front_m
        if not beside or abs(math.degrees(float(o.turned[row]))) > T.aligned_deg or gap < 0.0:
            continue
        closing = float(o.v_along[row]) - float(p.speed[:6].mean())
        if closing > 0.0:
            hardest = max(hardest, closing * closing / (2.0 * max(gap, 0.5)))
    return hardest


def _change(sign: int) -> Rule:
    side = "left" if sign > 0 else "right"

    def rule(case: Case) -> Finding:
        """Ends in the lane on that side for at least a second, and does not press on whoever is behind there."""
        p = case.planned
        behind = _rear_decel(case, sign)
        moved = sign * float(p.d[-1] - p.d[0])
        recent = fact("it has just crossed over", _just_crossed(case, sign))
        changed = either(fact(f"it ends in the lane on the {side}", p.changed_lane == sign), recent)
        return all_of(
            [changed, least("sideways", moved, T.change_m, "m", 0.1),
             most("braking asked of the one behind", behind, T.rear_decel_mps2, "m/s2", 0.1)],
            sideways_m=moved, rear_decel_mps2=behind,
        )  # fmt: skip

    return rule


def _just_crossed(case: Case, sign: int) -> bool:
    """Whether the ego has crossed the edge of its lane already and the plan takes it on to the middle."""
    p = case.planned
    return sign * float(p.d[0]) <= -T.crossed_m and abs(float(p.d[-1])) < T.settled_m


def _passes(case: Case, intent: tuple[str, ...]) -> Margin:
    """The way to what the route asks for lies within the plan, or the ego is in it."""
    reach = float(case.planned.s[-1])
    way = [e.way_m for e in events(case.measured) if e.intent in intent]
    return most("way to it", min(way, default=999.0), reach + 1.0, "m", 1.0)


def merge(case: Case) -> Finding:
    """Leaves a lane that ends for the one beside it, or drives onto one that joins."""
    m, p = case.measured, case.planned
    index, lane = m.path.roads.index, m.path.lane
    ends = lane >= 0 and any(not m.stretches[v].leads_on for v in m.path.lanes if v in m.stretches)
    joins = _passes(case, ("merge",))
    return all_of(
        [either(joins, Margin("its lane ends and it changes over", 1.0 if ends and p.changed_lane else -1.0, ""))],
        run_m=min(m.path.run_m, 1e4), lanes=int(index.lane_length.size),
    )  # fmt: skip


def split(case: Case) -> Finding:
    """Takes a branch where the road divides outside a junction."""
    m, p = case.measured, case.planned
    index, reach = m.path.roads.index, float(p.s[-1])
    found = []
    own = [*dict.fromkeys(int(v) for v in p.lane if v >= 0)]
    for lane in own:
        ways = [int(v) for v in index.succ[index.succ_lo[lane] : index.succ_lo[lane + 1]]]
        if len(ways) > 1 and not any(index.lane_junction[w] for w in ways):
            found.append(m.path.start_of.get(lane, 0.0))
    turns_off = fact("the road divides within the plan", bool(found))
    return all_of([turns_off], reach_m=reach)


def _turn(sign: int) -> Rule:
    side = "left" if sign > 0 else "right"

    def rule(case: Case) -> Finding:
        """Enters, or is in, a junction's lane that turns to that side."""
        return all_of([_passes(case, (f"turn_{side}",))])

    return rule


def u_turn(case: Case) -> Finding:
    """Enters, or is in, a junction's lanes that turn back."""
    return all_of([_passes(case, ("u_turn",))])


def pull_over(case: Case) -> Finding:
    """Comes to rest at the right-hand edge."""
    p = case.planned
    return all_of(
        [most("speed at the end", float(p.speed[-1]), T.stop_mps, "m/s", 0.1),
         least("offset to the right", -float(p.d[-1]), T.offset_nudge_m + 0.2, "m", 0.1)],
        offset_m=float(p.d[-1]),
    )  # fmt: skip


def abort(case: Case) -> Finding:
    """Had begun to move over, and comes back into its lane."""
    p, before = case.planned, case.previous
    begun = "" if before is None else before.decision.lateral
    left = fact("it had begun to leave its lane", begun.startswith(("lane_change", "merge", "nudge", "pull_over")))
    if before is None:
        left = Margin("whether it had begun to leave its lane", 0.0, "", 0.1)
    return all_of(
        [least("offset from the lane's middle now", abs(float(p.d[0])), T.offset_nudge_m, "m", 0.05),
         most("offset at the end", abs(float(p.d[-1])), T.offset_keep_m + 0.1, "m", 0.1), _stays(case), left],
        offset_m=float(p.d[0]),
    )  # fmt: skip


LATERAL_RULES: dict[str, Rule] = {
    "keep": keep, "nudge_in_lane_left": _nudge(1, out=False), "nudge_in_lane_right": _nudge(-1, out=False),
    "nudge_out_of_lane_left": _nudge(1, out=True), "nudge_out_of_lane_right": _nudge(-1, out=True),
    "lane_change_left": _change(1), "lane_change_right": _change(-1), "merge": merge, "split": split,
    "turn_left": _turn(1), "turn_right": _turn(-1), "u_turn": u_turn, "pull_over": pull_over, "abort": abort,
}  # fmt: skip
