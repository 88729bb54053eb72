"""What can be undone in a scenario, and the edits of an audit: undo, keep only, shift, slow, delay.

Scenarios are edited, not scenes, so that the past is edited too. Routes, ends of lanes and crosswalks cannot be undone:
who drives there would have to be moved along.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from waytrace.label.without import eased
from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import LightState, Scenario
from waytrace.scenario.bends import Pose, straighten
from waytrace.scenario.edits import delay, keep_only, remove, set_light, shift, slow
from waytrace.trace import Cause

SHIFT_M, SLOWER, LATER_S = 8.0, 0.5, 1.0
"""Held-out kinds: an agent further ahead on its own heading, at half its speed, a second later."""

Kind = Literal["none", "undo", "only", "shift", "slow", "delay"]
HELD_OUT: tuple[Kind, ...] = ("shift", "slow", "delay")


class Element(NamedTuple):
    """Something in a scenario that can be undone; indices are those of the scenario before any edit."""

    ref: Reference
    limit: bool = False
    """Of a lane: its speed limit, rather than the duty to stop at its entry."""
    curve: bool = False
    """Of a lane: its bend."""

    def __str__(self) -> str:
        return f"limit of {self.ref}" if self.limit else f"curve of {self.ref}" if self.curve else str(self.ref)


class Edit(NamedTuple):
    """One change of a scenario; equal edits give equal scenarios."""

    kind: Kind
    elements: frozenset[Element] = frozenset()
    """What is undone, alone kept, or (one agent) shifted, slowed or delayed."""

    @property
    def straightens(self) -> bool:
        """Whether a curve is undone: plans are then of roads of different shape."""
        return self.kind == "undo" and any(e.curve for e in self.elements)


NONE = Edit("none")
BARE = Edit("only")
"""Nobody else about, every light green."""


@dataclass(frozen=True)
class Edited:
    """A scenario after an edit."""

    scenario: Scenario
    agents: tuple[int, ...]
    """Of each agent the index that it had before."""

    def before(self, ref: Reference) -> Reference:
        """What a reference of the edited scenario was called before."""
        return Reference(ref.kind, self.agents[ref.index]) if ref.kind == ReferenceKind.AGENT else ref


def element_of(cause: Cause) -> Element | None:
    """What is undone to put a cause to the test; None for what cannot be."""
    kind = cause.ref.kind
    if kind in (ReferenceKind.AGENT, ReferenceKind.LIGHT, ReferenceKind.STOP_LINE):
        return Element(cause.ref)
    if kind == ReferenceKind.LANE and cause.constraint in ("speed_cap", "stop_point", "curve_lat_accel"):
        return Element(cause.ref, cause.constraint == "speed_cap", cause.constraint == "curve_lat_accel")
    return None


def undo(*elements: Element) -> Edit:
    """Without some things, all at once."""
    return Edit("undo", frozenset(elements))


def edited(scenario: Scenario, edit: Edit, at: Pose | None = None) -> Edited:
    """The scenario after an edit: agents gone, lights green, no duty to stop, limits doubled, curves straight.

    Curves are straightened ahead of the ego's pose ``at`` the moment (at the start without it). "Only" takes away all
    agents but those named and turns all other lights green; lines, limits and curves stay, as in
    :func:`waytrace.label.without.only`. Raises :class:`EditError` for what the scenario does not have, and for a curve
    that cannot be straightened (:func:`waytrace.scenario.bends.straighten`).
    """
    everyone = range(len(scenario.agents))
    agents = _indices(edit.elements, ReferenceKind.AGENT)
    if edit.kind == "undo":
        out = remove(scenario, agents) if agents else scenario
        out = _eased(_green(out, _indices(edit.elements, ReferenceKind.LIGHT)), edit.elements)
        for curve in sorted(e.ref.index for e in edit.elements if e.curve):
            out = straighten(out, curve, at)
        return Edited(out, tuple(i for i in everyone if i not in agents))
    if edit.kind == "only":
        kept = {*agents, scenario.ego_index}
        lights = set(range(len(scenario.lights.lane))) - _indices(edit.elements, ReferenceKind.LIGHT)
        return Edited(_green(keep_only(scenario, agents), lights), tuple(i for i in everyone if i in kept))
    out = scenario
    for agent in sorted(agents):
        if edit.kind == "shift":
            out = shift(out, agent, SHIFT_M)
        elif edit.kind == "slow":
            out = slow(out, agent, SLOWER)
        elif edit.kind == "delay":
            out = delay(out, agent, LATER_S)
    return Edited(out, tuple(everyone))


def _indices(elements: Iterable[Element], kind: ReferenceKind) -> set[int]:
    return {e.ref.index for e in elements if e.ref.kind == kind}


def _green(scenario: Scenario, lights: Collection[int]) -> Scenario:
    for light in sorted(lights):
        scenario = set_light(scenario, light, LightState.GREEN)
    return scenario


def _eased(scenario: Scenario, elements: Collection[Element]) -> Scenario:
    lines = _indices(elements, ReferenceKind.STOP_LINE)
    stops = {e.ref.index for e in elements if e.ref.kind == ReferenceKind.LANE and not (e.limit or e.curve)}
    limits = {e.ref.index for e in elements if e.ref.kind == ReferenceKind.LANE and e.limit}
    road = scenario.map
    if lines or stops:
        road = eased(road, lines, stops)
    if limits:
        road = eased(road, (), limits, limits=True)
    return scenario if road is scenario.map else scenario.with_(map=road, id=f"{scenario.id}+eased")
