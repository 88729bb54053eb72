"""``pedestrian-occluded``: someone steps out from behind parked vehicles (Euro NCAP's CPNCO)."""

from __future__ import annotations

from dataclasses import dataclass

from ._crossing import Crossing


@dataclass(frozen=True)
class PedestrianOccluded(Crossing):
    """Ego 10 to 60 km/h, pedestrian 5 km/h.

    Beside the parked vehicles nobody faster than about 30 km/h could stop any more; faster egos drive one lane
    further in.
    """

    name: str = "pedestrian-occluded"
    walk_kmh: float = 5.0
    from_right: bool = True
    hidden: bool = True
