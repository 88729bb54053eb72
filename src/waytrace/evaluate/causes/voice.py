"""One claim put to the test: the edits that it needs, and the distances that it is judged by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from waytrace.observe import Reference, ReferenceKind, Scene

from .claims import Claim, Group
from .edits import BARE, HELD_OUT, Edit, Element, undo
from .ruler import Moves


def edits_of(claim: Claim, scene: Scene, elements: Sequence[Element], idle: Sequence[Reference]) -> list[Edit]:
    """Every edit that a claim is tested with."""
    out = [BARE, Edit("only", claim.elements)] if claim.answers else []
    for group in claim.groups:
        out.append(undo(*group.elements))
        out += [undo(*(group.elements - {e})) for e in _members(group)]
    out += [undo(e) for e in claim.enabling]
    out += [undo(e) for e in matched(claim, scene, elements, idle)]
    agents = first_agent(claim)
    return out + [Edit(kind, frozenset({agents})) for kind in HELD_OUT if agents is not None]


def _members(group: Group) -> list[Element]:
    return sorted(group.elements) if len(group.elements) > 1 else []


def first_agent(claim: Claim) -> Element | None:
    """The first agent that is said to move the plan; None where none is."""
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


def voice_of(
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
