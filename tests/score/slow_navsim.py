"""PDMS and EPDMS written afresh from ``docs/score.md``: one plan, followed for 4 s while the log goes on."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from waytrace.scenario import Plan, Scenario

from .slow_road import Road
from .slow_score import (
    AXLE_SHARE,
    Car,
    Judged,
    Track,
    collision_term,
    comfort,
    comfortable,
    direction_term,
    has_lights,
    measured,
)

ROWS, LEAST_ROWS, BACK_ROWS = 41, 11, 15
AGREEMENT = {"accel_mps2": 0.7, "jerk_mps3": 0.5, "yaw_rate_radps": 0.1, "yaw_accel_radps2": 0.1}


def followed_plan(scenario: Scenario, plan: Plan, rows: int) -> list[Car]:
    """The ego on its plan every 0.1 s: the rear axle on a cubic through the knots, speed and heading linear between."""
    length, width = scenario.agents.size_m[scenario.ego_index]
    knots = np.vstack([plan.start, plan.waypoints])
    knots[:, 2] = np.unwrap(knots[:, 2])
    at = 0.5 * np.arange(len(knots))
    velocity = knots[:, 3:] * np.stack([np.cos(knots[:, 2]), np.sin(knots[:, 2])], -1)
    axle = CubicHermiteSpline(at, knots[:, :2], velocity)
    cars = []
    for t in 0.1 * np.arange(rows):
        x, y = axle(t)
        heading, speed = np.interp(t, at, knots[:, 2]), np.interp(t, at, knots[:, 3])
        ahead = AXLE_SHARE * length
        cars.append(
            Car(
                float(x + ahead * math.cos(heading)), float(y + ahead * math.sin(heading)), float(heading),
                float(speed), float(length), float(width),
            )
        )  # fmt: skip
    return cars


class SlowPlanScore:
    """One plan made at the scenario's start step, and the plan after it."""

    def __init__(self, scenario: Scenario, road: Road, plan: Plan, following: Plan | None) -> None:
        self.scenario, self.road, self.plan, self.following = scenario, road, plan, following
        agents, first = scenario.agents, scenario.start_step
        there = agents.valid[scenario.ego_index, first : min(first + ROWS, scenario.end_step + 1)]
        self.rows = next((t for t, is_there in enumerate(there) if not is_there), len(there))

    def _logged(self, step: int) -> list[Car | None]:
        agents, found = self.scenario.agents, []
        for i in range(len(agents)):
            heading, (vx, vy) = float(agents.heading_rad[i, step]), agents.velocity_mps[i, step]
            speed = float(vx * math.cos(heading) + vy * math.sin(heading))
            car = Car(*map(float, agents.xy[i, step]), heading, speed, *map(float, agents.size_m[i]))
            found.append(car if agents.valid[i, step] else None)
        return found

    @cached_property
    def log(self) -> Track:
        first, state = self.scenario.start_step, self.scenario.lights.state
        lights = [state[min(first + t, len(state) - 1)].tolist() for t in range(self.rows)]
        return Track(self.scenario, self.road, [self._logged(first + t) for t in range(self.rows)], lights)

    @cached_property
    def own(self) -> Track:
        cars = [list(row) for row in self.log.cars]
        for row, car in zip(cars, followed_plan(self.scenario, self.plan, self.rows), strict=True):
            row[self.scenario.ego_index] = car
        return Track(self.scenario, self.road, cars, self.log.lights)

    @cached_property
    def found(self) -> tuple[dict[str, float], dict[str, float], float, float]:
        """(the plan's terms, the logged ego's, metres of either along the route)."""
        own, log = measured(self.own), measured(self.log)
        return (
            self._terms(self.own, own),
            self._terms(self.log, log),
            max(0.0, own.progress_m),
            max(0.0, log.progress_m),
        )

    def pdms(self) -> tuple[float, dict[str, float]]:
        terms = self.found[0] | {"EP": self._progress("NC", "DAC")}
        return _combined(terms, ("NC", "DAC"), {"EP": 5, "TTC": 5, "C": 2})

    def epdms(self) -> tuple[float, dict[str, float]]:
        multipliers = ("NC", "DAC", "DDC", "TLC")
        own, log, *_ = self.found
        terms = {k: 1.0 if log[k] == 0.0 else v for k, v in own.items()} | {"EP": self._progress(*multipliers)}
        if (agrees := self._agrees()) is not None:
            terms["EC"] = agrees
        return _combined(terms, multipliers, {"EP": 5, "TTC": 5, "LK": 2, "HC": 2, "EC": 2})

    def _progress(self, *multipliers: str) -> float:
        terms, _, own, log = self.found
        best = max(own * math.prod(terms.get(k, 1.0) for k in multipliers), log)
        return 1.0 if best <= 5.0 else min(1.0, own / best)

    def _terms(self, track: Track, out: Judged) -> dict[str, float]:
        collided = collision_term(track, out)
        static_only = any(fault for *_, fault in out.contacts) and collided == 0.0 and self._only_static(out)
        terms = {
            "NC": 0.5 if static_only else collided,
            "DDC": direction_term(out),
            "TTC": float(self._in_time(track, out)),
            "LK": float(self._keeps_middle(track, out)),
            "C": float(comfortable(out.ticks)),
            "HC": self._comfort_with_history(track),
        }
        if self.road.drivable:
            terms["DAC"] = float(max(out.ticks["off_road_m"]) == 0.0)
        if has_lights(self.scenario):
            terms["TLC"] = float(not out.red_lights)
        return terms

    def _only_static(self, out: Judged) -> bool:
        return all(self.scenario.agents.kind[agent] == 5 for _, agent, _, fault in out.contacts if fault)

    def _in_time(self, track: Track, out: Judged) -> bool:
        """Keeping its velocity for 0.9 s the ego touches nobody who counts *where the log has them by then*."""
        ego = track.ego
        passed = {i for i, car in track.others(0) if ego[0].touches(car)}
        for t in range(self.rows - 9):
            me, lane = ego[t], out.lanes[t]
            if abs(me.speed) < 0.005:
                continue
            for k in (0, 3, 6, 9):
                for i, other in track.others(t + k):
                    if i in passed or not me.after(0.1 * k).touches(other):
                        continue
                    bearing = me.bearing_deg(other)
                    free = not self.road.in_junction(lane) and self.road.keeps_one_lane(lane, me.centre, me.corners)
                    if bearing < 30.0 or (bearing <= 150.0 and not free):
                        return False
                    passed.add(i)
        return True

    def _keeps_middle(self, track: Track, out: Judged) -> bool:
        """Never more than 0.5 m beside the route's centre lines for 20 rows on end, intersections left out."""
        beside_for, before = 0, None
        for me, lane in zip(track.ego, out.lanes, strict=True):
            before, beside = self.road.along_route(me.centre, before)
            if self.road.in_junction(lane):
                continue
            beside_for = beside_for + 1 if beside is None or abs(beside) > 0.5 else 0
            if beside_for >= 20:
                return False
        return True

    def _comfort_with_history(self, track: Track) -> float:
        first, ego = self.scenario.start_step, self.scenario.ego_index
        history: list[Car] = []
        for step in range(first - 1, max(-1, first - 1 - BACK_ROWS), -1):
            car = self._logged(step)[ego]
            if car is None:
                break
            history.insert(0, car)
        cars = [*history, *track.ego]
        return float(comfortable(comfort([c.speed for c in cars], [c.heading for c in cars], self.scenario.dt_s)))

    def _agrees(self) -> float | None:
        """Whether the next plan means the same where both reach: root mean square differences within bounds."""
        if self.following is None:
            return None
        offset = round(float(self.following.t0_s - self.plan.t0_s) / self.scenario.dt_s)
        count = ROWS - offset
        now = followed_plan(self.scenario, self.plan, offset + count)[offset:]
        then = followed_plan(self.scenario, self.following, count)
        a, b = (comfort([c.speed for c in cars], [c.heading for c in cars], self.scenario.dt_s) for cars in (now, then))
        apart = {k: math.sqrt(np.mean((np.array(a[k]) - np.array(b[k])) ** 2)) for k in AGREEMENT}
        return float(all(apart[k] <= bound for k, bound in AGREEMENT.items()))


def _combined(
    terms: dict[str, float], multipliers: tuple[str, ...], weights: dict[str, int]
) -> tuple[float, dict[str, float]]:
    there = [k for k in weights if k in terms]
    kept = {k: terms[k] for k in (*multipliers, *weights) if k in terms}
    product = math.prod(terms[k] for k in multipliers if k in terms)
    return product * sum(weights[k] * terms[k] for k in there) / sum(weights[k] for k in there), kept
