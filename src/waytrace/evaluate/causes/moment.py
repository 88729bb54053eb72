"""One moment put to the test: how far plans move when things are undone, for every claim that is made about it.

What comes out are distances, not verdicts: the thresholds follow from all moments together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from waytrace.evaluate.audit_causes import uncited
from waytrace.label import Asker, Label, from_certificate, setting
from waytrace.observe import Scene
from waytrace.planners import Expert
from waytrace.scenario.roads import RoadCache
from waytrace.trace import Trace

from .claims import Claim, attributed, claim_of
from .edits import NONE, Element, undo
from .liars import LIARS, Occasion, random
from .mediation import mediation
from .null import irrelevant
from .rerun import EXPERT, Course, Rerun, covered, rerun
from .response import held_out, responses
from .ruler import Moves, Ruler
from .voice import edits_of, voice_of

MOST_AGENTS = 8
"""Agents that are taken away one at a time, nearest first."""
MOST_IRRELEVANT = 3
LOOKED_AT_M = 0.5
"""What moves a black box's plan by more than this when it is covered is what it is taken to claim."""

Way = Literal["trace", "certificate", "occlusion"]
"""Where a planner's claim comes from."""

HONEST, AUDITED, FLOOR, PLAN_FIRST = "honest", "planner", "planner-random", "plan-first"
"""Voices beside those of the liars: the expert, the audited planner, random claims about its plans, and its plans
without a word with its trace written afterwards."""
DRIVES = {AUDITED: AUDITED, FLOOR: AUDITED, PLAN_FIRST: PLAN_FIRST}
"""Whose plans a voice speaks of; all others speak of the expert's."""


@dataclass(frozen=True, eq=False)
class Audited:
    """Whom an audit is about."""

    planner: Any
    fast: Any = None
    """A learned planner that says nothing before it plans; None for no plan-first voice."""
    telling: Any = None
    """Of the same weights, with a trace; the audited planner itself where the weights are its own."""


def audit_moment(
    of: Course, tick: int, scene: Scene, who: Audited, asker: Asker, roads: RoadCache
) -> dict[str, Any] | None:  # fmt: skip
    """The record of one moment (``docs/causes.md`` has its fields); None where the expert has no road in reach."""
    elements, idle = _elements(scene), irrelevant(scene, roads)
    nothings = [undo(Element(ref)) for ref in idle[:MOST_IRRELEVANT]]
    asked = {AUDITED: who.planner} | ({PLAN_FIRST: who.fast} if who.fast is not None else {})
    first = rerun(of, tick, [*(undo(e) for e in elements), *nothings], asked)
    labels = _labels(first, asker, roads)
    if labels is None:
        return None
    label, runner_up = labels
    ruler = Ruler(scene)
    moves = {name: Moves(ruler, answers) for name, answers in first.answers.items()}
    way, own = _own(of, tick, who.planner, claim_of(label.trace), elements, moves[AUDITED], ruler)
    told = own if way == "trace" and who.telling is who.planner else _told(of, tick, who.telling)
    claims = _claims(claim_of(label.trace), own, told if who.fast is not None else None, scene, elements, of, tick)
    wanted = [e for claim in claims.values() for e in edits_of(claim, scene, elements, idle)]
    second = rerun(of, tick, [e for e in wanted if e not in first.edits], asked)
    for name, answers in second.answers.items():
        moves[name].add(answers)
    return {
        "scene": of.scenario.id, "family": of.scenario.family or of.scenario.source,
        "cluster": of.scenario.cluster or of.scenario.id, "tick": tick, "speed_mps": float(scene.ego.speed_mps),
        "way": way,
        "voices": {
            name: voice_of(claim, moves[DRIVES.get(name, EXPERT)], scene, elements, idle)
            for name, claim in claims.items()
        },
        "irrelevant_m": [m for edit in nothings if (m := moves[EXPERT].moved(edit)) is not None],
        "responses": responses(AUDITED, (first, second), moves[AUDITED], own, roads),
        "held_out": held_out(own, moves[AUDITED], moves[EXPERT]),
        "mediation": mediation(who.planner, first.observation, first.carried[AUDITED], runner_up, ruler.apart),
    }  # fmt: skip


def _labels(first: Rerun, asker: Asker, roads: RoadCache) -> tuple[Label, Label | None] | None:
    """The label of what the expert does without an edit, and of its runner-up; None where no road is in reach."""
    base, carried = first.answers[EXPERT][NONE], first.carried[EXPERT]
    if base.certificate is None or base.foresight is None:
        return None
    at = setting(first.observation, 0, base.foresight, roads)
    state = [carried[0]] if carried is not None else None
    return from_certificate(base.certificate, at, runner_up=True, asker=asker, state=state)


def _claims(
    honest: Claim, own: Claim, told: Claim | None, scene: Scene, elements: Sequence[Element], of: Course, tick: int
) -> dict[str, Claim]:  # fmt: skip
    """Everybody's claim, by voice."""
    draw = np.random.default_rng([tick, *of.scenario.id.encode()])
    at = Occasion(scene, honest, elements, draw)
    claims = {HONEST: honest} | {name: liar(at) for name, liar in LIARS.items()}
    claims |= {AUDITED: own, FLOOR: random(Occasion(scene, own, elements, draw))}
    return claims | ({PLAN_FIRST: told} if told is not None else {})


def _elements(scene: Scene) -> list[Element]:
    """What could be cited and undone: the nearest agents, lights ahead that are not green, lines to stop at."""
    return [Element(ref) for ref in uncited(scene, (), MOST_AGENTS)]


def _own(
    of: Course, tick: int, planner: Any, honest: Claim, elements: Sequence[Element], moves: Moves, ruler: Ruler
) -> tuple[Way, Claim]:  # fmt: skip
    """What the audited planner claims: by its trace, its certificate, or what it was found to look at."""
    base = moves.answers[NONE]
    if isinstance(base.said, Trace):
        return "trace", claim_of(base.said)
    if isinstance(planner, Expert):
        return "certificate", honest
    moved = [ruler.apart(base.plan, plan)[0] for plan in covered(of, tick, elements, planner)]
    return "occlusion", attributed(elements, moved, LOOKED_AT_M)


def _told(of: Course, tick: int, telling: Any) -> Claim:
    """What a trace-writing planner says at the moment; nothing without one."""
    if telling is None:
        return Claim()
    said = rerun(of, tick, [], {AUDITED: telling}).answers[AUDITED][NONE].said
    return claim_of(said) if isinstance(said, Trace) else Claim()
