"""``ccrs``: a vehicle stands in the ego's lane (Euro NCAP car-to-car rear, stationary)."""

from __future__ import annotations

from dataclasses import dataclass

from ..cast import Composition
from ..draws import Draw, Range
from ..layouts import Layout
from ._car_to_rear import Target, compose_rear, rear_layout


@dataclass(frozen=True)
class Ccrs:
    """Range of SCORE's CCRs: ego 10 to 80 km/h. Where no second lane leads past, the ego has to stop behind."""

    name: str = "ccrs"
    version: int = 1
    layouts: int = 24
    duration_s: float = 15.0
    limits_kmh: tuple[float, ...] = (30.0, 50.0, 60.0, 80.0)
    ego_kmh: Range = (10.0, 80.0)
    away_s: Range = (1.8, 6.0)
    """Time to the target at constant speed."""
    keep_unpreventable: float = 0.3

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """An open road."""
        return rear_layout(key, index, draw, self.limits_kmh, self.duration_s)

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """Nobody needs to be set off: the target stands from before the start."""
        speed = draw.uniform("ego", (self.ego_kmh[0] / 3.6, min(self.ego_kmh[1] / 3.6, layout.limit_mps)))
        target = Target(0.0, max(4.0, speed * draw.uniform("away", self.away_s)))
        return compose_rear(draw, layout, self.duration_s, speed, target, self.keep_unpreventable)
