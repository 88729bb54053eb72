"""What a trace must be before its claims can be judged: values of the slots' sets, a plan of finite numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from waytrace.observe import ReferenceKind
from waytrace.scenario import PLAN_KNOTS, Plan

from .. import sets
from ..sets import Bins, Closed
from ..types import Trace, TraceError


def validate(trace: Trace, plan: Plan | None) -> None:
    """Raises :class:`TraceError` that names the first slot whose value its set does not hold.

    What a reference points at need not exist: that is a claim, and is judged.
    """
    for claim, values, value in _values(trace):
        if isinstance(values, Closed):
            if value not in values.values:
                raise TraceError(f"{claim} is {str(value)[:40]!r}; legal: {', '.join(values.values)}")
        elif type(value) is not int or not 0 <= value < len(values):
            raise TraceError(f"{claim} is {str(value)[:40]!r}; it is the number of a bin, 0 to {len(values) - 1}")
    _segments(trace)
    for n, cause in enumerate(trace.decision.causes):
        if cause.ref.kind == ReferenceKind.EGO:
            raise TraceError(f"decision.causes[{n}].ref is the ego itself")
    if plan is not None:
        _plan(plan)


def _segments(trace: Trace) -> None:
    ends = [float(g.t_end) for g in trace.plan.segments]
    if any(b <= a for a, b in pairwise(ends)):
        raise TraceError("plan.segments end one after the other: t_end has to grow")


def _plan(plan: Plan) -> None:
    shapes = (("start", plan.start, (4,)), ("waypoints", plan.waypoints, (PLAN_KNOTS, 4)))
    for name, array, shape in shapes:
        given = np.asarray(array)
        if given.shape != shape or not np.isfinite(given).all() or (np.abs(given) > 1e9).any():
            raise TraceError(f"the plan's {name} has shape {shape} and finite values, got shape {given.shape}")


def _values(t: Trace) -> Iterator[tuple[str, Closed | Bins, object]]:
    """(claim, its set, its value) of every slot that does not hold a reference."""
    s, d, p = t.scene_summary, t.decision, t.plan
    yield "scene_summary.route_intent", sets.ROUTE_INTENT, s.route_intent
    yield "scene_summary.ego_motion", sets.EGO_MOTION, s.ego_motion
    yield "scene_summary.ego_speed_bin", sets.EGO_SPEED, s.ego_speed_bin
    yield "scene_summary.limit_bin", sets.LIMIT, s.limit_bin
    yield "scene_summary.zone", sets.ZONE, s.zone
    yield "scene_summary.signal_for_ego", sets.SIGNAL, s.signal_for_ego
    for n, e in enumerate(t.entities):
        yield f"entities[{n}].class", sets.CLASS, e.class_
        yield f"entities[{n}].relation", sets.RELATION, e.relation
        yield f"entities[{n}].gap_bin", sets.GAP, e.gap_bin
        yield f"entities[{n}].motion", sets.MOTION, e.motion
    for n, q in enumerate(t.predictions):
        yield f"predictions[{n}].intent", sets.INTENT, q.intent
        yield f"predictions[{n}].ttc_bin", sets.TTC, q.ttc_bin
        yield f"predictions[{n}].conflict_s_bin", sets.CONFLICT_S, q.conflict_s_bin
        yield f"predictions[{n}].p_bin", sets.PROBABILITY, q.p_bin
    yield "decision.longitudinal", sets.LONGITUDINAL, d.longitudinal
    yield "decision.lateral", sets.LATERAL, d.lateral
    yield "decision.changed", sets.CHANGED, d.changed
    for n, c in enumerate(d.causes):
        yield f"decision.causes[{n}].axis", sets.AXIS, c.axis
        yield f"decision.causes[{n}].role", sets.ROLE, c.role
        yield f"decision.causes[{n}].constraint", sets.CONSTRAINT, c.constraint
        yield f"decision.causes[{n}].share_bin", sets.SHARE, c.share_bin
        yield f"decision.causes[{n}].slack_bin", sets.SLACK, c.slack_bin
    for n, r in enumerate(d.rejected):
        yield f"decision.rejected[{n}].axis", sets.AXIS, r.axis
        yield f"decision.rejected[{n}].violates", sets.VIOLATES, r.violates
        yield f"decision.rejected[{n}].margin_bin", sets.MARGIN, r.margin_bin
        options = sets.LONGITUDINAL if r.axis == "longitudinal" else sets.LATERAL
        yield f"decision.rejected[{n}].option", options, r.option
    yield "decision.confidence_bin", sets.CONFIDENCE, d.confidence_bin
    yield "plan.target_speed_bin", sets.TARGET_SPEED, p.target_speed_bin
    yield "plan.stop_s_bin", sets.STOP_S, p.stop_s_bin
    for n, g in enumerate(p.segments):
        yield f"plan.segments[{n}].t_end", sets.T_END, g.t_end
        yield f"plan.segments[{n}].lon", sets.SEGMENT_LON, g.lon
        yield f"plan.segments[{n}].lat", sets.SEGMENT_LAT, g.lat
