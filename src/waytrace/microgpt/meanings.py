"""What each column of a scene token says, in words: the text of ``docs/samples.md``."""

from __future__ import annotations

import re

from .columns import COLUMNS, FEATURES, PLACES, TOKENS

_PLACE = (
    (r"x|y", "position in the ego's frame (box centre, x forward, y left), m / 50"),
    (r"x_near|y_near|distance_near", "the same, and the distance, *near*"),
)
_PAST = (
    r"past_.*",
    "0.4, 0.8, 1.2, 1.6 and 2.0 s ago, seen from its own present pose: m ahead of where it would have been at the "
    "present speed / 5, m left / 2, sine of the turn, speed minus the present one m/s / 5, whether it was seen then",
)
_ROUTE = (
    (r"on_route", "belongs to the route"),
    (r"route_ahead_.*", "progress on the route minus the ego's own, *near* and m / 100; 0 off the route"),
)
_SIDES = (r"own_path|left_path|right_path", "its lane belongs to that path, from the ego on")
_GAP = (r"gap_near|gap_far", "from the ego's front bumper along the own path; 0 where it is not on it")

MEANINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "ego": (
        (r"speed", "m/s / 10, signed"), (r"standing", "slower than 0.1 m/s"),
        (r"accel", "m/s2 / 3"), (r"yaw_rate", "rad/s x 2"), (r"curvature", "1/m x 10"),
        (r"lateral_accel", "m/s2 / 4"), (r"length|width", "m / 5, m / 2"),
        (r"lane_d|lane_d_fine", "offset from the middle of the lane it drives: m / 2, and *fine*"),
        (r"heading_error|heading_error_fine", "own heading minus the lane's: rad x 2, and *fine*"),
        (r"off_lane|on_route", "drives on no lane; on one that belongs to the route"),
        (
            r"limit|no_limit|over_limit",
            "speed limit m/s / 15; there is none: then 14 m/s, or the speed at the start; speed minus limit, m/s / 10",
        ),
        (r"route_left_.*|no_route", "way along the route to its end; there is no route"),
        (r"large_vehicle|motorcycle|cyclist", "kind; all 0 for a car"),
        (r"still", "s / 5 since it last moved, up to 10 s"),
        (r"since_stood_.*", "metres since it last stood; 200 for never"),
        _PAST,
        (r"last_.*", "the last decision, longitudinal and lateral; all 0 for none"),
    ),
    "path": (
        (r"own|left|right", "which path it is"),
        (r"offset|offset_fine", "of the rear axle from the path, left positive: m / 2, and *fine*"),
        (r"turned|turned_fine", "own heading minus the path's: rad x 2, and *fine*"),
        (r"room_left|room_right", "from the path to the lane's boundaries, m / 2"),
        (r"on_route", "its lane belongs to the route"),
        (r"leaves_route.*", "the lane leads on along the route only so far (from the rear axle)"),
        (r"ends.*", "the path ends there"),
        (r"has_light|light_.*", "the next light: its state, and how far the front bumper is from where it stops"),
        (r"has_stop|stop_near|stop_far", "a light is to be stopped for: red, or yellow where 3 m/s2 suffice"),
        (r"stop_brake", "deceleration that this takes, m/s2 / 4"),
        (r"has_yield_entry|yield_entry.*|has_stop_entry|stop_entry.*", "the next lane entered by a yield or stop sign"),
        (r"in_junction|has_junction|junction.*", "inside an intersection; how far the next one is"),
        (r"has_zone|zone.*", "where the way of others begins who need not give way"),
        (r"has_lead|lead_near|lead_far", "who is next ahead, bumper to bumper; who drifts in within 1.5 s counts"),
        (r"lead_speed|lead_closing|lead_accel", "speed along the path and closing speed, m/s / 10; m/s2 / 3"),
        (r"lead_still", "s / 5 since the leader last moved, up to 5 s"),
        (r"lead_brake|lead_time", "deceleration to its speed, m/s2 / 4; gap over own speed, s / 4"),
        (r"has_rear|rear_.*", "who is next behind: gap, speed, closing speed"),
        (r"cap|cap_room", "speed that limits and curves ahead allow now, m/s / 15; minus own, m/s / 10"),
        (r"care_cap|care_room", "the same beside people who face the path and parked vehicles (own path)"),
        (
            r"idm_.*",
            "what the intelligent driver model would do, m/s2 / 4: alone, behind the leader, to rest before the closed "
            "light, the stop sign, the zone, 3 m before the lane's end",
        ),
        (
            r"in_.*",
            "where the path is after 0.5, 1, 1.5, 2 and 3 s at the present speed (4 m/s at least): lateral "
            "acceleration that leads there from the present heading, and that of the path's bend, m/s2 / 4",
        ),
        (
            r"settle_\d|hurry_\d",
            "how a smooth move to the path's middle is steered in the first, second and third half second at the "
            "present speed: lateral acceleration, m/s2 / 4; as long as the expert's (2.5 s, to another lane 4 s), and "
            "0.55 of it",
        ),
        (
            r"has_way_.*",
            "something has stood in the way for 4 s and waits for no light or sign (own path): a way round it on that "
            "side, at most 5 m aside",
        ),
        (
            r"way_.*_beside|way_.*_room",
            "how far aside the ego's middle would just touch, m / 3; from there to the lane's boundary, m / 2",
        ),
        (r"way_.*_from_.*|way_.*_to_.*", "where it must be reached, and where it may end, from the rear axle on"),
        (
            r"way_.*_\d|tight_.*_\d",
            "how it is steered, as above: with 0.6 m of room, and with 0.3 m or up to the boundary",
        ),
        (
            r"at_.*",
            "at so many metres ahead of the rear axle: place in the ego's frame (m / 50, m / 20, *near*), direction, "
            "curvature 1/m x 10, limit and allowed speed m/s / 15, on the route, the path reaches so far",
        ),
    ),
    "agent": (
        *_PLACE,
        (r"bearing_.*", "direction in which it lies"), (r"cos|sin", "its heading"),
        (r"velocity_x|velocity_y|relative_x", "m/s / 10 in the ego's frame; minus the ego's own"),
        (r"speed|standing", "m/s / 10, signed; slower than 0.3 m/s"),
        (r"accel|yaw_rate|sideways", "over the last half second: m/s2 / 3, rad/s x 2, m/s / 2 across its heading"),
        (r"length|width", "m / 5, m / 2"),
        (r"vehicle|large_vehicle|motorcycle|cyclist|pedestrian|static|unknown", "kind"),
        (r"visible|age", "in sight; s / 3 since it was; who is out of sight is taken to have gone on straight"),
        (r"still|never_moved", "s / 5 since it last moved, up to 10 s; was never seen to"),
        (r"approach_.*", "when it is nearest if both go on as now (s / 4), and how near"),
        _PAST,
        (
            r"(own|left|right)_(reach|ahead|gap_near|d|d_near|clearance|along|across|is_lead|is_rear)",
            "on each path: has a place there, middle to middle m / 50, bumper to bumper *near*, left of it m / 5 and "
            "*near*, free width beside the ego's way *near*, speed along m/s / 10 and across m/s / 5, is next ahead, "
            "is next behind",
        ),
        (r"in_\d.*", "where it is expected on the own path in 1, 2, 3, 4 and 6 s: m ahead / 50, m left / 5"),
        (r"facing_own", "sine of how far it is turned towards the own path"),
        (r"care|care_speed", "calls for care, being on foot or parked beside; speed to pass at, m/s / 15"),
        (r"lane|lane_d|lane_turned|lane_own", "drives on a lane: m / 2 off its middle, rad x 2; that of the own path"),
        (
            r"meets.*",
            "its lane goes on across or into the own path: way of the ego's front to that zone, length m / 20, its "
            "own way, when each is there (s / 4) and how much later it is, its rank minus the ego's / 2, a sign tells "
            "it to give way, the lanes merge",
        ),
        (r"changes_lane", "has begun a lane change"),
        (
            r"enters.*|clears_s|ego_there_s",
            "expected to be on the ego's way: in, and out again (s / 4), way of the ego's front there, when the ego is "
            "there, and how much later it is",
        ),
    ),
    "map": (
        *_PLACE,
        (r"cos|sin", "heading at the middle"), (r"length|curvature", "m / 10; 1/m x 10"),
        (r"room_left|room_right", "to the boundaries, m / 2"),
        (r"limit|no_limit", "m/s / 15, as for the ego; there is none"),
        (r"junction", "inside an intersection"), (r"kind_.*", "what the lane is for"),
        (r"control_.*", "what regulates its entry"), (r"light_.*", "the light at its entry"),
        *_ROUTE, _SIDES, (r"first", "the row that a trace points at for this lane"),
        (r"own_starts_.*", "from the front bumper to where the lane begins on the own path"),
    ),
    "light": (
        *_PLACE, (r"red|yellow|green", "state; all 0 for unknown or off"), *_ROUTE, _SIDES, _GAP,
        (r"brake", "deceleration to stop for it, m/s2 / 4; 0 for an open one"),
    ),
    "crosswalk": (
        *_PLACE, (r"cos|sin", "direction of the longer axis"), (r"length|width", "m / 10, m / 5"),
        (r"crosses_own_path|d", "lies across the own path; its middle, m left / 10"), _GAP,
        (r"people|people_near", "people and cyclists on it or within 2 m, / 3; exp(-m / 5) of the nearest"),
    ),
    "stop_line": (
        *_PLACE, (r"cos|sin", "heading of its lane"), *_ROUTE, _SIDES, _GAP,
        (r"before_.*", "what regulates the lanes behind it"),
    ),
}  # fmt: skip
"""Of each kind the columns, as patterns in the order of the columns, and what they say."""


def meaning(kind: str, name: str) -> int:
    """Number of the entry of ``MEANINGS`` that speaks of a column. Raises ``KeyError`` where none does."""
    for number, (pattern, _) in enumerate(MEANINGS[kind]):
        if re.fullmatch(pattern, name):
            return number
    raise KeyError(f"no text says what column {name!r} of a token of kind {kind!r} is")


def markdown() -> str:
    """The tables in Markdown, as they stand in ``docs/samples.md``."""
    parts = [f"{TOKENS} places, {sum(PLACES[k] * FEATURES[k] for k in PLACES):,} numbers a moment."]
    for kind, names in COLUMNS.items():
        places = "1 place" if PLACES[kind] == 1 else f"{PLACES[kind]} places"
        parts.append(f"### `{kind}`: {places}, {len(names)} columns\n\n| columns | names | hold |\n|---|---|---|")
        groups: list[tuple[int, list[int]]] = []
        for c, name in enumerate(names):
            number = meaning(kind, name)
            if not groups or groups[-1][0] != number:
                groups.append((number, []))
            groups[-1][1].append(c)
        for number, columns in groups:
            first, last = columns[0], columns[-1]
            shown = [names[c] for c in columns]
            if len(shown) > 7:
                shown = [*shown[:5], "...", shown[-1]]
            text = ", ".join(name if name == "..." else f"`{name}`" for name in shown)
            parts[-1] += f"\n| {first}{f'-{last}' if last > first else ''} | {text} | {MEANINGS[kind][number][1]} |"
    return "\n\n".join(parts) + "\n"
