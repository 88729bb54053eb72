"""Poses, boxes and the ego's state as nuPlan has them. World frame, metres, radians, seconds; speeds in m/s."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import SceneEgo
from waytrace.planners.reading import rear_m

from .shapes import LooksAlike

WHEEL_BASE_SHARE = 0.6
"""Wheel base as a share of a vehicle's length, a typical passenger car's; only steering angles depend on it."""
HEIGHT_M = 1.6
START_US = 1_000_000_000
"""Time of the start step: nuPlan's times are never negative, those of the history neither."""


@dataclass(frozen=True)
class TimePoint(LooksAlike):
    """A moment in microseconds; the drive begins at ``START_US``."""

    time_us: int

    @property
    def time_s(self) -> float:
        return self.time_us * 1e-6

    @classmethod
    def at(cls, time_s: float) -> TimePoint:
        """The moment ``time_s`` after the start step."""
        return cls(START_US + round(time_s * 1e6))


@dataclass(frozen=True)
class StateSE2(LooksAlike):
    """A pose."""

    x: float
    y: float
    heading: float

    @property
    def point(self) -> StateSE2:
        return self

    @property
    def array(self) -> NDArray[np.float64]:
        return np.array([self.x, self.y])

    def distance_to(self, other: StateSE2) -> float:
        return math.hypot(other.x - self.x, other.y - self.y)

    def __iter__(self) -> Iterator[float]:
        return iter((self.x, self.y, self.heading))


@dataclass(frozen=True)
class StateVector2D(LooksAlike):
    """A velocity or an acceleration."""

    x: float
    y: float

    @property
    def array(self) -> NDArray[np.float64]:
        return np.array([self.x, self.y])

    def magnitude(self) -> float:
        return math.hypot(self.x, self.y)


@dataclass(frozen=True)
class OrientedBox(LooksAlike):
    """A box about its centre."""

    center: StateSE2
    length: float
    width: float
    height: float = HEIGHT_M

    @property
    def half_length(self) -> float:
        return 0.5 * self.length

    @property
    def half_width(self) -> float:
        return 0.5 * self.width

    def all_corners(self) -> list[StateSE2]:
        """Front left, rear left, rear right, front right."""
        x, y, h = self.center
        c, s = math.cos(h), math.sin(h)
        half = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
        return [
            StateSE2(
                x + u * self.half_length * c - v * self.half_width * s,
                y + u * self.half_length * s + v * self.half_width * c, h,
            )
            for u, v in half
        ]  # fmt: skip


@dataclass(frozen=True)
class VehicleParameters(LooksAlike):
    """The ego's measures, metres."""

    length: float
    width: float
    rear_axle_to_center: float
    wheel_base: float
    height: float = HEIGHT_M

    @property
    def front_length(self) -> float:
        """From the rear axle to the front bumper."""
        return 0.5 * self.length + self.rear_axle_to_center

    @property
    def rear_length(self) -> float:
        return 0.5 * self.length - self.rear_axle_to_center

    @property
    def half_width(self) -> float:
        return 0.5 * self.width


@dataclass(frozen=True)
class CarFootprint(LooksAlike):
    """Where the ego's body is."""

    oriented_box: OrientedBox
    rear_axle: StateSE2
    vehicle_parameters: VehicleParameters

    @property
    def center(self) -> StateSE2:
        return self.oriented_box.center

    @property
    def length(self) -> float:
        return self.oriented_box.length

    @property
    def width(self) -> float:
        return self.oriented_box.width

    @property
    def rear_axle_to_center_dist(self) -> float:
        return self.vehicle_parameters.rear_axle_to_center

    def all_corners(self) -> list[StateSE2]:
        return self.oriented_box.all_corners()


@dataclass(frozen=True)
class DynamicCarState(LooksAlike):
    """How the ego moves; vectors in its own frame. The rear axle does not slip, so its velocity has no y."""

    rear_axle_velocity_2d: StateVector2D
    rear_axle_acceleration_2d: StateVector2D
    center_velocity_2d: StateVector2D
    angular_velocity: float

    @property
    def speed(self) -> float:
        return self.rear_axle_velocity_2d.magnitude()

    @property
    def acceleration(self) -> float:
        return self.rear_axle_acceleration_2d.magnitude()


@dataclass(frozen=True)
class EgoState(LooksAlike):
    """The ego at one moment."""

    car_footprint: CarFootprint
    dynamic_car_state: DynamicCarState
    tire_steering_angle: float
    time_point: TimePoint

    @property
    def rear_axle(self) -> StateSE2:
        return self.car_footprint.rear_axle

    @property
    def center(self) -> StateSE2:
        return self.car_footprint.center

    @property
    def time_us(self) -> int:
        return self.time_point.time_us

    @property
    def time_seconds(self) -> float:
        return self.time_point.time_s


def ego_states(ego: SceneEgo, time_s: float, dt_s: float, ticks: int) -> list[EgoState]:
    """The ego's last ``ticks`` states without a gap, oldest first, the last of them now.

    Now has the simulator's acceleration and yaw rate; before, they are differences to the tick before.
    """
    valid = ego.history_valid[::-1]
    known = int(np.argmin(valid)) if not valid.all() else len(valid)
    states = []
    for age in range(min(known, ticks) - 1, -1, -1):
        row = len(ego.history_valid) - 1 - age
        accel, yaw_rate = ego.accel_mps2, ego.yaw_rate_radps
        if age > 0:
            before = row - 1 if age + 1 < known else row
            accel = float(ego.speed_history_mps[row] - ego.speed_history_mps[before]) / dt_s
            turned = math.remainder(float(ego.pose_history[row, 2] - ego.pose_history[before, 2]), math.tau)
            yaw_rate = turned / dt_s
        states.append(
            _state(ego, ego.pose_history[row], float(ego.speed_history_mps[row]), accel, yaw_rate, time_s - age * dt_s)
        )
    return states


def _state(
    ego: SceneEgo, pose: NDArray[np.float64], speed: float, accel: float, yaw_rate: float, time_s: float
) -> EgoState:
    x, y, heading = (float(v) for v in pose)
    back = rear_m(int(ego.kind), ego.length_m)
    axle = StateSE2(x - back * math.cos(heading), y - back * math.sin(heading), heading)
    measures = VehicleParameters(ego.length_m, ego.width_m, back, WHEEL_BASE_SHARE * ego.length_m)
    box = OrientedBox(StateSE2(x, y, heading), ego.length_m, ego.width_m)
    motion = DynamicCarState(
        StateVector2D(speed, 0.0),
        StateVector2D(accel, speed * yaw_rate),
        StateVector2D(speed, yaw_rate * back),
        yaw_rate,
    )
    steering = math.atan(measures.wheel_base * yaw_rate / speed) if abs(speed) > 0.1 else 0.0
    return EgoState(CarFootprint(box, axle, measures), motion, steering, TimePoint.at(time_s))
