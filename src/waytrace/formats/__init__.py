"""Recorded drives of other people's formats, as scenarios.

Readers: Argoverse 2 motion forecasting and sensor logs, CommonRoad XML 2017a to 2020a. A further format is one class
with the methods of :class:`Reader`, made known by :func:`register`.
"""

from .av2_forecasting import Av2Forecasting
from .av2_sensor import Av2Sensor
from .commonroad import CommonRoad
from .importing import ImportReport, Progress, import_paths, read
from .lanegraph import LaneDraft, Surroundings, build_road_map
from .quality import quality
from .reader import Found, Reader, ReadOptions, Refused, Source, detect, find_sources, readers, register
from .routes import Locator, connected, route_along

for _reader in (Av2Forecasting(), Av2Sensor(), CommonRoad()):
    register(_reader)

__all__ = [
    "Found",
    "ImportReport",
    "LaneDraft",
    "Locator",
    "Progress",
    "ReadOptions",
    "Reader",
    "Refused",
    "Source",
    "Surroundings",
    "build_road_map",
    "connected",
    "detect",
    "find_sources",
    "import_paths",
    "quality",
    "read",
    "readers",
    "register",
    "route_along",
]
