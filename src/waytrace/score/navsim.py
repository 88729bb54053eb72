"""PDMS and EPDMS: one plan, 4 s, against the log, as NAVSIM computes them.

Source: github.com/autonomousvision/navsim at 0a380a9, ``docs/metrics.md``, ``.../scoring/pdm_scorer.py``,
``.../scoring/pdm_comfort_metrics.py`` and ``navsim/evaluate/pdm_score.py``. What differs stands in ``docs/score.md``;
the largest: the plan is followed exactly instead of by an LQR and a bicycle model, and progress is measured against
the logged ego instead of PDM-Closed's proposal. So these figures are comparable among planners here, not with
published ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_overlap, jit, wrap
from waytrace.rules import (
    ACCEL,
    JERK,
    YAW_ACCEL,
    YAW_RATE,
    is_comfortable,
    ttc_relevance,
    wholly_in_one_lane,
)
from waytrace.rules.limits import TTC_STOPPED_MPS
from waytrace.scenario import PLAN_KNOT_S, REAR_AXLE_TO_CENTRE, AgentKind, LightState, Plan, Rollout, Scenario
from waytrace.scenario.index import MAP_INDEX, ROUTE_INDEX, CompiledMaps, MapIndex, RouteIndex
from waytrace.scenario.lanes import locate, route_progress
from waytrace.scenario.state import AGENT_STATE, AgentState

from ._ticks import OFF_ROAD, RED_LANE, Drive, Ticks, comfort_of, compiled, drive_state, measure
from .formula import combine
from .judge import driven_m, wrong_way_term

Array = NDArray[np.float64]

HORIZON_ROWS = 41
"""4 s at 10 Hz, the start included."""
LEAST_ROWS = 11
"""With less than 1 s of recording left there is nothing to judge."""
HISTORY_ROWS = 15
"""Logged steps that HC looks back on (NAVSIM: 1.5 s)."""
PROGRESS_FROM_M = 5.0
"""If neither plan nor reference makes more, EP is 1 (``progress_distance_threshold``)."""
LANE_KEEPING_M = 0.5
LANE_KEEPING_ROWS = 20
"""LK: more than 0.5 m beside the centre line for 2 s on end."""
EXTENDED_COMFORT: dict[int, float] = {ACCEL: 0.7, JERK: 0.5, YAW_RATE: 0.1, YAW_ACCEL: 0.1}
"""Root mean square by which two successive plans may differ: m/s2, m/s3, rad/s, rad/s2."""

PDMS_MULTIPLIERS: tuple[str, ...] = ("NC", "DAC")
PDMS_WEIGHTS: dict[str, int] = {"EP": 5, "TTC": 5, "C": 2}
EPDMS_MULTIPLIERS: tuple[str, ...] = ("NC", "DAC", "DDC", "TLC")
EPDMS_WEIGHTS: dict[str, int] = {"EP": 5, "TTC": 5, "LK": 2, "HC": 2, "EC": 2}


@dataclass(frozen=True)
class PlanScore:
    """How one plan is judged: the score 0..1 and the terms it is made of (only those that apply)."""

    score: float
    terms: dict[str, float]


def pdms(
    scenario: Scenario, plan: Plan, *, step: int | None = None, reference_progress_m: float | None = None
) -> PlanScore | None:
    """NAVSIM v1's score of one plan: ``NC * DAC * (5 EP + 5 TTC + 2 C) / 12``.

    ``plan`` is one plan (no leading axis) made at recorded step ``step`` (the start step where None); the others do
    what the log says for 4 s, or as long as it goes on. ``reference_progress_m`` replaces the logged ego's progress.
    None where less than 1 s of log is left: a generated scenario has none.
    """
    judged = _judge(scenario, plan, step, reference_progress_m)
    return None if judged is None else judged.pdms()


def epdms(
    scenario: Scenario,
    plan: Plan,
    *,
    following: Plan | None = None,
    step: int | None = None,
    reference_progress_m: float | None = None,
) -> PlanScore | None:
    """NAVSIM v2's score of one plan: ``NC * DAC * DDC * TLC * (5 EP + 5 TTC + 2 LK + 2 HC + 2 EC) / 16``.

    A term that the logged ego fails (0) counts as passed. ``following`` is the same planner's next plan, for EC;
    without it EC is left out and the weights renormalised, as is TLC where the scenario has no lights. The rest as
    for :func:`pdms`.
    """
    judged = _judge(scenario, plan, step, reference_progress_m)
    return None if judged is None else judged.epdms(following)


def plan_figures(scenario: Scenario, rollout: Rollout) -> dict[str, float]:
    """``pdms`` and ``epdms`` of the first plan of a rollout; empty where there is no log or no plan at the start."""
    if not len(rollout.decision_row) or rollout.decision_row[0] != 0:
        return {}
    judged = _judge(scenario, _plan_of(scenario, rollout, 0), rollout.start_step, None)
    if judged is None:
        return {}
    following = _plan_of(scenario, rollout, 1) if len(rollout.decision_row) > 1 else None
    return {"pdms": judged.pdms().score, "epdms": judged.epdms(following).score}


def plan_states(scenario: Scenario, plan: Plan, rows: int) -> tuple[Array, Array]:
    """Box centre [rows, 3] (x, y, heading) and speed [rows] of an ego that follows a plan exactly, every 0.1 s.

    Between knots the rear axle moves on the cubic whose velocity at the knots is the plan's; speed and heading are
    interpolated linearly.
    """
    knots = np.concatenate([plan.start[None], plan.waypoints])
    knots[:, 2] = knots[0, 2] + np.cumsum(np.concatenate([[0.0], wrap(np.diff(knots[:, 2]))]))
    at = np.minimum(np.arange(rows) * scenario.dt_s / PLAN_KNOT_S, len(knots) - 1.0)
    i = np.minimum(at.astype(np.int64), len(knots) - 2)
    u = (at - i)[:, None]
    a, b = knots[i], knots[i + 1]
    ta, tb = (PLAN_KNOT_S * k[:, 3:4] * np.stack([np.cos(k[:, 2]), np.sin(k[:, 2])], -1) for k in (a, b))
    xy = (
        (1 + 2 * u) * (1 - u) ** 2 * a[:, :2] + u * (1 - u) ** 2 * ta
        + u**2 * (3 - 2 * u) * b[:, :2] + u**2 * (u - 1) * tb
    )  # fmt: skip
    rest = a[:, 2:] + u * (b[:, 2:] - a[:, 2:])
    ahead = REAR_AXLE_TO_CENTRE * scenario.agents.size_m[scenario.ego_index, 0]
    centre = xy + ahead * np.stack([np.cos(rest[:, 0]), np.sin(rest[:, 0])], -1)
    return np.concatenate([centre, rest[:, :1]], -1), rest[:, 1]


@dataclass(frozen=True)
class _Judged:
    """A plan's terms, the logged ego's, and what EC needs."""

    scenario: Scenario
    plan: Plan
    rows: int
    terms: dict[str, float]
    logged: dict[str, float]
    driven_m: float
    reference_m: float

    def pdms(self) -> PlanScore:
        """NAVSIM v1."""
        terms = self._with_progress(PDMS_MULTIPLIERS)
        return _combined(terms, PDMS_MULTIPLIERS, PDMS_WEIGHTS)

    def epdms(self, following: Plan | None) -> PlanScore:
        """NAVSIM v2."""
        terms = self._with_progress(EPDMS_MULTIPLIERS)
        terms = {key: 1.0 if self.logged.get(key) == 0.0 else value for key, value in terms.items()}
        if following is not None and (comfort := self._extended_comfort(following)) is not None:
            terms["EC"] = comfort
        return _combined(terms, EPDMS_MULTIPLIERS, EPDMS_WEIGHTS)

    def _with_progress(self, multipliers: tuple[str, ...]) -> dict[str, float]:
        scale = math.prod(self.terms.get(key, 1.0) for key in multipliers)
        best = max(self.driven_m * scale, self.reference_m)
        ratio = 1.0 if best <= PROGRESS_FROM_M else min(max(self.driven_m / best, 0.0), 1.0)
        return {**self.terms, "EP": ratio}

    def _extended_comfort(self, following: Plan) -> float | None:
        """Whether two successive plans agree in acceleration, jerk, yaw rate and yaw acceleration where both plan."""
        offset = round(float(np.squeeze(following.t0_s) - np.squeeze(self.plan.t0_s)) / self.scenario.dt_s)
        count = HORIZON_ROWS - offset
        if offset <= 0 or count < LEAST_ROWS:
            return None
        rows = []
        for plan, start in ((self.plan, offset), (following, 0)):
            pose, speed = plan_states(self.scenario, plan, start + count)
            rows.append(comfort_of(speed[start:], pose[start:, 2], self.scenario.dt_s))
        gap = np.sqrt(np.mean((rows[0] - rows[1]) ** 2, axis=1))
        return float(all(gap[row] <= limit for row, limit in EXTENDED_COMFORT.items()))


def _combined(terms: dict[str, float], multipliers: tuple[str, ...], weights: dict[str, int]) -> PlanScore:
    kept = {key: terms[key] for key in (*multipliers, *weights) if key in terms}
    return PlanScore(combine(kept, multipliers, weights), kept)


def _plan_of(scenario: Scenario, rollout: Rollout, decision: int) -> Plan:
    """A recorded plan, its start taken from the pose in the row it was made."""
    row = int(rollout.decision_row[decision])
    x, y, heading = rollout.pose[row, rollout.ego_index]
    back = REAR_AXLE_TO_CENTRE * scenario.agents.size_m[scenario.ego_index, 0]
    speed = rollout.speed_mps[row, rollout.ego_index]
    start = np.array([x - back * np.cos(heading), y - back * np.sin(heading), heading, speed])
    return Plan(
        np.asarray(row * rollout.dt_s), start, rollout.plan_accel_mps2[decision],
        rollout.plan_curvature_1pm[decision], rollout.plan_waypoints[decision], rollout.planner,
    )  # fmt: skip


def _judge(scenario: Scenario, plan: Plan, step: int | None, reference_m: float | None) -> _Judged | None:
    ego, agents = scenario.ego_index, scenario.agents
    step = scenario.start_step if step is None else step
    there = agents.valid[ego, step : min(step + HORIZON_ROWS, scenario.end_step + 1)]
    rows = int(np.argmin(there)) if not there.all() else len(there)
    if rows < LEAST_ROWS:
        return None
    maps = compiled(scenario)
    span = slice(step, step + rows)
    heading = agents.heading_rad[:, span].T
    pose = np.concatenate([np.swapaxes(agents.xy[:, span], 0, 1), heading[..., None]], -1)
    velocity = np.swapaxes(agents.velocity_mps[:, span], 0, 1)
    speed = velocity[..., 0] * np.cos(heading) + velocity[..., 1] * np.sin(heading)
    log = Drive(pose, speed, agents.valid[:, span].T, _light_rows(scenario, span), rows)
    own_pose, own_speed = pose.copy(), speed.copy()
    own_pose[:, ego], own_speed[:, ego] = plan_states(scenario, plan, rows)
    own = Drive(own_pose, own_speed, log.valid, log.lights, rows)
    ticks, logged = measure(scenario, own, maps), measure(scenario, log, maps)
    reference = driven_m(logged) if reference_m is None else reference_m
    return _Judged(
        scenario, plan, rows, _terms(scenario, own, ticks, maps, step), _terms(scenario, log, logged, maps, step),
        max(driven_m(ticks), 0.0), max(reference, 0.0),
    )  # fmt: skip


def _light_rows(scenario: Scenario, span: slice) -> NDArray[np.uint8]:
    """Light states of the steps ``span``; the last recorded row holds on."""
    state = scenario.lights.state
    return state[np.minimum(np.arange(span.start, span.stop), len(state) - 1)]


def _terms(scenario: Scenario, drive: Drive, ticks: Ticks, maps: CompiledMaps, step: int) -> dict[str, float]:
    """Every term but EP and EC."""
    ego, rows = scenario.ego_index, ticks.rows
    static = scenario.agents.kind == AgentKind.STATIC
    blamed = ticks.blamed.any(axis=0)
    state = drive_state(scenario, drive)
    number = int(maps.map_of[0])
    in_time, keeps = _ahead_and_lane(maps.index, maps.routes, state, number, 0, ego, rows, ticks.at_start.copy())
    found = {
        "NC": 0.0 if (blamed & ~static).any() else 0.5 if blamed.any() else 1.0,
        "DDC": wrong_way_term(float(np.max(ticks.wrong_way_m[:rows]))),
        "TTC": float(in_time),
        "LK": float(keeps),
        "C": float(is_comfortable(ticks.comfort, rows)),
        "HC": _history_comfort(scenario, drive, step),
    }
    if len(scenario.map.drivable):
        found["DAC"] = float(np.max(ticks.values[OFF_ROAD, :rows]) <= 0.0)
    if (scenario.lights.state != LightState.UNKNOWN).any():
        found["TLC"] = float(not (ticks.values[RED_LANE, :rows] >= 0.0).any())
    return found


def _history_comfort(scenario: Scenario, drive: Drive, step: int) -> float:
    """Comfort of the plan with up to 1.5 s of logged history before it."""
    ego, agents = scenario.ego_index, scenario.agents
    first = step
    while first > 0 and step - first < HISTORY_ROWS and agents.valid[ego, first - 1]:
        first -= 1
    heading = agents.heading_rad[ego, first:step]
    velocity = agents.velocity_mps[ego, first:step]
    speed = velocity[:, 0] * np.cos(heading) + velocity[:, 1] * np.sin(heading)
    comfort = comfort_of(
        np.concatenate([speed, drive.speed_mps[: drive.rows, ego]]),
        np.concatenate([heading, drive.pose[: drive.rows, ego, 2]]),
        scenario.dt_s,
    )
    return float(is_comfortable(comfort, comfort.shape[1]))


@jit("b1,b1", MAP_INDEX, ROUTE_INDEX, AGENT_STATE, "i8", "i8", "i8", "i8", "b1[:]")
def _ahead_and_lane(
    m: MapIndex, r: RouteIndex, a: AgentState, number: int, route: int, ego: int, rows: int, skip: NDArray[np.bool_]
) -> tuple[bool, bool]:
    """(TTC, LK) of a drive whose tick t is world t of ``a``; ``skip`` [A] marks who touches the ego at the start.

    TTC: in each row the ego keeps its velocity for 0, 0.3, 0.6, 0.9 s and must not touch anyone *where the log has
    them by then*, with nuPlan's exclusions. LK: never more than 0.5 m beside the route's centre lines for 2 s on end;
    rows in an intersection neither count nor reset.
    """
    in_time, keeps, beside = True, True, 0
    lane, near = -1, math.nan
    for t in range(rows):
        x, y, h, v = a.x[t, ego], a.y[t, ego], a.heading[t, ego], a.speed[t, ego]
        length, width = a.length[t, ego], a.width[t, ego]
        lane, _, _ = locate(m, number, x, y, h, lane)
        in_junction = lane >= 0 and m.lane_junction[lane] == 1
        near, lateral, entry = route_progress(m, r, route, x, y, near)
        if not in_junction:
            beside = beside + 1 if entry < 0 or abs(lateral) > LANE_KEEPING_M else 0
            keeps = keeps and beside < LANE_KEEPING_ROWS
        if t + 9 >= rows or abs(v) < TTC_STOPPED_MPS:
            continue
        known, alone = False, False
        for k in range(0, 10, 3):
            px, py = x + 0.1 * k * v * math.cos(h), y + 0.1 * k * v * math.sin(h)
            for o in range(a.x.shape[1]):
                if o == ego or skip[o] or not a.present[t + k, o]:
                    continue
                ox, oy = a.x[t + k, o], a.y[t + k, o]
                if not boxes_overlap(
                    px, py, h, length, width, ox, oy, a.heading[t + k, o], a.length[t + k, o], a.width[t + k, o]
                ):
                    continue
                relevance = ttc_relevance(x, y, h, length, ox, oy)
                if relevance == 1 and not known:
                    known, alone = True, wholly_in_one_lane(m, number, lane, x, y, h, length, width)
                if relevance == 2 or (relevance == 1 and (in_junction or not alone)):
                    in_time = False
                else:
                    skip[o] = True
    return in_time, keeps
