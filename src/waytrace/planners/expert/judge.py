"""What is wrong with each rolled-out proposal, by the terms of the closed-loop score, and when it goes wrong."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_overlap, jit, wrap_angle
from waytrace.rules import (
    REAR,
    STOPPED_TRACK,
    contact_kind,
    off_road_m,
    time_to_contact_s,
    ttc_relevance,
    wrong_way_step_m,
)
from waytrace.rules.limits import TTC_LEAST_S
from waytrace.scenario import AgentKind
from waytrace.scenario.index import MAP_INDEX, MapIndex
from waytrace.scenario.paths import STEP_M

from ..moment import OTHERS, Others
from .forecast import STEPS
from .rollout import ACCEL, CURVATURE, HEADING, PATHS, PROPOSALS, SPEED, TICKS, Paths, Proposals, S, X, Y

Array = NDArray[np.float64]

COLLISION, GAP, OFF_ROAD, TTC, BLOCKING, DIRECTION = range(6)
TERMS = ("collision", "gap", "off_road", "ttc", "blocking", "direction")
"""Columns of ``when`` and ``who``: violated first at (seconds), by whom (row of the others, -1 for none)."""

COMFORT, PROGRESS, OVERSPEED, BRAKING, WRONG_WAY, IMPACT = range(6)
"""Columns of ``how``."""

HORIZON_TICK = 60
"""Collisions count within 6 s; what lies beyond is too uncertain to act on."""

REAR_DECEL_MPS2 = 2.5
"""A merge must not make the vehicle behind brake harder than this."""

REACTS_S = 1.5
"""After so long ahead of someone, that vehicle is taken to have reacted."""

CROSSING_MARGIN_S = 0.1
WALKING_MARGIN_S = 0.8
WALKING_GROWTH = 0.12
"""Who walks may be faster than expected: ahead of them the margin grows by this much a second."""
MARGIN_GROWTH = 0.05
"""Crossing road users are lengthened, to both ends, by the way they make in a time that grows with the forecast:
nobody's timing is known better, and a gap once taken looks better as it comes nearer, so that it is not given up."""

MARGIN_M = 0.15
OFF_ROAD_LEAST_M = 0.15
"""Half of what the score allows."""

AGAINST_M = 1.8
"""So far against a lane's direction within a second is a violation."""

JERK_TICKS = 14
JERK_CHANGE_MPS2 = 4.3
"""The score's jerk is a slope over 15 ticks: a change of acceleration by this much within them is too much."""

TTC_TICK = 40
TTC_SPARE_S = 0.2
"""Time to collision is watched for 4 s, with this much to spare."""

_PEDESTRIAN = int(AgentKind.PEDESTRIAN)
_CYCLIST = int(AgentKind.CYCLIST)


@jit(
    "void", MAP_INDEX, PATHS, PROPOSALS, OTHERS, "f8[:,:,:]", "b1[:]", "f8[:,:,:]", "f8", "f8", "f8", "f8[:]",
    "f8[:,:]", "i4[:,:]", "f8[:,:]", allocates=True,
)  # fmt: skip
def judge(
    m: MapIndex, paths: Paths, proposals: Proposals, others: Others, forecast: Array,
    changes: NDArray[np.bool_], rollouts: Array,
    rear: float, length: float, width: float, s_start: Array, when: Array, who: NDArray[np.int32], how: Array,
) -> None:  # fmt: skip
    """Fill ``when`` [J, 6] (seconds, infinity for never), ``who`` [J, 6] and ``how`` [J, 6] for every rollout.

    Struck from behind by someone who has followed all along, or by anyone while standing, is not at fault and not
    counted; a vehicle that comes to follow because the ego moved in before it counts as a gap (required deceleration).
    """
    agents = len(others.x)
    state = np.zeros(agents, np.int64)
    since = np.zeros(agents)
    for j in range(len(proposals.path)):
        q = proposals.path[j]
        b = paths.base[q]
        when[j] = math.inf
        who[j] = -1
        how[j] = 0.0
        for a in range(agents):
            state[a] = 0
            sa, da = paths.place[b, 0, a, 0], paths.place[b, 0, a, 1]
            i0 = min(max(int(s_start[b] / STEP_M), 0), paths.samples[q] - 1)
            near = abs(da - paths.offset[q, i0]) < 0.5 * width + paths.place[b, 0, a, 3]
            if sa < s_start[b] + rear and near and not changes[a]:
                state[a] = 2
            since[a] = -1.0
        last_x, last_y, against = 0.0, 0.0, 0.0
        for t in range(0, TICKS + 1, 2):
            h, v = rollouts[j, t, HEADING], rollouts[j, t, SPEED]
            c, n = math.cos(h), math.sin(h)
            x, y = rollouts[j, t, X] + rear * c, rollouts[j, t, Y] + rear * n
            s = rollouts[j, t, S]
            accel = rollouts[j, t, ACCEL]
            lateral = v * v * abs(rollouts[j, t, CURVATURE])
            how[j, COMFORT] = max(how[j, COMFORT], lateral / 4.89, -accel / 4.05, accel / 2.4)
            how[j, BRAKING] = max(how[j, BRAKING], -accel)
            change = abs(accel - rollouts[j, max(t - JERK_TICKS, 0), ACCEL])
            how[j, COMFORT] = max(how[j, COMFORT], change / JERK_CHANGE_MPS2)
            i = min(max(int(s / STEP_M), 0), paths.samples[q] - 1)
            how[j, OVERSPEED] += max(0.0, v - paths.cap[q, i] - 0.3) * 0.2
            mapped = s + rear + 0.5 * length < (paths.samples[q] - 1) * STEP_M
            looks = mapped and t <= HORIZON_TICK and t % 4 == 0 and when[j, OFF_ROAD] == math.inf
            if looks and off_road_m(m, 0, x, y, h, length, width) > OFF_ROAD_LEAST_M:
                when[j, OFF_ROAD] = t * 0.1
            if t > 0 and abs(paths.offset[q, i]) > 0.9:
                against = 0.8 * against + wrong_way_step_m(m, 0, -1, last_x, last_y, x, y)
                how[j, WRONG_WAY] = max(how[j, WRONG_WAY], against)
                if against > AGAINST_M and when[j, DIRECTION] == math.inf:
                    when[j, DIRECTION] = t * 0.1
            last_x, last_y = x, y
            if t > 5 and v < 1.0 and when[j, BLOCKING] == math.inf:
                for z in range(paths.zone.shape[1]):
                    z0, z1 = paths.zone[b, z, 0], paths.zone[b, z, 1]
                    entered = s_start[b] + rear + 0.5 * length > z0 + 1.0
                    if not entered and s + rear + 0.5 * length > z0 + 0.3 and s - (0.5 * length - rear) < z1:
                        when[j, BLOCKING] = t * 0.1
            step = min(t // 2, STEPS - 1)
            if t > HORIZON_TICK:
                continue
            for a in range(agents):
                ax, ay = forecast[a, step, 0], forecast[a, step, 1]
                dx, dy = ax - x, ay - y
                al, aw = others.length[a], others.width[a]
                av = forecast[a, step, 3]
                reach = 0.5 * (length + al) + 3.0 + 1.2 * (v + abs(av))
                if dx * dx + dy * dy > reach * reach:
                    continue
                ah = forecast[a, step, 2]
                turned = wrap_angle(ah - h)
                ahead = dx * c + dy * n
                sa, da = paths.place[b, step, a, 0], paths.place[b, step, a, 1]
                following = abs(turned) < 1.0 and ahead < 0.0 and not changes[a]
                if state[a] == 2 and abs(turned) < 1.0:
                    continue  # drives behind: its forecast heeds nobody, and would go through the ego
                if changes[a] and abs(turned) < 1.0 and sa + paths.place[b, step, a, 2] < s - (0.5 * length - rear):
                    if abs(da - paths.offset[q, i]) - 0.5 * width - paths.place[b, step, a, 3] < 0.2:
                        state[a] = 2  # moves in behind
                    continue
                if following and sa < math.inf and v > 0.1:
                    beside = abs(da - paths.offset[q, i]) - 0.5 * width - paths.place[b, step, a, 3]
                    if beside < 0.2:
                        if since[a] < 0.0:
                            since[a] = t * 0.1
                        if t * 0.1 - since[a] > REACTS_S:
                            state[a] = 2
                        else:
                            gap = s - (0.5 * length - rear) - sa - paths.place[b, step, a, 2]
                            closing = max(0.0, av - v)
                            need = closing * closing / (2.0 * max(gap - 1.0, 0.1))
                            if (gap < 0.3 or need > REAR_DECEL_MPS2) and when[j, GAP] == math.inf:
                                when[j, GAP], who[j, GAP] = t * 0.1, a
                        continue
                margin = 2.0 * MARGIN_M
                crossing, sooner = 0.0, 0.0
                if abs(turned) > 0.4 and abs(turned) < 2.75 and abs(av) > 0.3:
                    crossing = 2.0 * (CROSSING_MARGIN_S + MARGIN_GROWTH * 0.1 * t) * abs(av)
                    if others.kind[a] >= _CYCLIST:
                        crossing = 2.0 * WALKING_MARGIN_S * max(abs(av), 1.4)
                        sooner = WALKING_GROWTH * 0.1 * t * max(abs(av), 1.4)
                if others.kind[a] == _PEDESTRIAN or others.kind[a] == _CYCLIST:
                    margin += 0.4
                if when[j, COLLISION] == math.inf:
                    kind = contact_kind(x, y, h, length + margin, width + margin, v, ax, ay, ah, al, aw, av)
                    if kind >= STOPPED_TRACK and kind != REAR:
                        when[j, COLLISION], who[j, COLLISION] = t * 0.1, a
                        how[j, IMPACT] = max(0.0, v - av * math.cos(turned)) + abs(av * math.sin(turned))
                    elif (
                        crossing > 0.0
                        and when[j, GAP] == math.inf
                        and v > 1.0
                        and boxes_overlap(
                            x, y, h, length + margin, width + margin, ax + 0.5 * sooner * math.cos(ah),
                            ay + 0.5 * sooner * math.sin(ah), ah, al + crossing + sooner, aw,
                        )
                    ):  # fmt: skip
                        when[j, GAP], who[j, GAP] = t * 0.1, a
                if when[j, TTC] == math.inf and v > 0.05 and t <= TTC_TICK:
                    relevance = ttc_relevance(x, y, h, length, ax, ay)
                    if relevance == 2 or (relevance == 1 and (abs(turned) > 0.4 or proposals.moves[j] > 0.0)):
                        reach_s = time_to_contact_s(x, y, h, length, width, v, ax, ay, ah, al, aw, av)
                        if reach_s < TTC_LEAST_S + TTC_SPARE_S:
                            when[j, TTC], who[j, TTC] = t * 0.1, a
        how[j, PROGRESS] = rollouts[j, TICKS, S] - rollouts[j, 0, S]
