"""A trace in English, from templates: one sentence, or one line for every claim."""

from __future__ import annotations

from waytrace.observe import Reference

from . import sets
from .types import Cause, Entity, Prediction, Rejection, Trace

_LONGITUDINAL = {
    "set_speed": "drives at the speed it wants",
    "follow": "follows",
    "adapt_speed": "adapts its speed",
    "gap_search": "looks for a gap",
    "pass": "passes",
    "yield": "yields",
    "stop": "stops",
    "hold": "stays where it stands",
    "proceed": "goes on",
    "emergency_brake": "brakes as hard as it can",
}
_LATERAL = {
    "keep": "",
    "merge": "merges",
    "split": "takes the branch",
    "u_turn": "turns round",
    "pull_over": "pulls over",
    "abort": "comes back into its lane",
    **{f"nudge_in_lane_{side}": f"moves {side} within its lane" for side in ("left", "right")},
    **{f"nudge_out_of_lane_{side}": f"moves {side}, over the edge of its lane" for side in ("left", "right")},
    **{f"lane_change_{side}": f"changes to the lane on the {side}" for side in ("left", "right")},
    **{f"turn_{side}": f"turns {side}" for side in ("left", "right")},
}
_BECAUSE = {
    "headway": "{who} is ahead",
    "stop_point": "it has to stop for {who}",
    "cross_conflict": "its way crosses that of {who}",
    "merge_gap": "{who} leaves a gap only so wide",
    "speed_cap": "of the speed limit on {who}",
    "curve_lat_accel": "of the bend of {who}",
    "lateral_clearance": "{who} leaves only so much room",
    "route_feasibility": "the route leads along {who}",
    "occlusion_speed": "{who} could hide someone",
    "required_decel": "{who} would else call for harder braking",
}
_VIOLATES = {
    "headway": "it would come too close to {who}",
    "stop_point": "it would pass where it has to stop for {who}",
    "cross_conflict": "it would get in the way of {who}",
    "merge_gap": "the gap at {who} is too small",
    "speed_cap": "it would exceed the limit on {who}",
    "curve_lat_accel": "it would be too fast for the bend of {who}",
    "lateral_clearance": "there is too little room beside {who}",
    "route_feasibility": "{who} does not lead on along the route",
    "occlusion_speed": "{who} could hide someone",
    "required_decel": "{who} would call for too hard braking",
    "nothing": "it is worse",
}


def sentence(trace: Trace) -> str:
    """The decision and its reasons in one sentence: ``The ego yields, because its way crosses that of agent 4.``"""
    decision = trace.decision
    sideways = _LATERAL[decision.lateral]
    said = f"The ego {_LONGITUDINAL[decision.longitudinal]}" + (f" and {sideways}" if sideways else "")
    causes = [c for c in decision.causes if c.role != "enabling"]
    if not causes:
        return said + "."
    reasons = list(dict.fromkeys(_because(c, trace) for c in causes))
    return f"{said}, because {_listed(reasons)}."


def paragraphs(trace: Trace) -> list[str]:
    """Every claim in a line of its own, stage by stage."""
    s, d, p = trace.scene_summary, trace.decision, trace.plan
    lines = [
        f"The ego is {s.ego_motion} at {sets.EGO_SPEED.range_text(s.ego_speed_bin)}; limit "
        f"{sets.LIMIT.range_text(s.limit_bin)}; route: {_plain(s.route_intent)}; {_plain(s.zone)}; light: "
        f"{s.signal_for_ego}."
    ]
    lines += [_entity(e) for e in trace.entities]
    lines += [_prediction(q, trace) for q in trace.predictions]
    lines.append(sentence(trace) + (" This is new." if d.changed == "yes" else ""))
    lines += [_cause(c, trace) for c in d.causes]
    lines += [_rejection(r, trace) for r in d.rejected]
    stop = "" if p.stop_s_bin == len(sets.STOP_S.edges) else f", to a halt after {sets.STOP_S.range_text(p.stop_s_bin)}"
    lane = f" on {_name(p.target_lane, trace)}" if p.target_lane else ""
    lines.append(f"Plan: {sets.TARGET_SPEED.range_text(p.target_speed_bin)} at the end{lane}{stop}.")
    lines += [f"Until {g.t_end} s: {_plain(g.lon)}, {_plain(g.lat)}." for g in p.segments]
    return lines


def _entity(e: Entity) -> str:
    doing = "" if e.motion == "none" else f", {e.motion}"
    return f"{_capital(_called(e.ref, e.class_))}: {_plain(e.relation)}, {sets.GAP.range_text(e.gap_bin)} away{doing}."


def _prediction(q: Prediction, trace: Trace) -> str:
    probability, ttc = sets.PROBABILITY.range_text(q.p_bin), sets.TTC.range_text(q.ttc_bin)
    return (
        f"{_capital(_name(q.ref, trace))} is expected: {_plain(q.intent)} (probability {probability}); time to "
        f"collision {ttc}, paths meet in {sets.CONFLICT_S.range_text(q.conflict_s_bin)}."
    )


def _cause(c: Cause, trace: Trace) -> str:
    return (
        f"{_capital(c.role)} cause ({c.axis}): {_because(c, trace)}; share of the speed lost "
        f"{sets.SHARE.range_text(c.share_bin)}, slack {sets.SLACK.range_text(c.slack_bin)}."
    )


def _rejection(r: Rejection, trace: Trace) -> str:
    who = _name(r.ref, trace) if r.ref else ""
    why = _VIOLATES[r.violates].format(who=who)
    return f"Not {_plain(r.option)}: {why}, by {sets.MARGIN.range_text(r.margin_bin)}."


def _because(c: Cause, trace: Trace) -> str:
    return _BECAUSE[c.constraint].format(who=_name(c.ref, trace))


def _name(ref: Reference | None, trace: Trace) -> str:
    """What is pointed at, by the class that the trace gives it where it does."""
    if ref is None:
        return "nothing"
    known = {e.ref: e.class_ for e in trace.entities}
    return _called(ref, known.get(ref, ref.kind.name.lower()))


def _called(ref: Reference, class_: str) -> str:
    return f"{_plain(class_)} {ref.index}"


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
