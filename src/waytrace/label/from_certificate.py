"""From the expert's certificate to traces: of what it chose, and of the runner-up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from waytrace.observe import Observation, Reference, ReferenceKind, Scene
from waytrace.planners import Certificate, Choice, Foresight, Rejected
from waytrace.scenario import AgentKind, Plan
from waytrace.scenario.roads import RoadCache
from waytrace.trace import Cause, Decision, Present, Trace, encode, sets
from waytrace.trace.causes import SUFFICIENT
from waytrace.trace.thresholds import T

from .causes import causes_of
from .decisions import STANDING_MPS, Decided, decided, with_reason
from .lay import Lay, lay_out
from .naming import Naming
from .predictions import arrivals_s, predictions_of
from .rejections import rejections_of
from .segments import plan_claim
from .survey import Survey, survey

PASS_ROOM_M = 0.6
PASS_REACH_M = 40.0
MOST_PASSED = 2
"""Of those passed in one go so many are cited: on both axes there is room for four causes."""

NEXT_LANE_M = (1.9, 5.5)
BESIDE_BACK_M = 30.0
"""Who drives in a neighbouring lane: offsets from the own one's middle, and how far behind still counts."""

TEMPERATURE = 0.05
"""Gap between two scores at which the better one is right with odds of e to 1."""


@dataclass(frozen=True)
class Label:
    """A trace with its plan: what the labeller says about one decision."""

    trace: Trace
    plan: Plan
    decided: Decided
    dropped: tuple[str, ...] = ()
    """Claims that were left out since the observation's arrays do not hold what they point at, in words."""
    gate: str = ""
    """Empty; ``truncated`` where the decision itself had to give way because its cause cannot be pointed at;
    ``verified`` or ``rejected`` by re-simulation; ``unexplained`` for a recorded drive that nothing explains."""


@dataclass(frozen=True, eq=False)
class Setting:
    """One moment with all that a label is written from."""

    scene: Scene
    present: Present
    survey: Survey
    seen: Foresight
    roads: RoadCache

    def kind_of(self, agent: int) -> int:
        """:class:`AgentKind` of an agent by its number."""
        return int(self.scene.agents.kind[np.flatnonzero(self.scene.agents.index == agent)[0]])


def setting(observation: Observation, row: int, seen: Foresight, roads: RoadCache) -> Setting:
    """What the labels of row ``row`` of an observation are written from."""
    scene = observation.scenes[row]
    return Setting(scene, Present.of(observation, row), survey(scene), seen, roads)


def from_certificate(
    made: Certificate, at: Setting, before: Decision | None = None, *, runner_up: bool = False
) -> tuple[Label, Label | None]:
    """The label of what was chosen, and on demand that of the runner-up (None where there is none).

    ``before`` is the last decision's; it tells what has changed. A trace is checked against the grammar before it is
    handed over; a breach raises ``TraceError``.
    """
    best = _best_other(made)
    chosen = label_choice(
        made.chosen, at, made.rejected, made.chosen.score - best, before,
        own=own_lane(made), emergency=made.emergency,
    )  # fmt: skip
    if not runner_up or made.runner_up is None:
        return chosen, None
    other = made.runner_up
    others = [r for r in made.rejected if not _same_kind(r, other)]
    second = label_choice(
        other, at, others, other.score - made.chosen.score, before, own=own_lane(made), emergency=False
    )
    return chosen, second


def own_lane(made: Certificate) -> int:
    """The lane that the ego drives: that of the options that keep it."""
    return int(made.considered.lane[made.considered.sideways.index("keep")])


def _best_other(made: Certificate) -> float:
    """Best score among clean proposals of another kind than the chosen one; minus infinity for none."""
    if made.runner_up is not None:
        return made.runner_up.score
    mine = made.chosen.lengthwise, made.chosen.sideways
    considered = made.considered
    kinds = zip(considered.lengthwise, considered.sideways, strict=True)
    other = np.array([kind != mine for kind in kinds]) & considered.clean
    return float(considered.score[other].max()) if other.any() else -math.inf


def _same_kind(r: Rejected, choice: Choice) -> bool:
    if r.axis == "lateral":
        return (r.sideways, np.sign(r.offset_m)) == (choice.sideways, np.sign(choice.offset_m))
    return r.lengthwise == choice.lengthwise


def label_choice(
    choice: Choice, at: Setting, rejected: Sequence[Rejected], gap: float, before: Decision | None, *, own: int,
    emergency: bool,
) -> Label:  # fmt: skip
    """The label of one choice; ``gap`` is its lead in score over the best other one."""
    scene = at.scene
    choice = with_reason(choice, rejected)
    lay = lay_out(at.roads.of(scene.map, scene.route), scene, choice.plan, own, choice.lane)
    goes_on = at.survey.gives_way_here
    found = decided(choice, lay, emergency=emergency, goes_on=goes_on, before=before.lateral if before else "")
    causes = causes_of(choice, found, lay, rejected, _passed(choice, at), _slower(choice, at), _beside(choice, at))
    held, dropped = _held(causes, at.present)
    found, gate = _supported(found, held)
    claim = plan_claim(choice.plan, lay, found.lateral, at.present, must_stop=False, holds=False)
    naming = Naming(scene, choice.plan, at.survey.summary, claim)
    held = naming.causes(held, found.longitudinal, found.lateral)
    name, held = naming.longitudinal(found.longitudinal, found.lateral, held)
    found = replace(found, longitudinal=name)
    kept_causes = _fitting(held, found)
    options = [
        r for r in rejections_of(rejected, found, lay, goes_on=goes_on)
        if r.ref is None or r.ref in at.present.row_of
    ][: sets.MOST_REJECTED]  # fmt: skip
    changed = before is not None and (before.longitudinal, before.lateral) != (found.longitudinal, found.lateral)
    decision = Decision(
        found.longitudinal, found.lateral, "yes" if changed else "no", tuple(kept_causes), tuple(options),
        sets.CONFIDENCE.number(confidence(gap)),
    )  # fmt: skip
    cited = {r.ref: r.violates for r in options[::-1] if r.ref is not None}
    cited = {c.ref: c.constraint for c in kept_causes} | {k: v for k, v in cited.items() if k not in _refs(kept_causes)}
    entities = at.survey.entities(cited, at.present)
    arrival = arrivals_s(choice.plan.waypoints, choice.plan.start)
    expected = predictions_of([e.ref for e in entities], scene, at.seen, arrival)
    expected.sort(key=lambda p: at.present.row_of[p.ref])
    claim = plan_claim(
        choice.plan, lay, found.lateral, at.present, must_stop=found.longitudinal in ("stop", "hold"),
        holds=found.longitudinal == "hold",
    )  # fmt: skip
    trace = Trace(at.survey.summary, tuple(entities), tuple(expected[: sets.MOST_PREDICTIONS]), decision, claim)
    encode(trace, at.present)
    return Label(trace, choice.plan, found, tuple(dropped), gate)


def _passed(choice: Choice, at: Setting) -> list[Reference]:
    """Those that a pass leads round, the one it is about first: who stands where the middle of the lane leads."""
    if choice.about is None:
        return []
    group, side = [choice.about], choice.offset_m
    seen = at.seen
    s, d, along, across, speed = seen.place[0, :, :5].T
    reach = seen.half_width_m + across + PASS_ROOM_M
    first = {int(i): k for k, i in enumerate(seen.index)}.get(choice.about.index)
    for a in np.argsort(s, kind="stable"):
        stands = abs(float(speed[a])) < STANDING_MPS and at.kind_of(int(seen.index[a])) != AgentKind.PEDESTRIAN
        beside = np.isfinite(s[a]) and abs(d[a]) < reach[a] and s[a] + along[a] > seen.front_s - 5.0
        if first is None or a == first or not stands or not beside or s[a] - s[first] > PASS_REACH_M:
            continue
        if side * d[a] < 0.0 or abs(d[a]) < seen.half_width_m:
            group.append(Reference(ReferenceKind.AGENT, int(seen.index[a])))
    return group[:MOST_PASSED]


def _slower(choice: Choice, at: Setting) -> Reference | None:
    """Whoever drives ahead in the ego's lane, slower than the plan means to get; None for nobody."""
    m = at.survey.measured
    if not m.leads:
        return None
    lead = m.leads[0]
    slower = float(m.others.v_along[lead]) < choice.target_speed_mps - 0.5
    return Reference(ReferenceKind.AGENT, int(m.others.index[lead])) if slower else None


def _beside(choice: Choice, at: Setting) -> dict[str, Reference]:
    """The nearest one ahead, else behind, in each neighbouring lane who is slower than the limit lets one be."""
    m, out = at.survey.measured, {}
    o = m.others
    for side, sign in (("left", 1.0), ("right", -1.0)):
        there = (np.abs(o.turned) < math.radians(T.aligned_deg)) & (np.abs(o.d) < NEXT_LANE_M[1]) & np.isfinite(o.s)
        rows = np.flatnonzero(there & (sign * o.d > NEXT_LANE_M[0]) & (o.s > -BESIDE_BACK_M) & (o.s < T.lead_gap_m))
        if len(rows):
            nearest = min(rows, key=lambda a: (o.s[a] < 0.0, abs(o.s[a])))
            out[side] = Reference(ReferenceKind.AGENT, int(o.index[nearest]))
    return out


def _refs(causes: Sequence[Cause]) -> set[Reference]:
    return {c.ref for c in causes}


def confidence(gap: float) -> float:
    """How sure a choice is, from its lead in score over the best other one: a logistic, 0.5 where they are equal."""
    return 1.0 / (1.0 + math.exp(-min(max(gap / TEMPERATURE, -50.0), 50.0)))


def _fitting(causes: Sequence[Cause], found: Decided) -> list[Cause]:
    """At most four causes by the grammar's rules: those that carry a decision first, enabling ones last."""
    free = found.longitudinal in sets.FREE
    speed = [c for c in causes if c.axis == "longitudinal" and c.role != "enabling"]
    if free:  # they cost some speed, but not so much that the decision would be called after them
        speed = [replace(c, role="joint") for c in speed]
    across = [c for c in causes if c.axis == "lateral" and c.role != "enabling"]
    enabling = [c for c in causes if c.role == "enabling" and not (free and c.axis == "longitudinal")]
    if not free and not any(c.role in SUFFICIENT for c in speed):
        speed = [replace(speed[0], role="proximate"), *speed[1:]]
    needed = 2 if len(across) > 1 else 1 if found.lateral != "keep" else 0
    lead = [c for c in speed if c.role in SUFFICIENT]
    rest = sorted((c for c in speed if c.role not in SUFFICIENT), key=lambda c: -c.share_bin)
    speed = _paired([*lead, *rest][: sets.MOST_CAUSES - needed])
    across = _paired(across[: sets.MOST_CAUSES - len(speed)])
    enabling.sort(key=lambda c: found.lateral != "keep" and c.axis != "lateral")
    return [*speed, *across, *enabling][: sets.MOST_CAUSES]


def _paired(causes: Sequence[Cause]) -> list[Cause]:
    """An overdetermining cause that has lost the others of its set is the proximate one."""
    alone = sum(c.role == "overdetermining" for c in causes) == 1
    return [replace(c, role="proximate") if alone and c.role == "overdetermining" else c for c in causes]


def _held(causes: Sequence[Cause], present: Present) -> tuple[list[Cause], list[str]]:
    """Causes that can be pointed at, and those that cannot, in words."""
    held = [c for c in causes if c.ref in present.row_of]
    return held, [f"{c.constraint} {c.ref}" for c in causes if c.ref not in present.row_of]


def _supported(found: Decided, causes: Sequence[Cause]) -> tuple[Decided, str]:
    """The decisions that the causes at hand can carry: one whose every cause is truncated falls back to a free one."""
    gate = ""
    if found.longitudinal not in sets.FREE and not any(c.axis == "longitudinal" for c in causes):
        found, gate = replace(found, longitudinal="set_speed"), "truncated"
    if found.lateral != "keep" and not any(c.axis == "lateral" for c in causes):
        found, gate = replace(found, lateral="keep"), "truncated"
    return found, gate


def lay_of(choice: Choice, at: Setting, own: int) -> Lay:
    """How a choice's plan lies on the lanes."""
    return lay_out(at.roads.of(at.scene.map, at.scene.route), at.scene, choice.plan, own, choice.lane)
