"""From the expert's certificate to traces: of what it chose, and of the runner-up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from waytrace.observe import Observation, Reference, ReferenceKind, Scene
from waytrace.planners import Certificate, Choice, Foresight, Rejected
from waytrace.scenario import Plan
from waytrace.scenario.roads import RoadCache
from waytrace.trace import Cause, Decision, Present, Trace, encode, sets

from .asking import Asker, Question
from .causes import causes_of
from .decisions import Decided, decided, with_reason
from .fitting import fitting, held_of, supported
from .lay import Lay, lay_out
from .naming import Naming
from .neighbours import beside, later, passed, slower
from .predictions import arrivals_s, predictions_of
from .rejections import rejections_of
from .second_look import SecondLook
from .segments import plan_claim
from .survey import Survey, survey

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


def setting(observation: Observation, row: int, seen: Foresight, roads: RoadCache) -> Setting:
    """What the labels of row ``row`` of an observation are written from."""
    scene = observation.scenes[row]
    return Setting(scene, Present.of(observation, row), survey(scene), seen, roads)


def from_certificate(
    made: Certificate, at: Setting, before: Decision | None = None, *, runner_up: bool = False,
    asker: Asker | None = None, state: Any = None,
) -> tuple[Label, Label | None]:  # fmt: skip
    """The label of what was chosen, and on demand that of the runner-up (None where there is none).

    ``before`` is the last decision's; it tells what has changed. With an ``asker`` and the ``state`` that the expert
    carried into the decision, causes of the choice are looked at again (:mod:`.second_look`). A trace is checked
    against the grammar before it is handed over; a breach raises ``TraceError``.
    """
    best = _best_other(made)
    chosen = label_choice(
        made.chosen, at, made.rejected, made.chosen.score - best, before,
        own=own_lane(made), emergency=made.emergency, again=_second_look(made, at, asker, state),
    )  # fmt: skip
    if not runner_up or made.runner_up is None:
        return chosen, None
    other = made.runner_up
    others = [r for r in made.rejected if not _same_kind(r, other)]
    second = label_choice(
        other, at, others, other.score - made.chosen.score, before, own=own_lane(made), emergency=False
    )
    return chosen, second


def _second_look(made: Certificate, at: Setting, asker: Asker | None, state: Any) -> SecondLook | None:
    if asker is None or made.emergency:
        return None
    return SecondLook(asker, Question(at.scene, state, made.chosen.plan, own_lane(made)), made)


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
    emergency: bool, again: SecondLook | None = None,
) -> Label:  # fmt: skip
    """The label of one choice; ``gap`` is its lead in score over the best other one."""
    scene = at.scene
    choice = with_reason(choice, rejected)
    lay = lay_out(at.roads.of(scene.map, scene.route), scene, choice.plan, own, choice.lane)
    goes_on = at.survey.gives_way_here
    found = decided(choice, lay, emergency=emergency, goes_on=goes_on, before=before.lateral if before else "")
    causes = causes_of(
        choice,
        found,
        lay,
        rejected,
        passed(choice, at.seen, scene),
        slower(choice, at.survey.measured),
        beside(at.survey.measured),
        later(at.seen, found.first.reference if found.first else None),
    )
    held, dropped = held_of(causes, at.present)
    found, gate = supported(found, held)
    claim = plan_claim(choice.plan, lay, found.lateral, at.present, must_stop=False, holds=False)
    naming = Naming(scene, choice.plan, at.survey.summary, claim)
    found, kept_causes = _named(naming, found, held)
    if again is not None and not gate:
        if found.longitudinal not in sets.FREE and again.idle(kept_causes):
            found, kept_causes = _freed(found, kept_causes, naming)
        lane = Reference(ReferenceKind.LANE, lay.end_lane)
        revised = again.revised(kept_causes, found, lane if lane in at.present.row_of else None)
        found, kept_causes = _named(naming, found, revised)
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


def _named(naming: Naming, found: Decided, causes: Sequence[Cause]) -> tuple[Decided, list[Cause]]:
    """The decision by a name that holds and that its first cause bears, and the causes that it has room for."""
    held = naming.causes(causes, found.longitudinal, found.lateral)
    name, held = naming.longitudinal(found.longitudinal, found.lateral, held)
    found = replace(found, longitudinal=name)
    if name in sets.FREE:  # what the decision is not called after merely adds to it
        adds = [replace(c, role="joint") if (c.axis, c.role) == ("longitudinal", "proximate") else c for c in held]
        held = naming.causes(adds, name, found.lateral)
    return found, fitting(held, found)


def _freed(found: Decided, causes: list[Cause], naming: Naming) -> tuple[Decided, list[Cause]]:
    """The decision as a free one where that name holds, without what does not hold the speed back."""
    rest = [c for c in causes if c.axis == "lateral"]
    name, _ = naming.longitudinal("set_speed", found.lateral, rest)
    free = replace(found, longitudinal=name)
    return (free, rest) if naming.holds(name, found.lateral, rest) else (found, causes)


def _refs(causes: Sequence[Cause]) -> set[Reference]:
    return {c.ref for c in causes}


def confidence(gap: float) -> float:
    """How sure a choice is, from its lead in score over the best other one: a logistic, 0.5 where they are equal."""
    return 1.0 / (1.0 + math.exp(-min(max(gap / TEMPERATURE, -50.0), 50.0)))


def lay_of(choice: Choice, at: Setting, own: int) -> Lay:
    """How a choice's plan lies on the lanes."""
    return lay_out(at.roads.of(at.scene.map, at.scene.route), at.scene, choice.plan, own, choice.lane)
