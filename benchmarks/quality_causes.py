"""Cited causes as sets beside those of the label, and what trivial ones would get."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from waytrace.evaluate.causes.claims import Claim, alone
from waytrace.evaluate.causes.edits import Element
from waytrace.evaluate.causes.liars import Occasion, always_lead, nearest
from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.trace import Cause, Trace

Key = Callable[[Cause], object]
"""What two causes have to have in common to be the same one."""

KINDS: Mapping[str, tuple[Key, str]] = {
    "cited": (lambda c: c.ref, "what is pointed at, whatever the axis"),
    "longitudinal": (lambda c: c.ref, "of the longitudinal decision"),
    "lateral": (lambda c: c.ref, "of the lateral decision"),
    "role": (lambda c: (c.ref, c.axis, c.role), "with axis and role"),
    "constraint": (lambda c: (c.ref, c.axis, c.constraint), "with axis and constraint"),
    "proximate": (lambda c: (c.ref, c.axis), "proximate ones alone"),
    "other roles": (lambda c: (c.ref, c.axis), "joint, overdetermining and enabling ones alone"),
}
"""By name: what is compared, in words."""


def causes_of(trace: Trace, kind: str) -> frozenset[object]:
    """The set of a trace's causes that a kind compares."""
    kept = trace.decision.causes
    if kind in ("longitudinal", "lateral"):
        kept = tuple(c for c in kept if c.axis == kind)
    elif kind == "proximate":
        kept = tuple(c for c in kept if c.role == "proximate")
    elif kind == "other roles":
        kept = tuple(c for c in kept if c.role != "proximate")
    return frozenset(KINDS[kind][0](c) for c in kept)


def overlap(mine: Iterable[object], theirs: Iterable[object]) -> tuple[int, int, int]:
    """(how many in both, how many in mine, how many in theirs): F1 is 2 * both / (mine + theirs)."""
    a, b = set(mine), set(theirs)
    return len(a & b), len(a), len(b)


def trivial(label: Trace, scene: Scene) -> dict[str, frozenset[object]]:
    """What somebody would cite who looks at nothing but who is near; the nearest one where the label has a cause."""
    pose = scene.ego.pose
    agents = scene.agents
    far = np.hypot(agents.pose[:, 0] - pose[0], agents.pose[:, 1] - pose[1])
    elements = [Element(Reference(ReferenceKind.AGENT, int(agents.index[k]))) for k in np.argsort(far, kind="stable")]
    honest = Claim(alone(Element(c.ref) for c in label.decision.causes))
    at = Occasion(scene, honest, elements, np.random.default_rng(0))
    return {
        "nearest": _cited(nearest(at)),
        "lead": _cited(always_lead(at)),
    }


def _cited(claim: Claim) -> frozenset[object]:
    return frozenset(e.ref for group in claim.groups for e in group.elements)
