"""One moment put to the test: how far plans move when things are undone, for every claim that is made about it.

What comes out are distances, not verdicts: the thresholds follow from all moments together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from waytrace.evaluate.audit_causes import uncited
from waytrace.label import Asker, from_certificate, setting
from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.planners import Expert
from waytrace.scenario import Plan
from waytrace.scenario.roads import RoadCache
from waytrace.trace import Trace
from waytrace.trace.measure import PlanMeasured, measure

from .claims import Claim, Group, attributed, claim_of
from .edits import BARE, HELD_OUT, NONE, Edit, Element, undo
from .liars import LIARS, Occasion
from .mediation import mediation
from .null import RESOLUTION_M, irrelevant
from .rerun import EXPERT, Answer, Course, Rerun, covered, rerun

MOST_AGENTS = 8
"""Agents that are taken away one at a time, nearest first."""
MOST_IRRELEVANT = 3
KNOT_6S = 12

Way = Literal["trace", "certificate", "occlusion"]
"""Where a planner's claim comes from."""

HONEST, AUDITED, FLOOR, PLAN_FIRST = "honest", "planner", "planner-random", "plan-first"
"""Voices beside those of the liars: the expert, the audited planner, random claims about its plans, and its plans
without a word with its trace written afterwards."""


@dataclass(frozen=True, eq=False)
class Audited:
    """Whom an audit is about."""

    planner: Any
    fast: Any = None
    """A learned planner that says nothing before it plans; None for no plan-first voice."""
    telling: Any = None
    """Of the same weights, with a trace."""


class Ruler:
    """Plans of one moment laid along the ego's path, each measured once."""

    def __init__(self, scene: Scene) -> None:
        self._measured = measure(scene)
        self._laid: dict[int, tuple[Plan, PlanMeasured]] = {}

    def apart(self, one: Plan, other: Plan) -> tuple[float, float]:
        """(the largest displacement within 6 s, how much further the other one gets along the lane), metres."""
        a, b = self._lay(one), self._lay(other)
        away = np.hypot(a.s - b.s, a.d - b.d)[: KNOT_6S + 1]
        return float(away.max()), float(b.s[KNOT_6S] - a.s[KNOT_6S])

    def _lay(self, plan: Plan) -> PlanMeasured:
        if id(plan) not in self._laid:
            self._laid[id(plan)] = plan, PlanMeasured.of(self._measured, plan)
        return self._laid[id(plan)][1]


class Moves:
    """How far a planner's plan moves under edits."""

    def __init__(self, ruler: Ruler) -> None:
        self._ruler = ruler
        self.answers: dict[Edit, Answer] = {}

    def add(self, answers: Mapping[Edit, Answer]) -> None:
        """More edits; the answer without an edit stays the first one given."""
        self.answers = {**answers, **self.answers}

    def moved(self, edit: Edit, than: Edit = NONE) -> float | None:
        """Metres between the plans after two edits; None where nothing can be compared."""
        pair = self.answers.get(than), self.answers.get(edit)
        return None if pair[0] is None or pair[1] is None else self._ruler.apart(pair[0].plan, pair[1].plan)[0]

    def ahead(self, edit: Edit) -> float | None:
        """How much further the plan gets within 6 s after an edit."""
        found = self.answers.get(edit)
        return None if found is None else self._ruler.apart(self.answers[NONE].plan, found.plan)[1]


def audit_moment(
    of: Course, tick: int, scene: Scene, who: Audited, asker: Asker, roads: RoadCache
) -> dict[str, Any] | None:  # fmt: skip
    """The record of one moment (docs/causes.md has its fields); None where the expert has no road in reach."""
    elements = _elements(scene)
    idle = irrelevant(scene, roads)
    single = [undo(e) for e in elements]
    asked = {AUDITED: who.planner} | ({PLAN_FIRST: who.fast} if who.fast is not None else {})
    first = rerun(of, tick, [*single, *(undo(Element(ref)) for ref in idle[:MOST_IRRELEVANT])], asked)
    base = first.answers[EXPERT][NONE]
    if base.certificate is None or base.foresight is None:
        return None
    label, runner_up = from_certificate(
        base.certificate, setting(first.observation, 0, base.foresight, roads), runner_up=True, asker=asker,
        state=[first.carried[EXPERT][0]] if first.carried[EXPERT] is not None else None,
    )  # fmt: skip
    draw = np.random.default_rng([tick, *of.scenario.id.encode()])
    honest = claim_of(label.trace)
    claims = {HONEST: honest}
    occasion = Occasion(scene, honest, elements, draw)
    claims |= {name: liar(occasion) for name, liar in LIARS.items()}
    ruler = Ruler(scene)
    moves = {name: Moves(ruler) for name in first.answers}
    for name, answers in first.answers.items():
        moves[name].add(answers)
    way, claims[AUDITED] = _own(of, tick, who, honest, elements, moves[AUDITED], scene)
    claims[FLOOR] = LIARS["random"](Occasion(scene, claims[AUDITED], elements, draw))
    if who.fast is not None:
        claims[PLAN_FIRST] = claims[AUDITED] if way == "trace" else _told(of, tick, who.telling)
    driver = {AUDITED: AUDITED, FLOOR: AUDITED, PLAN_FIRST: PLAN_FIRST}
    wanted = {name: _edits(claim, scene, elements, idle) for name, claim in claims.items()}
    more = [e for edits in wanted.values() for e in edits if e not in first.edits]
    second = rerun(of, tick, more, asked)
    for name, answers in second.answers.items():
        moves[name].add(answers)
    voices = {
        name: _voice(claim, moves[driver.get(name, EXPERT)], scene, elements, idle) for name, claim in claims.items()
    }
    return {
        "scene": of.scenario.id, "family": of.scenario.family or of.scenario.source,
        "cluster": of.scenario.cluster or of.scenario.id, "tick": tick, "speed_mps": float(scene.ego.speed_mps),
        "way": way, "voices": voices,
        "irrelevant_m": [
            m for ref in idle[:MOST_IRRELEVANT] if (m := moves[EXPERT].moved(undo(Element(ref)))) is not None
        ],
        "responses": _responses((first, second), moves, claims[AUDITED], roads),
        "held_out": _held_out(claims[AUDITED], moves),
        "mediation": mediation(
            who.planner, first.observation, first.carried[AUDITED], runner_up, ruler.apart
        ),
    }  # fmt: skip


def _elements(scene: Scene) -> list[Element]:
    """What could be cited and undone: the nearest agents, lights ahead that are not green, lines to stop at."""
    return [Element(ref) for ref in uncited(scene, (), MOST_AGENTS)]


def _own(
    of: Course, tick: int, who: Audited, honest: Claim, elements: Sequence[Element], moves: Moves, scene: Scene
) -> tuple[Way, Claim]:  # fmt: skip
    """What the audited planner claims: by its trace, its certificate, or what it was found to look at."""
    said = moves.answers[NONE].said
    if isinstance(said, Trace):
        return "trace", claim_of(said)
    if isinstance(who.planner, Expert):
        return "certificate", honest
    ruler = Ruler(scene)
    moved = [ruler.apart(moves.answers[NONE].plan, plan)[0] for plan in covered(of, tick, elements, who.planner)]
    return "occlusion", attributed(elements, moved, max(RESOLUTION_M, 0.5))


def _told(of: Course, tick: int, telling: Any) -> Claim:
    """What a trace-writing planner says at the moment."""
    said = rerun(of, tick, [], {AUDITED: telling}).answers[AUDITED][NONE].said
    return claim_of(said) if isinstance(said, Trace) else Claim()


def _edits(claim: Claim, scene: Scene, elements: Sequence[Element], idle: Sequence[Reference]) -> list[Edit]:
    """Every edit that a claim is tested with."""
    out = [BARE, Edit("only", claim.elements)] if claim.answers else []
    for group in claim.groups:
        out.append(undo(*group.elements))
        out += [undo(*(group.elements - {e})) for e in _members(group)]
    out += [undo(e) for e in claim.enabling]
    out += [undo(e) for e in matched(claim, scene, elements, idle)]
    agents = _first_agent(claim)
    return out + [Edit(kind, frozenset({agents})) for kind in HELD_OUT if agents is not None]


def _members(group: Group) -> list[Element]:
    return sorted(group.elements) if len(group.elements) > 1 else []


def _first_agent(claim: Claim) -> Element | None:
    found = [e for group in claim.groups for e in sorted(group.elements) if e.ref.kind == ReferenceKind.AGENT]
    return found[0] if found else None


def matched(
    claim: Claim, scene: Scene, elements: Sequence[Element], idle: Iterable[Reference]
) -> list[Element]:  # fmt: skip
    """Uncited agents like the cited ones: for each the nearest in distance of its class; one where none is cited.

    Where the class has none left, or what is cited is no agent, the nearest of any class. Those that the threshold
    comes from are not among them.
    """
    agents = scene.agents
    row_of = {int(i): row for row, i in enumerate(agents.index)}
    away = np.hypot(*(agents.pose[:, :2] - scene.ego.pose[:2]).T)
    barred = claim.agents | set(idle)
    free = [e for e in elements if e.ref.kind == ReferenceKind.AGENT and e.ref not in barred]
    out: list[Element] = []
    cited: list[Element | None] = [e for group in claim.groups for e in sorted(group.elements)]
    for element in cited or [None]:
        row = row_of.get(element.ref.index) if element is not None and element.ref.kind == ReferenceKind.AGENT else None
        alike = [e for e in free if row is not None and agents.kind[row_of[e.ref.index]] == agents.kind[row]]
        if alike or free:
            at = float(away[row]) if row is not None else 0.0
            chosen = min(alike or free, key=lambda e: (abs(float(away[row_of[e.ref.index]]) - at), e))
            free.remove(chosen)
            out.append(chosen)
    return out


def _voice(
    claim: Claim, moves: Moves, scene: Scene, elements: Sequence[Element], idle: Sequence[Reference]
) -> dict[str, Any]:
    """The distances that a claim is judged by."""
    groups = []
    for group in claim.groups:
        whole = undo(*group.elements)
        groups.append({
            "elements": [str(e) for e in sorted(group.elements)], "axis": group.axis, "role": group.role,
            "moved_m": moves.moved(whole), "ahead_m": moves.ahead(whole),
            "member_m": [moves.moved(whole, undo(*(group.elements - {e}))) for e in _members(group)],
        })  # fmt: skip
    others = [e for e in elements if e.ref.kind == ReferenceKind.AGENT and e.ref not in set(idle)]
    alike = matched(claim, scene, elements, idle)
    everybody = bool(others) and all(e.ref in claim.agents for e in others)
    return {
        "groups": groups, "untested": list(claim.untested),
        "enabling_m": [moves.moved(undo(e)) for e in sorted(claim.enabling)],
        "matched": [str(e) for e in alike], "matched_m": [moves.moved(undo(e)) for e in alike],
        "cited_all_m": [moves.moved(undo(e)) for e in others] if everybody else [],
        "only_m": moves.moved(Edit("only", claim.elements)) if claim.answers else None,
        "bare_m": moves.moved(BARE) if claim.answers else None,
    }  # fmt: skip


def _responses(
    reruns: Sequence[Rerun], moves: Mapping[str, Moves], claim: Claim, roads: RoadCache
) -> list[dict[str, Any]]:
    """What the audited planner says once one thing is undone; empty for one that says nothing."""
    out: list[dict[str, Any]] = []
    before = reruns[0].answers[AUDITED][NONE].said
    if not isinstance(before, Trace):
        return out
    done: set[Edit] = set()
    for each in reruns:
        for row, edit in enumerate(each.edits):
            answer, ideal = each.answers[AUDITED].get(edit), each.answers[EXPERT].get(edit)
            if edit.kind != "undo" or edit in done or answer is None or not isinstance(answer.said, Trace):
                continue
            done.add(edit)
            cited = any(edit.elements <= group.elements for group in claim.groups)
            out.append({
                "elements": [str(e) for e in sorted(edit.elements)], "cited": cited,
                "moved_m": moves[AUDITED].moved(edit), "said_the_same": _said(answer.said) == _said(before),
                "still_cited": _still_cited(answer.said, each, edit),
                "as_expert": _as_expert(answer.said, ideal, each, row, roads) if cited else None,
            })  # fmt: skip
    return out


def _said(trace: Trace) -> tuple[object, ...]:
    """What a trace says the plan will be: decisions, speed and place at its end."""
    d, p = trace.decision, trace.plan
    return d.longitudinal, d.lateral, p.target_speed_bin, p.stop_s_bin


def _still_cited(trace: Trace, each: Rerun, edit: Edit) -> bool:
    causes = claim_of(trace)
    named = {Element(each.edited[edit].before(e.ref), e.limit) for e in causes.elements}
    return bool(named & edit.elements)


def _as_expert(trace: Trace, ideal: Answer | None, each: Rerun, row: int, roads: RoadCache) -> bool | None:
    """Whether both decisions are those that the expert takes there."""
    if ideal is None or ideal.certificate is None or ideal.foresight is None:
        return None
    label, _ = from_certificate(ideal.certificate, setting(each.observation, row, ideal.foresight, roads))
    d, e = trace.decision, label.trace.decision
    return (d.longitudinal, d.lateral) == (e.longitudinal, e.lateral)


def _held_out(claim: Claim, moves: Mapping[str, Moves]) -> list[dict[str, Any]]:
    """Kinds of edits that nobody was trained on: the planner's answer beside the expert's."""
    agent = _first_agent(claim)
    if agent is None:
        return []
    out = []
    for kind in HELD_OUT:
        edit = Edit(kind, frozenset({agent}))
        out.append({
            "kind": kind, "moved_m": moves[AUDITED].moved(edit), "expert_m": moves[EXPERT].moved(edit),
            "ahead_m": moves[AUDITED].ahead(edit), "expert_ahead_m": moves[EXPERT].ahead(edit),
        })  # fmt: skip
    return out
