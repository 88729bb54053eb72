"""Random scenarios and rollouts: valid by construction, odd in every way that the types allow."""

import numpy as np
import pytest
from hypothesis import strategies as st

from waytrace.geometry import Polylines
from waytrace.scenario import (
    Action,
    Agents,
    Lights,
    Provenance,
    RoadMap,
    Rollout,
    Route,
    Scenario,
    Script,
    Trigger,
    check_scenario,
)

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
FLOATS = st.floats(-1e4, 1e4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | FLOATS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def ragged(rng: np.random.Generator, parts: int, least: int) -> Polylines:
    return Polylines.of(rng.normal(0, 50, (int(rng.integers(least, least + 5)), 2)) for _ in range(parts))


@st.composite
def maps(draw) -> RoadMap:
    """A chain of lanes, each leading on to the next, with random other links."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lanes = draw(st.integers(1, 6))
    links = [[i + 1] if i + 1 < lanes else [] for i in range(lanes)]
    lines, crosswalks, polygons = (draw(st.integers(0, 3)) for _ in range(3))
    limit = rng.uniform(3, 30, lanes)
    limit[rng.random(lanes) < 0.3] = np.nan
    ids = draw(st.lists(NAMES, min_size=lanes, max_size=lanes, unique=True))
    neighbor = np.full(lanes, -1, np.int32)
    if lanes > 2:
        neighbor[0] = 2
    return RoadMap(
        lane_id=tuple(ids),
        centre=ragged(rng, lanes, 2),
        left=ragged(rng, lanes, 2),
        right=ragged(rng, lanes, 2),
        successor=np.array([lane for link in links for lane in link], np.int32),
        successor_start=np.cumsum([0, *map(len, links)]).astype(np.int32),
        left_neighbor=neighbor,
        right_neighbor=np.full(lanes, -1, np.int32),
        speed_limit_mps=limit,
        lane_kind=rng.integers(0, 4, lanes).astype(np.uint8),
        in_intersection=rng.random(lanes) < 0.5,
        lane_control=rng.integers(0, 5, lanes).astype(np.uint8),
        stop_line_xy=rng.normal(0, 50, (lines, 2, 2)),
        stop_line_lane=rng.integers(0, lanes, lines).astype(np.int32),
        crosswalk=ragged(rng, crosswalks, 3),
        drivable=ragged(rng, polygons, 3),
    )


def random_agents(rng: np.random.Generator, ids: list[str], steps: int) -> Agents:
    """Smooth tracks with gaps; invalid entries are 0."""
    n = len(ids)
    velocity = rng.normal(0, 8, (n, 1, 2)) + np.cumsum(rng.normal(0, 0.2, (n, steps, 2)), axis=1)
    xy = rng.normal(0, 40, (n, 1, 2)) + np.cumsum(velocity * 0.1, axis=1)
    valid = rng.random((n, steps)) < 0.8
    heading = np.arctan2(velocity[..., 1], velocity[..., 0])
    return Agents(
        agent_id=tuple(ids),
        kind=rng.integers(0, 7, n).astype(np.uint8),
        size_m=rng.uniform(0.5, 12, (n, 2)),
        xy=xy * valid[..., None],
        heading_rad=heading * valid,
        velocity_mps=velocity * valid[..., None],
        valid=valid,
    )


@st.composite
def scenario_strategy(draw) -> Scenario:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    road = draw(maps())
    steps = draw(st.integers(3, 20))
    ids = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    agents = random_agents(rng, ids, steps)
    ego = draw(st.integers(0, len(ids) - 1))
    start = draw(st.integers(0, steps - 2))
    recorded = draw(st.booleans())
    agents.valid[ego, start] = True
    agents.valid[ego, start + 1 :] = recorded
    for array in (agents.xy, agents.velocity_mps, agents.heading_rad):
        array[~agents.valid] = 0
    lights = draw(st.integers(0, 3))
    others = [i for i in range(len(ids)) if i != ego]
    script = st.builds(
        Script,
        agent=st.sampled_from(others or [0]),
        trigger=st.sampled_from([t for t in Trigger if t is not Trigger.AFTER]),
        trigger_value=st.floats(0, 20),
        action=st.sampled_from(Action),
        value=st.floats(0, 10),
        at_xy=st.tuples(FLOATS, FLOATS),
        to_xy=st.tuples(FLOATS, FLOATS),
        target_speed_mps=st.floats(0, 20),
        target_lane=st.integers(0, len(road) - 1),
    )
    scenario = Scenario(
        id=draw(NAMES),
        source=draw(NAMES),
        map=road,
        lights=Lights(
            lane=rng.integers(0, len(road), lights).astype(np.int32),
            xy=rng.normal(0, 40, (lights, 2)),
            state=rng.integers(0, 5, (steps, lights)).astype(np.uint8),
        ),
        agents=agents,
        ego_index=ego,
        route=Route(tuple((lane,) for lane in range(draw(st.integers(1, len(road)))))),
        start_step=start,
        end_step=steps - 1 if recorded else start + draw(st.integers(1, 200)),
        provenance=Provenance(
            licence=draw(NAMES),
            attribution=draw(st.just("") | NAMES),
            file=draw(NAMES),
            sha256="ab" * 32,
            origin_xy=(draw(FLOATS), draw(FLOATS)),
            details=draw(st.dictionaries(NAMES, JSON, max_size=3)),
        ),
        family=draw(st.just("") | NAMES),
        cluster=draw(st.just("") | NAMES),
        scripts=tuple(draw(st.lists(script, max_size=3))) if others else (),
        agent_route=draw(st.just(()) | st.just(tuple((i % len(road),) if i % 2 else () for i in range(len(ids))))),
        initial_speed_limit_mps=draw(st.just(float("nan")) | st.floats(1, 40)),
        assertive=draw(st.none() | st.just(rng.random(len(ids)) < 0.5)),
    )
    assert check_scenario(scenario) == []
    return scenario


@st.composite
def rollout_strategy(draw) -> Rollout:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ticks, agents, lights, decisions = draw(
        st.tuples(st.integers(1, 12), st.integers(1, 5), st.integers(0, 3), st.integers(0, 4))
    )
    return Rollout(
        scenario_id=draw(NAMES),
        scenario_hash="cd" * 32,
        planner=draw(NAMES),
        traffic=draw(st.sampled_from(["replay", "reactive", "mixed"])),
        seed=draw(st.integers(0, 2**31)),
        dt_s=0.1,
        start_step=draw(st.integers(0, 50)),
        ego_index=draw(st.integers(0, agents - 1)),
        pose=rng.normal(size=(ticks, agents, 3)),
        speed_mps=rng.normal(size=(ticks, agents)),
        valid=rng.random((ticks, agents)) < 0.5,
        reactive=rng.random((ticks, agents)) < 0.5,
        visible=rng.random((ticks, agents)) < 0.5,
        ego_accel_mps2=rng.normal(size=ticks),
        ego_curvature_1pm=rng.normal(size=ticks),
        lights=rng.integers(0, 5, (ticks, lights)).astype(np.uint8),
        decision_row=np.arange(decisions, dtype=np.int32),
        plan_waypoints=rng.normal(size=(decisions, 16, 4)),
        plan_accel_mps2=rng.normal(size=(decisions, 16)),
        plan_curvature_1pm=rng.normal(size=(decisions, 16)),
        end=draw(st.sampled_from(["horizon", "collision"])),
        info=draw(st.dictionaries(NAMES, JSON, max_size=3)),
    )


@pytest.fixture(scope="session")
def scenarios() -> st.SearchStrategy[Scenario]:
    """Strategy of scenarios, for ``data.draw``."""
    return scenario_strategy()


@pytest.fixture(scope="session")
def rollouts() -> st.SearchStrategy[Rollout]:
    """Strategy of rollouts, for ``data.draw``."""
    return rollout_strategy()


@pytest.fixture
def make_scenario():
    """``make_scenario(id, seed=0)``: a small scenario of five agents on a straight road, always the same."""

    def make(id: str = "one", seed: int = 0, agents: int = 5, steps: int = 31, x: float = 0.0) -> Scenario:
        rng = np.random.default_rng(seed)
        line = np.stack([np.arange(0.0, 101.0, 20.0) + x, np.zeros(6)], axis=-1)
        lanes = [line, line + np.array([100.0, 0.0])]
        road = RoadMap(
            lane_id=("a", "b"),
            centre=Polylines.of(lanes),
            left=Polylines.of([lane + np.array([0.0, 2.0]) for lane in lanes]),
            right=Polylines.of([lane - np.array([0.0, 2.0]) for lane in lanes]),
            successor=np.array([1], np.int32),
            successor_start=np.array([0, 1, 1], np.int32),
            left_neighbor=np.full(2, -1, np.int32),
            right_neighbor=np.full(2, -1, np.int32),
            speed_limit_mps=np.array([13.0, np.nan]),
            lane_kind=np.zeros(2, np.uint8),
            in_intersection=np.zeros(2, np.bool_),
            lane_control=np.array([0, 2], np.uint8),
            stop_line_xy=np.array([[[99.0 + x, -2.0], [99.0 + x, 2.0]]]),
            stop_line_lane=np.array([0], np.int32),
            crosswalk=Polylines.of([]),
            drivable=Polylines.of([[[x, -2], [x + 200, -2], [x + 200, 2], [x, 2]]]),
        )
        speed = rng.uniform(3, 12, agents)
        xy = np.zeros((agents, steps, 2))
        xy[..., 0] = x + 15.0 * np.arange(agents)[:, None] + speed[:, None] * 0.1 * np.arange(steps)
        velocity = np.zeros((agents, steps, 2))
        velocity[..., 0] = speed[:, None]
        return Scenario(
            id=id,
            source="test",
            map=road,
            lights=Lights(np.array([1], np.int32), np.array([[99.0 + x, 0.0]]), np.full((steps, 1), 3, np.uint8)),
            agents=Agents(
                agent_id=tuple(f"car{i}" for i in range(agents)),
                kind=np.zeros(agents, np.uint8),
                size_m=np.tile([4.5, 1.9], (agents, 1)),
                xy=xy,
                heading_rad=np.zeros((agents, steps)),
                velocity_mps=velocity,
                valid=np.ones((agents, steps), np.bool_),
            ),
            ego_index=1,
            route=Route(((0,), (1,))),
            start_step=10,
            end_step=steps - 1,
            provenance=Provenance("CC-BY-4.0", "Somebody", file="/somewhere/log.xml"),
        )

    return make
