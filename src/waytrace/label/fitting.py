"""Causes and decisions made to fit the grammar: what can be pointed at, what is needed, what there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from waytrace.trace import Cause, Present, sets
from waytrace.trace.causes import SUFFICIENT

from .decisions import Decided


def held_of(causes: Sequence[Cause], present: Present) -> tuple[list[Cause], list[str]]:
    """Causes that can be pointed at, and those that cannot, in words."""
    held = [c for c in causes if c.ref in present.row_of]
    return held, [f"{c.constraint} {c.ref}" for c in causes if c.ref not in present.row_of]


def supported(found: Decided, causes: Sequence[Cause]) -> tuple[Decided, str]:
    """The decisions that the causes at hand can carry: one whose every cause is truncated falls back to a free one."""
    gate = ""
    if found.longitudinal not in sets.FREE and not any(
        c.axis == "longitudinal" and c.role != "enabling" for c in causes
    ):
        found, gate = replace(found, longitudinal="set_speed"), "truncated"
    if found.lateral != "keep" and not any(c.axis == "lateral" for c in causes):
        found, gate = replace(found, lateral="keep"), "truncated"
    return found, gate


def fitting(causes: Sequence[Cause], found: Decided) -> list[Cause]:
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
    """An overdetermining cause that has lost the others of its set is the proximate one, or goes where there is one."""
    if sum(c.role == "overdetermining" for c in causes) != 1:
        return list(causes)
    if any(c.role == "proximate" for c in causes):
        return [c for c in causes if c.role != "overdetermining"]
    return [replace(c, role="proximate") if c.role == "overdetermining" else c for c in causes]
