"""``pedestrian-near``: someone walks across from the right (Euro NCAP's CPNA)."""

from __future__ import annotations

from dataclasses import dataclass

from ._crossing import Crossing


@dataclass(frozen=True)
class PedestrianNear(Crossing):
    """Ego 10 to 60 km/h, pedestrian 5 km/h."""

    name: str = "pedestrian-near"
    walk_kmh: float = 5.0
    from_right: bool = True
