"""``ccrb``: the vehicle ahead brakes to a halt from 50 km/h (Euro NCAP car-to-car rear, braking)."""

from __future__ import annotations

from dataclasses import dataclass

from ..cast import Composition
from ..draws import Draw, Range
from ..layouts import Layout
from ._car_to_rear import Target, compose_rear, rear_layout


@dataclass(frozen=True)
class Ccrb:
    """Euro NCAP's four combinations: both at 50 km/h, headway 12 or 40 m, braking at 2 or 6 m/s2."""

    name: str = "ccrb"
    version: int = 1
    layouts: int = 24
    duration_s: float = 15.0
    limits_kmh: tuple[float, ...] = (50.0, 60.0, 70.0)
    speed_kmh: float = 50.0
    headway_m: tuple[float, ...] = (12.0, 40.0)
    brake_mps2: tuple[float, ...] = (2.0, 6.0)
    delay_s: Range = (0.3, 3.0)
    """When it brakes, if the ego keeps its speed."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """An open road."""
        return rear_layout(key, index, draw, self.limits_kmh, self.duration_s)

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The target brakes as the ego comes to a point."""
        speed = self.speed_kmh / 3.6
        target = Target(
            speed, draw.choice("headway", self.headway_m), draw.choice("brake", self.brake_mps2),
            draw.uniform("delay", self.delay_s),
        )  # fmt: skip
        return compose_rear(draw, layout, self.duration_s, speed, target, 1.0)
