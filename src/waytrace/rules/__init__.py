"""The per-tick rules of the road as Numba kernels: one copy for simulator, expert, score and reward.

Kernels allocate nothing. They take scalars (box centre x, y, heading, length, width, signed speed) or slots of an
``AgentState``, a ``MapIndex`` with the map's number, and ``LightArrays``.
"""

from . import limits
from .comfort import (
    ACCEL,
    COMFORT_ROWS,
    JERK,
    LAT_ACCEL,
    LON_ACCEL,
    LON_JERK,
    SCRATCH_ROWS,
    YAW_ACCEL,
    YAW_RATE,
    comfort_rows,
    is_comfortable,
)
from .contacts import (
    CONTACT_NAMES,
    FRONT,
    LATERAL,
    NO_CONTACT,
    REAR,
    STOPPED_EGO,
    STOPPED_TRACK,
    bearing_cos,
    contact_kind,
    find_contacts,
    gravest_contact,
    is_at_fault,
    pair_contact,
)
from .lane_keeping import box_in_lane, in_lane, wholly_in_one_lane
from .projection import time_to_collision_s, time_to_contact_s, ttc_relevance
from .road import (
    RED,
    enters_connector,
    off_road_m,
    overspeed_mps,
    progress_m,
    red_light_entry,
    speed_limit_mps,
    wrong_way_step_m,
)

__all__ = [
    "ACCEL",
    "COMFORT_ROWS",
    "CONTACT_NAMES",
    "FRONT",
    "JERK",
    "LATERAL",
    "LAT_ACCEL",
    "LON_ACCEL",
    "LON_JERK",
    "NO_CONTACT",
    "REAR",
    "RED",
    "SCRATCH_ROWS",
    "STOPPED_EGO",
    "STOPPED_TRACK",
    "YAW_ACCEL",
    "YAW_RATE",
    "bearing_cos",
    "box_in_lane",
    "comfort_rows",
    "contact_kind",
    "enters_connector",
    "find_contacts",
    "gravest_contact",
    "in_lane",
    "is_at_fault",
    "is_comfortable",
    "limits",
    "off_road_m",
    "overspeed_mps",
    "pair_contact",
    "progress_m",
    "red_light_entry",
    "speed_limit_mps",
    "time_to_collision_s",
    "time_to_contact_s",
    "ttc_relevance",
    "wholly_in_one_lane",
    "wrong_way_step_m",
]
