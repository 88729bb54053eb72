"""``ccrm``: a vehicle drives at 20 km/h in the ego's lane (Euro NCAP car-to-car rear, moving)."""

from __future__ import annotations

from dataclasses import dataclass

from ..cast import Composition
from ..draws import Draw, Range
from ..layouts import Layout
from ._car_to_rear import Target, compose_rear, rear_layout


@dataclass(frozen=True)
class Ccrm:
    """Ranges of SCORE's CCRm: ego 30 to 80 km/h, target at 20 km/h."""

    name: str = "ccrm"
    version: int = 1
    layouts: int = 24
    duration_s: float = 15.0
    limits_kmh: tuple[float, ...] = (50.0, 60.0, 70.0, 80.0)
    ego_kmh: Range = (30.0, 80.0)
    target_kmh: float = 20.0
    away_s: Range = (1.6, 6.0)
    """Time to the target at constant speeds."""
    keep_unpreventable: float = 0.3

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """An open road."""
        return rear_layout(key, index, draw, self.limits_kmh, self.duration_s)

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The target goes on at its speed from before the start to the end."""
        speed = draw.uniform("ego", (self.ego_kmh[0] / 3.6, min(self.ego_kmh[1] / 3.6, layout.limit_mps)))
        slow = self.target_kmh / 3.6
        target = Target(slow, max(3.0, (speed - slow) * draw.uniform("away", self.away_s)))
        return compose_rear(draw, layout, self.duration_s, speed, target, self.keep_unpreventable)
