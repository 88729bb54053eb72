"""A synthetic scene: a curved two-lane road through a signalled intersection, 32 agents, a careful and a wild drive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from waytrace.geometry import Polylines
from waytrace.scenario import (
    AgentKind,
    Agents,
    LaneControl,
    LaneKind,
    Lights,
    LightState,
    Provenance,
    RoadMap,
    Rollout,
    Route,
    Scenario,
)
from waytrace.score import Event

from .devtools import Tab, tab

STEPS, START, AGENTS = 112, 20, 32
WIDTH = 3.5


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One browser for all tests of a module that need one."""
    with tab(tmp_path_factory.mktemp("browser") / "profile") as opened:
        yield opened


@dataclass(frozen=True)
class FakeScore:
    """What :class:`waytrace.score.ScenarioScore` holds, as far as pages read it."""

    scenario_id: str
    score: float
    terms: dict[str, float]
    applied: tuple[str, ...]
    ticks: dict[str, NDArray[np.float64]]
    figures: dict[str, float] = field(default_factory=dict)
    events: tuple[Event, ...] = ()


def _offset(xy: NDArray[np.float64], metres: float) -> NDArray[np.float64]:
    d = np.gradient(xy, axis=0)
    left = np.stack([-d[:, 1], d[:, 0]], -1) / np.hypot(*d.T)[:, None]
    return xy + metres * left


def _bend(bearing: float, begin: float, end: float, curve: float) -> NDArray[np.float64]:
    """A road away from the origin at ``bearing``, from ``begin`` to ``end`` metres, bending by ``curve`` rad."""
    s = np.linspace(begin, end, max(int(end - begin), 8))
    angle = bearing + curve * ((s - begin) / (end - begin)) ** 2
    steps = np.stack([np.cos(angle), np.sin(angle)], -1) * np.gradient(s)[:, None]
    return np.cumsum(steps, 0) - steps[0] + begin * np.array([np.cos(bearing), np.sin(bearing)])


class _Builder:
    def __init__(self) -> None:
        self.centre: list[NDArray[np.float64]] = []
        self.meta: list[dict[str, float]] = []
        self.leads: dict[int, list[int]] = {}

    def lane(self, xy: NDArray[np.float64], **meta: float) -> int:
        self.centre.append(xy)
        self.meta.append(meta)
        return len(self.centre) - 1


def make_scenario(scenario_id: str = "curve-and-crossing", lane_copies: int = 1) -> Scenario:
    """Four arms of two lanes each way (parts of ``lane_copies`` lanes), connectors between them, lights on all."""
    b = _Builder()
    arms = [(0.0, 0.55), (np.pi / 2, -0.2), (np.pi, 0.35), (-np.pi / 2, 0.15)]
    into: list[list[int]] = []
    out: list[list[int]] = []
    drivable, crosswalk, stop_xy, stop_lane = [], [], [], []
    for bearing, curve in arms:
        axis = _bend(bearing, 16.0, 190.0, curve)
        drivable.append(np.concatenate([_offset(axis, 2 * WIDTH + 0.6), _offset(axis, -2 * WIDTH - 0.6)[::-1]]))
        near = _bend(bearing, 17.0, 20.5, 0.0)
        crosswalk.append(np.concatenate([_offset(near, 2 * WIDTH), _offset(near, -2 * WIDTH)[::-1]]))
        ends: list[list[int]] = [[], []]
        for side in (0, 1):
            for place in (0.5, 1.5):
                line = _offset(axis, (place if side == 0 else -place) * WIDTH)
                line = line[::-1] if side == 0 else line
                parts = np.array_split(np.arange(len(line)), lane_copies)
                lanes = [
                    b.lane(
                        line[max(p[0] - 1, 0) : p[-1] + 1],
                        left=float(place == 1.5),
                        right=float(place == 0.5),
                        inner=0.0,
                    )
                    for p in parts
                ]
                for before, after in pairwise(lanes):
                    b.leads.setdefault(before, []).append(after)
                ends[side].append(lanes[-1] if side == 0 else lanes[0])
                if side == 0:
                    tip, ahead = line[-6], line[-5] - line[-6]
                    across = np.array([-ahead[1], ahead[0]]) / np.hypot(*ahead) * WIDTH / 2
                    stop_xy.append([tip + across, tip - across])
                    stop_lane.append(lanes[-1])
        into.append(ends[0])
        out.append(ends[1])
    drivable.append(np.array([[17.0, 17.0], [-17.0, 17.0], [-17.0, -17.0], [17.0, -17.0]]))
    light_lane, light_xy, light_group = [], [], []
    for i in range(4):
        for j in range(4):
            if i == j:
                continue
            places = [(0, 0)] if (j - i) % 4 == 3 else [(1, 1)] if (j - i) % 4 == 1 else [(0, 0), (1, 1)]
            for p, q in places:
                a, z = b.centre[into[i][p]], b.centre[out[j][q]]
                u, v = a[-1] - a[-2], z[1] - z[0]
                t = np.linspace(0, 1, 14)[:, None]
                reach = 0.55 * np.hypot(*(z[0] - a[-1]))
                p1, p2 = a[-1] + u / np.hypot(*u) * reach, z[0] - v / np.hypot(*v) * reach
                xy = (1 - t) ** 3 * a[-1] + 3 * t * (1 - t) ** 2 * p1 + 3 * t**2 * (1 - t) * p2 + t**3 * z[0]
                lane = b.lane(xy, inner=1.0)
                b.leads.setdefault(into[i][p], []).append(lane)
                b.leads.setdefault(lane, []).append(out[j][q])
                light_lane.append(lane)
                light_xy.append(a[-6])
                light_group.append(i % 2)
    n = len(b.centre)
    leads = [b.leads.get(i, []) for i in range(n)]
    road = RoadMap(
        lane_id=tuple(f"lane-{i}" for i in range(n)),
        centre=Polylines.of(b.centre),
        left=Polylines.of(_offset(c, WIDTH / 2) for c in b.centre),
        right=Polylines.of(_offset(c, -WIDTH / 2) for c in b.centre),
        successor=np.array([k for row in leads for k in row], np.int32),
        successor_start=np.concatenate([[0], np.cumsum([len(row) for row in leads])]).astype(np.int32),
        left_neighbor=np.array([i - lane_copies if m.get("left") else -1 for i, m in enumerate(b.meta)], np.int32),
        right_neighbor=np.array([i + lane_copies if m.get("right") else -1 for i, m in enumerate(b.meta)], np.int32),
        speed_limit_mps=np.full(n, 50 / 3.6),
        lane_kind=np.full(n, LaneKind.VEHICLE, np.uint8),
        in_intersection=np.array([m["inner"] > 0 for m in b.meta]),
        lane_control=np.array([LaneControl.SIGNAL if m["inner"] else LaneControl.NONE for m in b.meta], np.uint8),
        stop_line_xy=np.array(stop_xy),
        stop_line_lane=np.array(stop_lane, np.int32),
        crosswalk=Polylines.of(crosswalk),
        drivable=Polylines.of(drivable),
    )
    steps = np.arange(STEPS)
    go, halt = (steps < 75), (steps >= 90)
    green = np.where(go, LightState.GREEN, np.where(halt, LightState.RED, LightState.YELLOW))
    cross = np.where(halt, LightState.GREEN, LightState.RED)
    states = np.stack([green if g == 0 else cross for g in light_group], -1).astype(np.uint8)
    route = _chain(road, into[2][0], out[0][0], lane_copies)
    path = np.concatenate([road.centre[lane] for lane in route])
    return Scenario(
        id=scenario_id,
        source="catalogue",
        map=road,
        lights=Lights(np.array(light_lane, np.int32), np.array(light_xy), states),
        agents=_agents(b.centre, into, out, path),
        ego_index=0,
        route=Route(tuple((lane,) for lane in route)),
        start_step=START,
        end_step=STEPS - 1,
        provenance=Provenance("CC0-1.0", "synthetic"),
        family="signalled crossing",
        cluster="crossing-0",
    )


def _chain(road: RoadMap, last_in: int, first_out: int, copies: int) -> list[int]:
    middle = next(int(k) for k in road.successors(last_in) if first_out in road.successors(int(k)))
    return [*range(last_in - copies + 1, last_in + 1), middle, *range(first_out, first_out + copies)]


def _along(path: NDArray[np.float64], s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    steps = np.hypot(*np.diff(path, axis=0).T)
    keep = np.concatenate([[True], steps > 1e-6])
    path = path[keep]
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    xy = np.stack([np.interp(s, at, path[:, 0]), np.interp(s, at, path[:, 1])], -1)
    nose = np.stack([np.interp(s + 1.0, at, path[:, 0]), np.interp(s + 1.0, at, path[:, 1])], -1)
    tail = np.stack([np.interp(s - 1.0, at, path[:, 0]), np.interp(s - 1.0, at, path[:, 1])], -1)
    return xy, np.unwrap(np.arctan2(*(nose - tail).T[::-1]))


def _agents(
    centre: list[NDArray[np.float64]], into: list[list[int]], out: list[list[int]], ego_path: NDArray[np.float64]
) -> Agents:
    rng = np.random.default_rng(3)
    t = np.arange(STEPS) * 0.1
    xy, heading = np.zeros((AGENTS, STEPS, 2)), np.zeros((AGENTS, STEPS))
    kind, size = np.zeros(AGENTS, np.uint8), np.zeros((AGENTS, 2))
    valid = np.ones((AGENTS, STEPS), np.bool_)
    cars = [k for arm in into for k in arm] + [k for arm in out for k in arm]
    for a in range(AGENTS):
        if a == 0:
            kind[a], size[a] = AgentKind.VEHICLE, (4.7, 1.95)
            xy[a], heading[a] = _along(ego_path, 95.0 + 11.0 * t - 0.12 * t**2)
        elif a < 22:
            lane = cars[a % len(cars)]
            kind[a] = (
                AgentKind.LARGE_VEHICLE if a % 7 == 0 else AgentKind.MOTORCYCLE if a % 11 == 0 else AgentKind.VEHICLE
            )
            size[a] = {1: (11.5, 2.6), 2: (2.2, 0.85)}.get(int(kind[a]), (4.4 + rng.random(), 1.9))
            leaving = lane in [k for arm in out for k in arm]
            length = np.hypot(*np.diff(centre[lane], axis=0).T).sum()
            first = rng.uniform(4, 60) if leaving else length - 14.0 - 13.0 * (a // 16) - rng.uniform(0, 5)
            speed = rng.uniform(5, 9) if leaving else 0.0
            xy[a], heading[a] = _along(centre[lane], first + speed * t)
        elif a < 26:
            kind[a], size[a] = AgentKind.PEDESTRIAN, (0.7, 0.7)
            corner = np.array([[18.7, -9.0], [-18.7, 9.5], [9.3, 18.7], [-9.4, -18.7]])[a - 22]
            walk = np.array([[0.0, 1.3], [0.0, -1.2], [-1.1, 0.0], [1.25, 0.0]])[a - 22]
            xy[a] = corner + walk * np.maximum(t - 3.0, 0.0)[:, None]
            heading[a] = np.arctan2(walk[1], walk[0])
        elif a < 28:
            kind[a], size[a] = AgentKind.CYCLIST, (1.8, 0.7)
            xy[a], heading[a] = _along(centre[out[1][1]], 8.0 + 25 * (a - 26) + 4.5 * t)
            xy[a] += [1.4, 0]
        else:
            kind[a], size[a] = (AgentKind.STATIC, (0.6, 0.6)) if a < 31 else (AgentKind.UNKNOWN, (2.0, 1.4))
            xy[a] = [22.0 + 3 * (a - 28), -9.3]
    valid[9, 70:] = False
    valid[13, :35] = False
    velocity = np.gradient(xy, 0.1, axis=1)
    return Agents(tuple(f"agent-{a}" for a in range(AGENTS)), kind, size, xy, heading, velocity, valid)


def make_drive(scenario: Scenario, planner: str = "expert", crash: bool = False) -> tuple[Rollout, FakeScore]:
    """A drive of ``make_scenario``: close to the log, or too fast and into the vehicle ahead."""
    a, rows = scenario.agents, STEPS - START
    t = np.arange(rows) * 0.1
    path = np.concatenate([scenario.map.centre[lane] for lane in scenario.route.lanes])
    s0 = 95.0 + 11.0 * START * 0.1 - 0.12 * (START * 0.1) ** 2
    accel = np.where(t < 3, 1.2, np.where(t < 6.5, -0.4, -1.1)) if not crash else np.where(t < 5.6, 1.9, -7.2)
    speed = np.maximum(10.5 + np.concatenate([[0.0], np.cumsum(accel[:-1] * 0.1)]), 0.0)
    s = s0 + np.concatenate([[0.0], np.cumsum(speed[:-1] * 0.1)])
    xy, heading = _along(path, s)
    pose = np.concatenate([a.xy, a.heading_rad[..., None]], -1)[:, START:].swapaxes(0, 1).copy()
    pose[:, 0, :2], pose[:, 0, 2] = xy, heading
    speeds = np.hypot(*np.moveaxis(a.velocity_mps, -1, 0))[:, START:].T.copy()
    speeds[:, 0] = speed
    valid = a.valid[:, START:].T.copy()
    hit = 63
    if crash:
        ahead, turned = _along(path, s[hit] + 4.6 + 0.0 * t)
        pose[:, 3, :2], pose[:, 3, 2], speeds[:, 3] = ahead, turned, 0.0
    curvature = np.gradient(np.unwrap(heading)) / np.maximum(speed * 0.1, 0.05)
    decisions = np.arange(0, rows, 5, dtype=np.int32)
    knots = np.arange(1, 17) * 0.5
    plans = np.zeros((len(decisions), 16, 4))
    for d, row in enumerate(decisions):
        go = s[row] - 0.28 * a.size_m[0, 0] + speed[row] * knots * (1.0 - 0.02 * knots)
        p, h = _along(path, go)
        plans[d] = np.concatenate([p, h[:, None], np.full((16, 1), speed[row])], -1)
    reactive = np.zeros((rows, AGENTS), np.bool_)
    reactive[25:, 1:12] = True
    away = np.hypot(*np.moveaxis(pose[..., :2] - pose[:, :1, :2], -1, 0))
    visible = (away < 75.0) & (np.arange(AGENTS) % 6 != 5)
    rollout = Rollout(
        scenario_id=scenario.id, scenario_hash="0" * 64, planner=planner, traffic="mixed", seed=7, dt_s=0.1,
        start_step=START, ego_index=0, pose=pose, speed_mps=speeds, valid=valid, reactive=reactive & valid,
        visible=visible & valid, ego_accel_mps2=accel, ego_curvature_1pm=curvature,
        lights=scenario.lights.state[START:], decision_row=decisions, plan_waypoints=plans,
        plan_accel_mps2=np.zeros((len(decisions), 16)), plan_curvature_1pm=np.zeros((len(decisions), 16)),
        end="collision" if crash else "horizon",
    )  # fmt: skip
    row = np.arange(rows)
    ttc = np.where((row > 20) & (row < 70), 2.6 + np.cos(row / 9.0), np.inf)
    if crash:
        ttc = np.where((row > 30) & (row <= hit), (hit - row) * 0.07, np.inf)
    at_fault = (row == hit) & crash
    ticks = {
        "collision": ((row >= hit) & (row < hit + 5) & crash).astype(float),
        "at_fault": at_fault.astype(float),
        "off_road_m": np.maximum(0.0, np.sin(row / 14.0) * 0.2),
        "wrong_way_m": np.zeros(rows),
        "red_light": ((row == 58) & crash).astype(float),
        "ttc_s": ttc,
        "overspeed_mps": np.maximum(speed - 50 / 3.6, 0.0),
        "lon_accel_mps2": accel,
        "lat_accel_mps2": speed**2 * curvature,
        "jerk_mps3": np.gradient(accel, 0.1),
        "progress_m": s - s[0],
    }
    terms = {"NC": 1.0, "DAC": 1.0, "MP": 1.0, "DDC": 1.0, "TLC": 1.0, "EP": 0.93, "TTC": 1.0, "SL": 0.99, "C": 1.0}
    if crash:
        terms |= {"NC": 0.0, "TLC": 0.0, "EP": 1.0, "TTC": 0.0, "SL": 0.41, "C": 0.0}
    figures = {"ade_m": 1.84, "fde_m": 4.02, "pdms": 0.91, "epdms": 0.88, "min_ttc_s": float(np.min(ttc)),
               "collision": float(crash), "off_road": 0.0, "progress_m": float(s[-1] - s[0]),
               "reference_progress_m": 96.0}  # fmt: skip
    score = 0.0 if crash else round((5 * 0.93 + 5 + 4 * 0.99 + 2) / 16, 4)
    return rollout, FakeScore(scenario.id, score, terms, tuple(terms), ticks, figures)


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    return make_scenario()


@pytest.fixture(scope="session")
def drives(scenario: Scenario) -> list[tuple[Rollout, FakeScore]]:
    return [make_drive(scenario), make_drive(scenario, "constant-velocity", crash=True)]
