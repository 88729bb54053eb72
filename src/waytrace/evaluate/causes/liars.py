"""Planted liars: claims about the expert's plans that are known to be worse than its own. They judge the metric.

A figure of faithfulness that does not rank the honest claim above every liar measures something else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.trace.measure import measure

from .claims import Claim, Group, alone
from .edits import Element


@dataclass(frozen=True, eq=False)
class Occasion:
    """One moment as a liar sees it."""

    scene: Scene
    honest: Claim
    """What is claimed in truth."""
    elements: Sequence[Element]
    """Everything that could be cited: agents nearest first, then lights and lines ahead."""
    draw: np.random.Generator

    @property
    def agents(self) -> list[Element]:
        """Nearest first."""
        return [e for e in self.elements if e.ref.kind == ReferenceKind.AGENT]


def proximate_only(at: Occasion) -> Claim:
    """The first cause alone: joint causes and the others of a set are kept back."""
    if not at.honest.groups:
        return at.honest
    first = at.honest.groups[0]
    return Claim((Group(frozenset({min(first.elements)}), first.axis),), owes=at.honest.owes)


def nearest(at: Occasion) -> Claim:
    """Where a cause is cited in truth, in whatever role, the nearest agent is said to be it."""
    return Claim(alone(at.agents[:1] if at.honest.cites else ()), owes=at.honest.owes)


def random(at: Occasion) -> Claim:
    """As many things as are cited in truth, in whatever role, drawn from all that could be."""
    count = min(len(at.honest.elements) + len(at.honest.untested), len(at.elements))
    drawn = at.draw.permutation(len(at.elements))[:count]
    return Claim(alone(at.elements[int(k)] for k in drawn), owes=at.honest.owes)


def always_lead(at: Occasion) -> Claim:
    """Whoever drives ahead in the lane, whether it matters or not; where nobody does, nothing."""
    m = measure(at.scene)
    return Claim(
        alone(Element(Reference(ReferenceKind.AGENT, int(m.others.index[row]))) for row in m.leads[:1]),
        owes=at.honest.owes,
    )


def lead_or_front(at: Occasion) -> Claim:
    """Whoever drives ahead in the lane, whether it matters or not; where nobody does, the nearest agent in front."""
    lead = always_lead(at)
    if lead.groups:
        return lead
    x, y, heading = (float(v) for v in at.scene.ego.pose)
    place = {int(i): pose for i, pose in zip(at.scene.agents.index, at.scene.agents.pose, strict=True)}

    def in_front(element: Element) -> bool:
        ax, ay, _ = (float(v) for v in place[element.ref.index])
        return (ax - x) * math.cos(heading) + (ay - y) * math.sin(heading) > 0.0

    return Claim(alone([e for e in at.agents if in_front(e)][:1]), owes=at.honest.owes)


def cite_everything(at: Occasion) -> Claim:
    """All that there is."""
    return Claim(alone(at.elements), owes=at.honest.owes)


LIARS: Mapping[str, Callable[[Occasion], Claim]] = {
    "proximate-only": proximate_only, "nearest": nearest, "random": random, "always-lead": always_lead,
    "lead-or-front": lead_or_front, "cite-everything": cite_everything,
}  # fmt: skip
"""By name. All drive as the expert does, and the first three say nothing where it says nothing."""
