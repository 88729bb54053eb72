"""What else the audited planner answers to edits: in its trace, and to kinds of edits that nobody was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from waytrace.label import from_certificate, setting
from waytrace.scenario.roads import RoadCache
from waytrace.trace import Trace

from .claims import Claim, claim_of
from .edits import HELD_OUT, NONE, Edit
from .rerun import EXPERT, Answer, Rerun
from .ruler import Moves
from .voice import first_agent


def responses(name: str, reruns: Sequence[Rerun], moves: Moves, claim: Claim, roads: RoadCache) -> list[dict[str, Any]]:
    """What the audited planner says once one thing is undone; empty for one that says nothing."""
    out: list[dict[str, Any]] = []
    before = reruns[0].answers[name][NONE].said
    if not isinstance(before, Trace):
        return out
    done: set[Edit] = set()
    for each in reruns:
        for row, edit in enumerate(each.edits):
            answer, ideal = each.answers[name].get(edit), each.answers[EXPERT].get(edit)
            if edit.kind != "undo" or edit in done or answer is None or not isinstance(answer.said, Trace):
                continue
            done.add(edit)
            cited = any(edit.elements <= group.elements for group in claim.groups)
            out.append({
                "elements": [str(e) for e in sorted(edit.elements)], "cited": cited,
                "moved_m": moves.moved(edit), "said_the_same": _said(answer.said) == _said(before),
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
    named = {e._replace(ref=each.edited[edit].before(e.ref)) for e in causes.elements}
    return bool(named & edit.elements)


def _as_expert(trace: Trace, ideal: Answer | None, each: Rerun, row: int, roads: RoadCache) -> bool | None:
    """Whether both decisions are those that the expert takes there."""
    if ideal is None or ideal.certificate is None or ideal.foresight is None:
        return None
    label, _ = from_certificate(ideal.certificate, setting(each.observation, row, ideal.foresight, roads))
    d, e = trace.decision, label.trace.decision
    return (d.longitudinal, d.lateral) == (e.longitudinal, e.lateral)


def held_out(claim: Claim, moves: Moves, expert: Moves) -> list[dict[str, Any]]:
    """Kinds of edits that nobody was trained on: the planner's answer beside the expert's."""
    agent = first_agent(claim)
    if agent is None:
        return []
    out = []
    for kind in HELD_OUT:
        edit = Edit(kind, frozenset({agent}))
        out.append({
            "kind": kind, "moved_m": moves.moved(edit), "expert_m": expert.moved(edit),
            "ahead_m": moves.ahead(edit), "expert_ahead_m": expert.ahead(edit),
        })  # fmt: skip
    return out
