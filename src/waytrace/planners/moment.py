"""One row of an observation as flat arrays: what the rule planners' kernels work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import F8, U1, bundle
from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import AgentKind, LightState
from waytrace.scenario.roads import Roads

Array = NDArray[np.float64]


class Others(NamedTuple):
    """Road users other than the ego, as seen now. Box centres, metres, world frame."""

    x: F8
    y: F8
    heading: F8
    speed: F8
    """Signed, along the heading, m/s."""
    accel: F8
    """Over the last half second, m/s2."""
    yaw_rate: F8
    """Over the last half second, rad/s."""
    sideways: F8
    """Speed across the heading over the last half second, left positive, m/s: who drifts without turning."""
    length: F8
    width: F8
    kind: U1


OTHERS = bundle(Others)


@dataclass(frozen=True)
class Moment:
    """Ego, others, lights and roads at one time; nothing of the future in it."""

    scenario_id: str
    t_s: float
    axle: Array
    """[4] x, y, heading, speed of the ego's rear axle."""
    accel_mps2: float
    curvature_1pm: float
    """Driven now, from yaw rate and speed; 0 while standing."""
    rear_m: float
    """Distance from the rear axle to the box centre."""
    length_m: float
    width_m: float
    others: Others
    other_index: NDArray[np.int32]
    """[A] each one's number among the scenario's agents: the reference that a cause cites."""
    light_index: NDArray[np.int32]
    """[K] each light's number among the scenario's."""
    light_lane: NDArray[np.int32]
    light_state: NDArray[np.uint8]
    roads: Roads
    still_s: Array
    """[A] since each was last seen to move; infinity for those who never were."""
    held: frozenset[Reference] | None = None
    """What the observation's arrays hold; None where there is no observation (privileged planners)."""

    @property
    def front_m(self) -> float:
        """Distance from the rear axle to the front bumper."""
        return self.rear_m + 0.5 * self.length_m

    def agent(self, row: int) -> Reference:
        """The reference to one of the others."""
        return Reference(ReferenceKind.AGENT, int(self.other_index[row]))

    def light(self, lane: int) -> Reference:
        """The reference to the light at a lane's entry. Raises ``IndexError`` where there is none."""
        return Reference(ReferenceKind.LIGHT, int(self.light_index[np.flatnonzero(self.light_lane == lane)[0]]))

    def truncated(self, reference: Reference) -> bool:
        """Whether the observation's arrays do not hold ``reference``."""
        return self.held is not None and reference not in self.held

    def shows(self, lane: int) -> int:
        """State of the light at a lane's entry, ``LightState.OFF`` for none."""
        at = np.flatnonzero(self.light_lane == lane)
        return int(self.light_state[at[0]]) if len(at) else int(LightState.OFF)

    def closed_lanes(self) -> set[int]:
        """Lanes that may not be entered now: their light is red or yellow."""
        shut = (self.light_state == LightState.RED) | (self.light_state == LightState.YELLOW)
        return {int(lane) for lane in self.light_lane[shut]}


MOVES_ON_LANES = (AgentKind.VEHICLE, AgentKind.LARGE_VEHICLE, AgentKind.MOTORCYCLE, AgentKind.CYCLIST)
