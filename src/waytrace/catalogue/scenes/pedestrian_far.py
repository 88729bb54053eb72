"""``pedestrian-far``: someone runs across from the far side (Euro NCAP's CPFA)."""

from __future__ import annotations

from dataclasses import dataclass

from ._crossing import Crossing


@dataclass(frozen=True)
class PedestrianFar(Crossing):
    """Ego 10 to 60 km/h, pedestrian 8 km/h."""

    name: str = "pedestrian-far"
    walk_kmh: float = 8.0
    from_right: bool = False
