"""What every number of an observation means: the one table of rows and columns.

Kernels, the columns' names, the reference table's layout and ``docs/observation.md`` all follow from it. Positions and
headings are in the controlled agent's frame: origin at its box centre, x forward, y left.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

import numpy as np

AGENT_ROWS = 31
MAP_ROWS = 96
LIGHT_ROWS = 8
CROSSWALK_ROWS = 8
STOP_ROWS = 8

RANGE_M = 120.0
"""How far (centre to centre) another agent can be seen."""

FORGET_S = 3.0
"""How long an agent that went out of sight stays in the observation, at its last seen state."""


class ReferenceKind(IntEnum):
    """What a row of the reference table points at; its index counts within the scenario."""

    EGO = 0
    AGENT = 1
    LANE = 2
    LIGHT = 3
    CROSSWALK = 4
    STOP_LINE = 5
    """The index is the lane on which the line lies."""


class Column(NamedTuple):
    """One feature: its name, its unit and what it holds."""

    name: str
    unit: str
    text: str


EGO = (
    Column("speed", "m/s", "signed along the heading"),
    Column("accel", "m/s2", "change of speed during the last tick"),
    Column("yaw_rate", "rad/s", "change of heading during the last tick"),
    Column("curvature", "1/m", "yaw rate / speed; 0 below 0.5 m/s"),
    Column("length", "m", ""),
    Column("width", "m", ""),
    Column("on_lane", "0/1", "whether the agent drives on a lane"),
    Column("lane_d", "m", "offset from the lane's centre line, left positive"),
    Column("lane_heading_error", "rad", "own heading minus the lane's, in [-pi, pi)"),
    Column("limit", "m/s", "speed limit of the lane; 0 where there is none"),
    Column("on_route", "0/1", "whether the lane belongs to the route"),
    Column("route_left", "m", "distance along the route to its end; 0 without a route"),
    Column("kind", "code", "`AgentKind`"),
)
AGENT = (
    Column("x", "m", "box centre; of a lost agent, where it was last seen"),
    Column("y", "m", ""),
    Column("cos", "1", "of the heading"),
    Column("sin", "1", ""),
    Column("speed", "m/s", "signed along the heading"),
    Column("length", "m", ""),
    Column("width", "m", ""),
    Column("age", "s", "time since the agent was last seen; 0 in sight"),
    Column("visible", "0/1", "in sight now"),
    Column("kind", "code", "`AgentKind`"),
)
MAP = (
    Column("x", "m", "middle of the piece of lane"),
    Column("y", "m", ""),
    Column("cos", "1", "of the heading at the middle"),
    Column("sin", "1", ""),
    Column("length", "m", "along the centre line"),
    Column("curvature", "1/m", "of the centre line, left positive"),
    Column("left", "m", "distance from the centre line to the left boundary"),
    Column("right", "m", ""),
    Column("limit", "m/s", "speed limit; 0 where there is none"),
    Column("junction", "0/1", "inside an intersection"),
    Column("kind", "code", "`LaneKind`"),
    Column("control", "code", "`LaneControl` at the lane's entry"),
    Column("light", "code", "0 no light at the lane's entry, else 1 + `LightState`"),
    Column("on_route", "0/1", ""),
    Column("route_ahead", "m", "progress on the route at the middle minus the agent's own; 0 off the route"),
)
LIGHT = (
    Column("x", "m", "where a vehicle stops for it"),
    Column("y", "m", ""),
    Column("is_red", "0/1", "state, one-hot; all 0 where unknown or off"),
    Column("is_yellow", "0/1", ""),
    Column("is_green", "0/1", ""),
    Column("on_route", "0/1", "whether the controlled lane belongs to the route"),
    Column("route_ahead", "m", "progress at the controlled lane's entry minus the agent's own; 0 off the route"),
)
CROSSWALK = (
    Column("x", "m", "centre"),
    Column("y", "m", ""),
    Column("cos", "1", "direction of the longer axis"),
    Column("sin", "1", ""),
    Column("length", "m", "extent along that axis"),
    Column("width", "m", "extent across it"),
)
STOP = (
    Column("x", "m", "where the line crosses its lane's centre line"),
    Column("y", "m", ""),
    Column("cos", "1", "heading of the lane there"),
    Column("sin", "1", ""),
    Column("on_route", "0/1", "whether its lane belongs to the route"),
    Column("route_ahead", "m", "progress on the route at the line minus the agent's own; 0 off the route"),
)
HISTORY = (
    Column("x", "m", "box centre, in the agent's *present* frame"),
    Column("y", "m", ""),
    Column("cos", "1", "of the heading"),
    Column("sin", "1", ""),
    Column("speed", "m/s", "signed along the heading"),
)

TABLES: Mapping[str, tuple[Column, ...]] = {
    "ego": EGO,
    "agents": AGENT,
    "map": MAP,
    "lights": LIGHT,
    "crosswalks": CROSSWALK,
    "stop_lines": STOP,
    "history": HISTORY,
}
"""The columns of each array of an observation, by the array's name."""

ROWS: Mapping[str, int] = {
    "agents": AGENT_ROWS,
    "map": MAP_ROWS,
    "lights": LIGHT_ROWS,
    "crosswalks": CROSSWALK_ROWS,
    "stop_lines": STOP_ROWS,
}
"""Rows of each array of elements, in the order in which the reference table lists them."""

AGENT_AT = 0
MAP_AT = AGENT_AT + AGENT_ROWS
LIGHT_AT = MAP_AT + MAP_ROWS
CROSSWALK_AT = LIGHT_AT + LIGHT_ROWS
STOP_AT = CROSSWALK_AT + CROSSWALK_ROWS
REFERENCES = STOP_AT + STOP_ROWS
"""Rows of the reference table."""

REFERENCE_KIND = np.repeat(
    np.array([ReferenceKind.AGENT, ReferenceKind.LANE, ReferenceKind.LIGHT, ReferenceKind.CROSSWALK,
              ReferenceKind.STOP_LINE], np.int32),
    list(ROWS.values()),
)  # fmt: skip
"""[REFERENCES] the kind of each row: fixed by its place."""


def column(table: str, name: str) -> int:
    """Number of a column, e.g. ``column("agents", "speed")``. Raises ``KeyError`` naming what there is."""
    names = [c.name for c in TABLES[table]]
    if name not in names:
        raise KeyError(f"the table {table!r} has no column {name!r}; it has {', '.join(names)}")
    return names.index(name)


def markdown() -> str:
    """The tables in Markdown, as they stand in ``docs/observation.md``."""
    parts = []
    for name, columns in TABLES.items():
        rows = f"{ROWS[name]} rows" if name in ROWS else "one row a step" if name == "history" else "one row"
        parts.append(
            f"### `{name}`: {rows}, {len(columns)} columns\n\n| column | name | unit | holds |\n|---|---|---|---|"
        )
        parts[-1] += "".join(f"\n| {i} | `{c.name}` | {c.unit} | {c.text} |" for i, c in enumerate(columns))
    return "\n\n".join(parts) + "\n"
