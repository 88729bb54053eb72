"""One thing of an observation covered: what a black box is asked with, to find out what it looks at.

Only the moment is changed, not the past: the planner's memory and the ego's motion are as they were. So what is found
is an attribution, a claim to be put to the test, and no test itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.label.without import without
from waytrace.observe import REFERENCE_KIND, ROWS, Observation, Reference, ReferenceKind, Scene, column
from waytrace.scenario import LightState

from .edits import Element

_TABLES = {ReferenceKind.AGENT: "agents", ReferenceKind.STOP_LINE: "stop_lines"}


def veiled(observation: Observation, hidden: Sequence[Element | None]) -> Observation:
    """The observation with one thing covered in each row (None: nothing), in the arrays and in the scenes.

    Agents and stop lines are taken out of their table, those behind them move up; lights are green, and the pieces of
    lanes that a light or a line governs say so too. Limits and curves are left.
    """
    tables = {name: getattr(observation, name).copy() for name in ("agents", "lights", "stop_lines", "map")}
    reference = observation.reference.copy()
    scenes: list[Scene] = []
    for b, element in enumerate(hidden):
        scene = observation.scenes[b]
        if element is None or element.limit or element.curve:
            scenes.append(scene)
            continue
        kind, index = element.ref.kind, element.ref.index
        rows = np.flatnonzero((kind == REFERENCE_KIND) & (reference[b] == index))
        if kind == ReferenceKind.LIGHT and len(rows):
            first = int(np.flatnonzero(kind == REFERENCE_KIND)[0])
            shown = [column("lights", name) for name in ("is_red", "is_yellow", "is_green")]
            tables["lights"][b, rows[0] - first, shown] = (0.0, 0.0, 1.0)
        elif kind in _TABLES and len(rows):
            _take_out(tables[_TABLES[kind]][b], reference[b], int(rows[0]), kind)
        seen = without(scene, {element.ref})
        _tell_lanes(tables["map"][b], reference[b], seen, element.ref)
        scenes.append(replace(seen, reference=reference[b].copy()))
    return replace(observation, reference=reference, scenes=scenes, **tables)


def _tell_lanes(table: NDArray[Any], reference: NDArray[np.int32], scene: Scene, hidden: Reference) -> None:
    """Write into the pieces of lanes [rows, columns] what is to be obeyed at their entry with ``hidden`` covered."""
    lanes = reference[REFERENCE_KIND == ReferenceKind.LANE]
    if hidden.kind == ReferenceKind.LIGHT:
        governed = lanes == scene.light_lane[hidden.index]
        table[governed, column("map", "light")] = 1 + int(LightState.GREEN)
    elif hidden.kind == ReferenceKind.STOP_LINE:
        known = lanes >= 0
        table[known, column("map", "control")] = scene.map.lane_control[lanes[known]]


def _take_out(table: NDArray[Any], reference: NDArray[np.int32], row: int, kind: ReferenceKind) -> None:
    """Take one row out of a table [rows, columns] and of the reference row [151]; the last one becomes padding."""
    first = int(np.flatnonzero(kind == REFERENCE_KIND)[0])
    last, at = first + ROWS[_TABLES[kind]] - 1, row - first
    table[at:-1] = table[at + 1 :].copy()
    table[-1] = 0.0
    reference[row:last] = reference[row + 1 : last + 1].copy()
    reference[last] = -1
