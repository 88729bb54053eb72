"""A city of crossings for the benchmarks: as many map points as asked for, two-way roads, lights, dense traffic."""

from __future__ import annotations

import numpy as np

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
    Route,
    Scenario,
)

HALF_CROSSING_M = 12.0
LANE_OFFSET_M = 1.75
SPACING_M = 11.0
"""Dense moving traffic: some 6 m of road between bumpers."""


def city_map(blocks: int, block_m: float, turns: tuple[int, ...] = (0, 1, -1)) -> RoadMap:
    """A grid of ``blocks`` x ``blocks`` four-way crossings, one lane each way; ``turns``: 0 ahead, 1 left, -1 right."""
    lanes: list[np.ndarray] = []
    entry: dict[tuple[int, int, int], int] = {}
    leave: dict[tuple[int, int, int], int] = {}
    directions = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])

    def road(start: np.ndarray, end: np.ndarray) -> int:
        n = max(2, int(np.hypot(*(end - start)) / 4.0) + 1)
        lanes.append(np.linspace(start, end, n))
        return len(lanes) - 1

    for i in range(blocks):
        for j in range(blocks):
            centre = np.array([i, j]) * block_m
            for d, ahead in enumerate(directions):
                right = np.array([ahead[1], -ahead[0]]) * LANE_OFFSET_M
                i2, j2 = i + int(ahead[0]), j + int(ahead[1])
                inside = 0 <= i2 < blocks and 0 <= j2 < blocks
                reach = block_m - HALF_CROSSING_M if inside else block_m / 2
                out = road(centre + ahead * HALF_CROSSING_M + right, centre + ahead * reach + right)
                leave[i, j, d] = out
                if inside:
                    entry[i2, j2, d] = out
                if not (0 <= i - int(ahead[0]) < blocks and 0 <= j - int(ahead[1]) < blocks):
                    entry[i, j, d] = road(
                        centre - ahead * block_m / 2 + right, centre - ahead * HALF_CROSSING_M + right
                    )
    successors: dict[int, list[int]] = {}
    connectors: list[tuple[int, int, int]] = []
    for (i, j, d), lane in sorted(entry.items()):
        for turn in turns:
            target = leave[i, j, (d + turn) % 4]
            p0, p3 = lanes[lane][-1], lanes[target][0]
            pull = 0.55 * np.abs(p3 - p0).max() if turn else 0.4 * np.abs(p3 - p0).max()
            p1, p2 = p0 + directions[d] * pull, p3 - directions[(d + turn) % 4] * pull
            t = np.linspace(0, 1, 12)[:, None]
            lanes.append((1 - t) ** 3 * p0 + 3 * (1 - t) ** 2 * t * p1 + 3 * (1 - t) * t**2 * p2 + t**3 * p3)
            number = len(lanes) - 1
            successors.setdefault(lane, []).append(number)
            successors[number] = [target]
            connectors.append((number, lane, d))
    n = len(lanes)
    starts = np.concatenate([[0], np.cumsum([len(successors.get(k, [])) for k in range(n)])]).astype(np.int32)
    flat = np.array([q for k in range(n) for q in successors.get(k, [])], np.int32)
    junction = np.zeros(n, np.bool_)
    control = np.zeros(n, np.uint8)
    for number, _, _ in connectors:
        junction[number] = True
        control[number] = LaneControl.SIGNAL
    half = 0.5 * block_m
    low, high = -half - 10.0, (blocks - 1) * block_m + half + 10.0
    square = np.array([[low, low], [high, low], [high, high], [low, high]])
    none = np.full(n, -1, np.int32)
    return RoadMap(
        tuple(str(k) for k in range(n)), Polylines.of(lanes), Polylines.of([_shift(c, 1.75) for c in lanes]),
        Polylines.of([_shift(c, -1.75) for c in lanes]), flat, starts, none, none.copy(), np.full(n, 13.9),
        np.full(n, LaneKind.VEHICLE, np.uint8), junction, control, np.zeros((0, 2, 2)), np.zeros(0, np.int32),
        Polylines.of([]), Polylines.of([square]),
    )  # fmt: skip


def _shift(xy: np.ndarray, left_m: float) -> np.ndarray:
    d = np.gradient(xy, axis=0)
    d /= np.hypot(d[:, 0], d[:, 1])[:, None]
    return xy + left_m * np.stack([-d[:, 1], d[:, 0]], -1)


def city_scenario(road: RoadMap, agents: int, seed: int, ticks: int = 80) -> Scenario:
    """``agents`` vehicles on the lanes nearest to a random place, SPACING_M apart on a lane, lights running."""
    rng = np.random.default_rng(seed)
    place = road.centre.xy[rng.integers(len(road.centre.xy))]
    spots = []
    for lane in range(len(road)):
        if road.in_intersection[lane]:
            continue
        xy = road.centre[lane]
        length = float(np.hypot(*(xy[-1] - xy[0])))
        heading = float(np.arctan2(*(xy[-1] - xy[0])[::-1]))
        for s in np.arange(3.0, length - 3.0, SPACING_M):
            point = xy[0] + (xy[-1] - xy[0]) * s / length
            spots.append((float(np.hypot(*(point - place))), *point, heading, lane))
    spots = sorted(spots)[:agents]
    chosen = np.array(spots)[rng.permutation(len(spots))]
    n = len(chosen)
    if n < agents:
        raise ValueError(f"only {n} of {agents} vehicles fit on this map")
    speed = rng.uniform(0.0, 6.0, n)
    heading = chosen[:, 3]
    velocity = speed[:, None] * np.stack([np.cos(heading), np.sin(heading)], -1)
    connectors = np.flatnonzero(road.in_intersection)
    near = connectors[np.argsort([np.hypot(*(road.centre[c][0] - place)) for c in connectors], kind="stable")[:12]]
    first = np.array([road.centre[c][0] for c in near])
    d = np.array([road.centre[c][1] - road.centre[c][0] for c in near])
    east_west = np.abs(d[:, 0]) > np.abs(d[:, 1])
    t = np.arange(ticks + 1)[:, None]
    state = np.where((t // 40 % 2 == 0) == east_west[None], LightState.GREEN, LightState.RED).astype(np.uint8)
    return Scenario(
        id=f"city/{seed}", source="benchmark", map=road, lights=Lights(near.astype(np.int32), first, state),
        agents=Agents(
            tuple(str(k) for k in range(n)), np.full(n, AgentKind.VEHICLE, np.uint8),
            np.tile([4.6, 1.9], (n, 1)), np.ascontiguousarray(chosen[:, None, 1:3]), heading[:, None].copy(),
            velocity[:, None].copy(), np.ones((n, 1), np.bool_),
        ),
        ego_index=0, route=Route(((int(chosen[0, 4]),),)), start_step=0, end_step=ticks,
        provenance=Provenance("Apache-2.0", "Waytrace benchmarks"), initial_speed_limit_mps=13.9,
        agent_route=tuple((int(row[4]),) for row in chosen),
    )  # fmt: skip
