"""What every number of a scene token means: the one table of kinds, places and columns.

The kernels write in this order, the hash that travels with samples and checkpoints is taken over it, and
``docs/samples.md`` prints it. Numbers are scaled to about 1. *near* is asinh of metres over 3, fine close by and
compressed far off; *far* is metres over 50 (over 100 along the route), cut off at 4. Flags are 0 in the usual case, so
that a model which never saw the other has not learnt to count on it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache

from waytrace.trace import sets

PATH_POINTS_M = (
    0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.5, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 50.0, 60.0, 70.0, 80.0, 100.0, 120.0,
)  # fmt: skip
"""Where a path token samples its path, metres ahead of the rear axle."""

HISTORY_S = (0.4, 0.8, 1.2, 1.6, 2.0)
"""How long ago the past states of a token are."""

EXPECTED_S = (1.0, 2.0, 3.0, 4.0, 6.0)
"""For when an agent token holds where it is expected to be."""

PREVIEW_S = (0.5, 1.0, 1.5, 2.0, 3.0)
"""A path token says how to steer for the point of the path that is reached at the present speed after so long."""

STEER_KNOTS = 3
"""For how many knots of a plan a path token says how to steer."""

MOVES = (
    *((0, way) for way in ("settle", "hurry", "way_left", "tight_left", "way_right", "tight_right")),
    *((path, way) for path in (1, 2) for way in ("settle", "hurry")),
)
"""Ways to steer that a plan can follow: place of the path token (own, left, right), and which of its columns."""

ACCELS = ("free", "lead", "light", "stop_entry", "zone", "end")
"""What a path token says the intelligent driver model would do: alone, behind the leader, and to come to rest before a
light that is to be stopped for, a stop sign, a zone of others' right of way, the end of the lane's use."""

KINDS = ("vehicle", "large_vehicle", "motorcycle", "cyclist", "pedestrian", "static", "unknown")
LIGHTS = ("red", "yellow", "green")

PLACES: Mapping[str, int] = {
    "ego": 1, "path": 3, "agent": 31, "map": 40, "light": 8, "crosswalk": 8, "stop_line": 8,
}  # fmt: skip
"""Places of each kind, in the order of the tokens."""

TOKENS = sum(PLACES.values())


def _past() -> list[str]:
    return [
        f"past_{seconds:g}_{name}" for seconds in HISTORY_S for name in ("ahead", "left", "turned", "faster", "seen")
    ]


def _near_far(*names: str) -> list[str]:
    return [f"{name}_{form}" for name in names for form in ("near", "far")]


EGO = (
    "speed", "standing", "accel", "yaw_rate", "curvature", "lateral_accel", "length", "width",
    "lane_d", "lane_d_fine", "heading_error", "heading_error_fine", "off_lane", "on_route",
    "limit", "no_limit", "over_limit", *_near_far("route_left"), "no_route", *KINDS[1:4],
    "still", *_near_far("since_stood"), *_past(),
    *(f"last_{name}" for name in (*sets.LONGITUDINAL.values, *sets.LATERAL.values)),
)  # fmt: skip

_GAP = _near_far("gap")


def _steer(way: str) -> list[str]:
    return [f"{way}_{knot}" for knot in range(STEER_KNOTS)]


PATH = (
    "own", "left", "right", "offset", "offset_fine", "turned", "turned_fine", "room_left", "room_right",
    "on_route", "leaves_route", *_near_far("leaves_route"), "ends", *_near_far("ends"),
    "has_light", *(f"light_{name}" for name in LIGHTS), *_near_far("light"),
    "has_stop", *_near_far("stop"), "stop_brake",
    "has_yield_entry", *_near_far("yield_entry"), "has_stop_entry", *_near_far("stop_entry"),
    "in_junction", "has_junction", *_near_far("junction"), "has_zone", *_near_far("zone"),
    "has_lead", *_near_far("lead"), "lead_speed", "lead_closing", "lead_accel", "lead_still", "lead_brake",
    "lead_time", "has_rear", *_near_far("rear"), "rear_speed", "rear_closing",
    "cap", "cap_room", "care_cap", "care_room", *(f"idm_{name}" for name in ACCELS),
    *(f"in_{seconds:g}_{name}" for seconds in PREVIEW_S for name in ("pursuit", "bend")),
    *_steer("settle"), *_steer("hurry"),
    *(
        name for side in ("left", "right") for name in (
            f"has_way_{side}", f"way_{side}_beside", f"way_{side}_room", *_near_far(f"way_{side}_from"),
            *_near_far(f"way_{side}_to"), *_steer(f"way_{side}"), *_steer(f"tight_{side}"),
        )
    ),
    *(
        f"at_{metres:g}_{name}" for metres in PATH_POINTS_M
        for name in ("x", "y", "y_near", "cos", "sin", "curvature", "limit", "cap", "on_route", "exists")
    ),
)  # fmt: skip

_PLACE_XY = ("x", "y", "x_near", "y_near", "distance_near")

AGENT = (
    *_PLACE_XY, "bearing_cos", "bearing_sin", "cos", "sin", "velocity_x", "velocity_y", "relative_x", "speed",
    "standing", "accel", "yaw_rate", "sideways", "length", "width", *KINDS, "visible", "age", "still", "never_moved",
    "approach_s", "approach_near", *_past(),
    *(
        f"{path}_{name}" for path in ("own", "left", "right")
        for name in ("reach", "ahead", "gap_near", "d", "d_near", "clearance", "along", "across", "is_lead", "is_rear")
    ),
    *(f"in_{seconds:g}_{name}" for seconds in EXPECTED_S for name in ("ahead", "d")),
    "facing_own", "care", "care_speed",
    "lane", "lane_d", "lane_turned", "lane_own", "meets", "meets_gap_near", "meets_zone", "meets_its_gap_near",
    "meets_its_s", "meets_ego_s", "meets_after", "meets_rank", "meets_gives_way", "meets_merges",
    "changes_lane", "enters", "enters_s", "clears_s", *_near_far("enters_gap"), "ego_there_s", "enters_after",
)  # fmt: skip

MAP = (
    *_PLACE_XY, "cos", "sin", "length", "curvature", "room_left", "room_right", "limit", "no_limit", "junction",
    *(f"kind_{name}" for name in ("vehicle", "bus", "bike", "other")),
    *(f"control_{name}" for name in ("none", "yield", "stop", "signal", "priority")),
    *(f"light_{name}" for name in ("none", "unknown", "red", "yellow", "green", "off")),
    "on_route", *_near_far("route_ahead"), "own_path", "left_path", "right_path", "first",
    *_near_far("own_starts"),
)  # fmt: skip

LIGHT = (
    *_PLACE_XY, *LIGHTS, "on_route", *_near_far("route_ahead"), "own_path", "left_path", "right_path", *_GAP, "brake",
)  # fmt: skip

CROSSWALK = (
    *_PLACE_XY, "cos", "sin", "length", "width", "crosses_own_path", "d", *_GAP, "people", "people_near",
)  # fmt: skip

STOP_LINE = (
    *_PLACE_XY, "cos", "sin", "on_route", *_near_far("route_ahead"), "own_path", "left_path", "right_path", *_GAP,
    "before_yield", "before_stop", "before_signal",
)  # fmt: skip

MOVE_AT = tuple((path, PATH.index(f"{way}_0")) for path, way in MOVES)
"""Of each of :data:`MOVES` the place of the path token and the first of its columns."""

PAST_AT = EGO.index(f"past_{HISTORY_S[0]:g}_ahead")
"""From this column to ``BEFORE_AT``, an ego token holds where it was."""

BEFORE_AT = EGO.index("last_set_speed")
"""From this column on, an ego token holds the last decision and nothing else."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "ego": EGO, "path": PATH, "agent": AGENT, "map": MAP, "light": LIGHT, "crosswalk": CROSSWALK,
    "stop_line": STOP_LINE,
}  # fmt: skip
"""Names of the columns of each kind, in the order of ``PLACES``."""

FEATURES: Mapping[str, int] = {kind: len(names) for kind, names in COLUMNS.items()}
"""Columns of each kind."""

REVISION = 3
"""Counts up when what a column holds changes and its name does not."""


@cache
def feature_hash() -> str:
    """sha256 over kinds, places, names of all columns and the revision: it travels with samples and checkpoints."""
    record = [REVISION, dict(PLACES), {kind: list(names) for kind, names in COLUMNS.items()}]
    return hashlib.sha256(json.dumps(record, separators=(",", ":")).encode()).hexdigest()
