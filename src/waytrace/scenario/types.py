"""The types of a driving scenario. World frame: metres, x east, y north; headings in radians, counter-clockwise.

Shape legend: L lanes, K lights, N agents, T steps (``dt_s`` apart), S stop lines, G route groups.
Every array is C-contiguous; entries that ``valid`` marks false are padding and hold 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import Polylines

DT_S = 0.1
"""Length of a simulator tick and of a recorded step, in seconds."""


class AgentKind(IntEnum):
    """What a road user is."""

    VEHICLE = 0
    LARGE_VEHICLE = 1
    MOTORCYCLE = 2
    CYCLIST = 3
    PEDESTRIAN = 4
    STATIC = 5
    """A thing that does not move by itself: cone, barrier, debris."""
    UNKNOWN = 6


class LightState(IntEnum):
    """What a traffic light shows to one lane."""

    UNKNOWN = 0
    RED = 1
    YELLOW = 2
    GREEN = 3
    OFF = 4


class LaneKind(IntEnum):
    """What a lane is for."""

    VEHICLE = 0
    BUS = 1
    BIKE = 2
    OTHER = 3
    """Shoulder, parking, border: road surface that no route uses."""


class LaneControl(IntEnum):
    """What regulates the entry of a lane (of a connector, as a rule)."""

    NONE = 0
    YIELD = 1
    STOP = 2
    SIGNAL = 3
    PRIORITY = 4


@dataclass(frozen=True)
class RoadMap:
    """Lanes, stop lines, crosswalks and drivable area of one place.

    A lane's boundaries run in its direction of travel. ``successor`` is ragged: lane ``i`` leads on to lanes
    ``successor[successor_start[i]:successor_start[i + 1]]``. Neighbours are lanes of the *same* direction that a
    vehicle may change to, -1 for none. A missing speed limit is NaN.
    """

    lane_id: tuple[str, ...]
    centre: Polylines
    left: Polylines
    right: Polylines
    successor: NDArray[np.int32]
    successor_start: NDArray[np.int32]
    left_neighbor: NDArray[np.int32]
    right_neighbor: NDArray[np.int32]
    speed_limit_mps: NDArray[np.float64]
    lane_kind: NDArray[np.uint8]
    in_intersection: NDArray[np.bool_]
    lane_control: NDArray[np.uint8]
    """[L] :class:`LaneControl` at the lane's *entry*."""
    stop_line_xy: NDArray[np.float64]
    """[S, 2, 2] end points of each stop line."""
    stop_line_lane: NDArray[np.int32]
    """[S] lane on which a vehicle comes to the line (the lane before the connector)."""
    crosswalk: Polylines
    """Polygons."""
    drivable: Polylines
    """Polygons whose union may be driven on. Where the source has none, the polygons of its lanes."""

    def __len__(self) -> int:
        return len(self.lane_id)

    def successors(self, lane: int) -> NDArray[np.int32]:
        """Lanes that ``lane`` leads on to."""
        return self.successor[self.successor_start[lane] : self.successor_start[lane + 1]]


@dataclass(frozen=True)
class Lights:
    """Traffic lights per step. A light controls the *entry* into ``lane[k]`` (a connector)."""

    lane: NDArray[np.int32]
    """[K] the controlled lane."""
    xy: NDArray[np.float64]
    """[K, 2] where a vehicle stops for it."""
    state: NDArray[np.uint8]
    """[T, K] :class:`LightState`; the last row holds on after the recording's end."""

    @classmethod
    def none(cls, steps: int) -> Lights:
        """No lights."""
        return cls(np.zeros(0, np.int32), np.zeros((0, 2)), np.zeros((steps, 0), np.uint8))


@dataclass(frozen=True)
class Agents:
    """Road users: constant kind and box, state per step. Positions are box centres."""

    agent_id: tuple[str, ...]
    kind: NDArray[np.uint8]
    size_m: NDArray[np.float64]
    """[N, 2] length, width."""
    xy: NDArray[np.float64]
    """[N, T, 2]."""
    heading_rad: NDArray[np.float64]
    """[N, T]."""
    velocity_mps: NDArray[np.float64]
    """[N, T, 2] in the world frame."""
    valid: NDArray[np.bool_]
    """[N, T]."""

    def __len__(self) -> int:
        return len(self.agent_id)


@dataclass(frozen=True)
class Route:
    """Where the ego is to go: lane groups in order, each all the lanes of one road that lead on.

    Frozen at import. A group holds every parallel lane from which the next group can still be reached, so that a
    log's own lane changes do not leak into it.
    """

    groups: tuple[tuple[int, ...], ...]

    @property
    def lanes(self) -> tuple[int, ...]:
        """Every lane of the route, group by group."""
        return tuple(lane for group in self.groups for lane in group)


class Trigger(IntEnum):
    """What sets a script off."""

    TIME = 0
    """``trigger_value`` seconds after the start step."""
    EGO_TIME = 1
    """The ego, at its present speed, is ``trigger_value`` seconds from ``at_xy`` (or passes it)."""
    EGO_DISTANCE = 2
    """The ego is within ``trigger_value`` metres of ``at_xy``."""
    AFTER = 3
    """``trigger_value`` seconds after the script before it in the list, which must be the same agent's, went off."""


class Action(IntEnum):
    """What an agent does from the moment its script is set off."""

    BRAKE = 0
    """Decelerate at ``value`` m/s2 to ``target_speed_mps``."""
    CHANGE_LANE = 1
    """Move to ``target_lane`` at a lateral speed of ``value`` m/s."""
    WALK = 2
    """Pedestrian, cyclist: move straight to ``to_xy`` at ``value`` m/s, then stand still."""
    SET_SPEED = 3
    """Take ``target_speed_mps`` as the desired speed, accelerating at up to ``value`` m/s2."""
    PRESS_ON = 4
    """Drive at ``target_speed_mps`` whatever the limit, lights, signs and right of way say, in the place beside the
    lane's middle where it is now, braking at up to ``value`` m/s2 for those ahead. BRAKE and SET_SPEED end it."""


@dataclass(frozen=True)
class Script:
    """One prepared deed of one generated agent: when, what. Until then the agent drives (or stands) reactively."""

    agent: int
    trigger: Trigger
    trigger_value: float
    action: Action
    value: float
    at_xy: tuple[float, float] = (0.0, 0.0)
    to_xy: tuple[float, float] = (0.0, 0.0)
    target_speed_mps: float = 0.0
    target_lane: int = -1


@dataclass(frozen=True)
class Provenance:
    """Where a scenario comes from, and on what terms."""

    licence: str
    attribution: str
    file: str = ""
    sha256: str = ""
    reader: str = ""
    origin_xy: tuple[float, float] = (0.0, 0.0)
    """Source coordinates of this scenario's world origin: source = origin + world."""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """One driving situation: a place, what happened there (or is prepared to happen), and who is to drive.

    Steps ``0 .. start_step`` are history, known to every planner; closed loop begins at ``start_step``. Agents of a
    generated scenario have no recorded future: they are valid up to ``start_step`` only and simulated from there.
    """

    id: str
    source: str
    """``av2-forecasting``, ``av2-sensor``, ``commonroad``, ``catalogue``, ..."""
    map: RoadMap
    lights: Lights
    agents: Agents
    ego_index: int
    route: Route
    start_step: int
    end_step: int
    """Last step of the episode (inclusive); of a recording, the last step in which the ego is valid."""
    provenance: Provenance
    dt_s: float = DT_S
    family: str = ""
    """Catalogue family; empty for recorded drives."""
    cluster: str = ""
    """Log, road section or layout; splits and bootstrap respect it."""
    scripts: tuple[Script, ...] = ()
    agent_route: tuple[tuple[int, ...], ...] = ()
    """Lane sequence per agent for reactive traffic; empty (or an empty entry): found from the agent's state."""
    initial_speed_limit_mps: float = float("nan")
    """Speed that reactive agents desire where the map has no limit; NaN: from their own recorded speeds."""
    assertive: NDArray[np.bool_] | None = None
    """[N] agents that drive in the assertive style; None: none, or as the World is told."""

    @property
    def steps(self) -> int:
        """Recorded steps T."""
        return int(self.agents.valid.shape[1])

    @property
    def recorded(self) -> bool:
        """Whether the ego has a recorded future to replay and to measure displacement against."""
        return bool(self.agents.valid[self.ego_index, self.start_step + 1 :].any())

    def with_(self, **changes: Any) -> Scenario:
        """A copy with fields replaced."""
        return replace(self, **changes)
