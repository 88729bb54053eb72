"""The procedural families: one file each, a frozen dataclass of ranges with ``layout`` and ``compose``."""

from __future__ import annotations

from typing import Protocol

from ..cast import Composition
from ..draws import Draw
from ..layouts import Layout
from .ccrb import Ccrb
from .ccrm import Ccrm
from .ccrs import Ccrs
from .cut_in import CutIn
from .cut_out import CutOut
from .dense_lane_change import DenseLaneChange
from .emergency_vehicle import EmergencyVehicle
from .four_way_stop import FourWayStop
from .jaywalker import Jaywalker
from .lead_braking import LeadBraking
from .merge import Merge
from .parked_car import ParkedCar
from .pedestrian_along import PedestrianAlong
from .pedestrian_far import PedestrianFar
from .pedestrian_near import PedestrianNear
from .pedestrian_occluded import PedestrianOccluded
from .red_light import RedLight
from .roundabout import RoundaboutScene
from .unprotected_left import UnprotectedLeft
from .work_zone import WorkZone


class Family(Protocol):
    """A kind of scene. Any change of its ranges or code that alters a scene raises ``version``."""

    @property
    def name(self) -> str:
        """Name in ids and on the command line."""

    @property
    def version(self) -> int:
        """Part of every id and of every draw."""

    @property
    def layouts(self) -> int:
        """Road layouts in each split."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """Draw one place. ``index`` counts the split's layouts, for what should be covered evenly."""

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """Draw one scene there; raises ``NoSceneError`` where the draw makes none."""


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        LeadBraking(),
        CutIn(),
        PedestrianNear(),
        PedestrianFar(),
        PedestrianOccluded(),
        PedestrianAlong(),
        CutOut(),
        FourWayStop(),
        ParkedCar(),
        RedLight(),
        UnprotectedLeft(),
        Merge(),
        Ccrs(),
        Ccrm(),
        Ccrb(),
        RoundaboutScene(),
        Jaywalker(),
        WorkZone(),
        DenseLaneChange(),
        EmergencyVehicle(),
    )
}

TEST_ONLY = frozenset({"roundabout", "jaywalker"})
"""Families that occur in split ``test`` alone: what nobody could have trained or tuned on."""

__all__ = ["FAMILIES", "TEST_ONLY", "Family"]
