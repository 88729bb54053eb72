"""Every threshold of the rules, in one table: name, unit, source.

Sources: *frozen* is the score's own specification (``docs/score.md``); *nuPlan* is nuplan-devkit, commit e924167,
``docs/metrics_description.md`` and ``nuplan/planning/metrics``; *ours* is a choice of this project, reason beside it.
"""

from __future__ import annotations

import math

# Collisions
STOPPED_MPS = 0.05
"""m/s. At or below, a road user counts as standing (nuPlan ``is_track_stopped``, ``_get_collision_type``)."""
AHEAD_COS = math.cos(math.radians(30.0))
"""An agent is ahead where its bearing from the rear axle is below 30 degrees (nuPlan ``is_agent_ahead``)."""
BEHIND_COS = math.cos(math.radians(150.0))
"""... and behind where it is above 150 degrees (nuPlan ``is_agent_behind``)."""
LANE_EDGE_M = 0.1
"""m. A corner may lie this far beyond a boundary and still be in the lane (ours: boundaries are resampled)."""

# Road
OFF_ROAD_M = 0.3
"""m. A corner may be this far beyond the drivable area (frozen; nuPlan ``max_violation_threshold``)."""
WRONG_WAY_WINDOW_S = 1.0
"""s. Metres against the lane are summed over this window (frozen; nuPlan ``time_horizon``)."""
WRONG_WAY_MINOR_M = 2.0
"""m. Below: compliant (frozen; nuPlan ``driving_direction_compliance_threshold``)."""
WRONG_WAY_MAJOR_M = 6.0
"""m. Above: 0, between: 0.5 (frozen; nuPlan ``driving_direction_violation_threshold``)."""
ENTRY_ALIGNED_COS = 0.5
"""Cosine. Whoever crosses the entry of a connector at more than 60 degrees to it does not enter it (ours)."""
ENTRY_MARGIN_M = 0.25
"""m. ... or farther than this beyond its side (ours)."""
STOP_AHEAD_M = 10.0
"""m. A stop point at most this far inside its connector moves the entry up to itself (ours)."""

# Time to collision
TTC_STEP_S = 0.1
"""s. Step of the constant-velocity projection (frozen; nuPlan ``time_step_size``)."""
TTC_STEPS = 30
"""Steps of it: 3 s (frozen; nuPlan ``time_horizon``)."""
TTC_LEAST_S = 0.95
"""s. (frozen; nuPlan ``least_min_ttc``)."""
TTC_STOPPED_MPS = 0.005
"""m/s. A slower ego is excluded (nuPlan ``stopped_speed_threshold``)."""

# Progress and speed
PROGRESS_LEAST_M = 2.0
"""m. Progress of ego and oracle counts as at least this much in their ratio (frozen)."""
PROGRESS_SHARE = 0.2
"""Share of the oracle's progress below which the ego makes none (frozen; nuPlan ``min_progress_threshold``)."""
ROUTE_REACH_M = 6.0
"""m. Farther than this from every centre line of the route, progress stands still (ours: nuPlan counts only inside the
route's roadblocks; an overtaking car in the oncoming lane is still on the road)."""
OVERSPEED_UNIT_MPS = 2.23
"""m/s. Mean overspeed that takes the whole term (frozen; nuPlan ``max_overspeed_value_threshold``, 5 mph)."""

# Comfort (all: frozen; nuPlan ``ego_is_comfortable``)
LON_ACCEL_LOW_MPS2 = -4.05
LON_ACCEL_HIGH_MPS2 = 2.40
LAT_ACCEL_MPS2 = 4.89
JERK_MPS3 = 8.37
"""m/s3. Of the acceleration's magnitude."""
LON_JERK_MPS3 = 4.13
YAW_RATE_RADPS = 0.95
YAW_ACCEL_RADPS2 = 1.93
