"""What the expert would plan with a cited cause and without it: the two plans that a report draws over each other.

The expert is the witness, as in the audit: of another planner's trace this shows what there is reason for in the
scene, not what moved that planner. Only the present is edited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.label.asking import Asker, differ
from waytrace.label.without import testable
from waytrace.scenario import Plan, Rollout, Scenario
from waytrace.trace import Trace

from .audit_causes import SINGLE
from .audit_moment import AuditMoment, moments_of, there

Poses = NDArray[np.float64]
"""[17, 3] x, y (m), heading (rad) of the rear axle in the world frame: now, then each 0.5 s up to 8 s."""


@dataclass(frozen=True)
class Counterfactual:
    """One cause, or one set that overdetermines a decision, undone."""

    causes: tuple[int, ...]
    """Their places in the trace's list of causes."""
    along_m: float
    """How far the plan moves within 6 s, along the lane and across it."""
    across_m: float
    moves: bool
    """Whether that is another plan, by the labeller's threshold."""
    cited: Poses
    """The plan with everything there."""
    undone: Poses
    """The plan without the causes."""


def counterfactuals(
    scenario: Scenario, rollout: Rollout | None, told: Mapping[int, Trace], asker: Asker | None = None
) -> Iterator[tuple[int, tuple[Counterfactual, ...]]]:
    """(tick, what its causes do) of every decision that cites one which can be undone, in order of time.

    Proximate, joint and enabling causes are undone one at a time, overdetermining ones of an axis together. Routes and
    ends of lanes cannot be undone; nothing is said of them. Raises ``WaytraceError`` for a tick outside of the drive.
    """
    asked = {tick: sets for tick, trace in told.items() if (sets := _sets(trace))}
    for tick, moment in moments_of(scenario, rollout, asked, asker or Asker()):
        if moment.certificate is None:
            continue
        found = tuple(
            _undone(moment, told[tick], places) for places in asked[tick]
            if all(there(moment.scene, told[tick].decision.causes[k].ref) for k in places)
        )  # fmt: skip
        if found:
            yield tick, found


def _sets(trace: Trace) -> list[tuple[int, ...]]:
    """Places of the causes that are undone together, set by set."""
    causes = trace.decision.causes
    sets: list[tuple[int, ...]] = [(k,) for k, cause in enumerate(causes) if cause.role in SINGLE and testable(cause)]
    for axis in ("longitudinal", "lateral"):
        together = tuple(k for k, c in enumerate(causes) if c.role == "overdetermining" and c.axis == axis)
        if together and all(testable(causes[k]) for k in together):
            sets.append(together)
    return sorted(sets)


def _undone(moment: AuditMoment, trace: Trace, places: tuple[int, ...]) -> Counterfactual:
    plan = moment.plan_undone([trace.decision.causes[k] for k in places])
    along_m, across_m = moment.apart_m(moment.plan, plan)
    return Counterfactual(places, along_m, across_m, differ(along_m, across_m), _poses(moment.plan), _poses(plan))


def _poses(plan: Plan) -> Poses:
    poses: Poses = np.concatenate([plan.start[None, :3], plan.waypoints[:, :3]])
    return poses
