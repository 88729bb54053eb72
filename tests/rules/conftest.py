"""A compiled crossing of two roads, to ask the kernels about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from waytrace.geometry import Polylines
from waytrace.scenario import Agents, Lights, Provenance, RoadMap, Route, Scenario
from waytrace.scenario.index import CompiledMaps, compile_maps
from waytrace.scenario.state import AgentState, LightArrays


def lane(a: tuple[float, float], b: tuple[float, float], width: float = 3.5) -> tuple[NDArray[np.float64], ...]:
    """Centre, left and right boundary of a straight lane."""
    p, q = np.array(a, float), np.array(b, float)
    d = (q - p) / np.hypot(*(q - p))
    side = 0.5 * width * np.array([-d[1], d[0]])
    return np.stack([p, q]), np.stack([p + side, q + side]), np.stack([p - side, q - side])


LANES = (
    lane((-100.0, 0.0), (0.0, 0.0)),  # 0: comes in
    lane((0.0, 0.0), (20.0, 0.0)),  # 1: straight on through the junction
    lane((0.0, 0.0), (20.0, 10.0)),  # 2: bears left there
    lane((20.0, 0.0), (120.0, 0.0)),  # 3: leads on
    lane((0.0, 3.5), (-100.0, 3.5)),  # 4: oncoming
)
SUCCESSORS = ((1, 2), (3,), (), (), ())
LIMITS = (10.0, np.nan, np.nan, 15.0, 12.0)


def scenario() -> Scenario:
    road = RoadMap(
        lane_id=tuple("abcde"), centre=Polylines.of([x[0] for x in LANES]), left=Polylines.of([x[1] for x in LANES]),
        right=Polylines.of([x[2] for x in LANES]), successor=np.array([x for s in SUCCESSORS for x in s], np.int32),
        successor_start=np.concatenate([[0], np.cumsum([len(s) for s in SUCCESSORS])]).astype(np.int32),
        left_neighbor=np.full(5, -1, np.int32), right_neighbor=np.full(5, -1, np.int32),
        speed_limit_mps=np.array(LIMITS), lane_kind=np.zeros(5, np.uint8),
        in_intersection=np.array([False, True, True, False, False]), lane_control=np.zeros(5, np.uint8),
        stop_line_xy=np.zeros((0, 2, 2)), stop_line_lane=np.zeros(0, np.int32), crosswalk=Polylines.of([]),
        drivable=Polylines.of([np.array([[-100.0, -1.75], [120.0, -1.75], [120.0, 15.0], [-100.0, 15.0]])]),
    )  # fmt: skip
    agents = Agents(
        ("a",), np.zeros(1, np.uint8), np.array([[4.0, 2.0]]), np.zeros((1, 1, 2)), np.zeros((1, 1)),
        np.zeros((1, 1, 2)), np.ones((1, 1), np.bool_),
    )  # fmt: skip
    return Scenario(
        "s", "test", road, Lights.none(1), agents, 0, Route(((0,), (1,), (3,))), 0, 0, Provenance("none", "tests")
    )


@pytest.fixture(scope="session")
def maps() -> CompiledMaps:
    return compile_maps([scenario()])


@pytest.fixture
def lights() -> Callable[..., LightArrays]:
    """Lights over connectors 1 and 2, both stopping at ``stop_x``, in the states given."""

    def make(straight: int, left: int, stop_x: float = 0.0) -> LightArrays:
        return LightArrays(
            np.array([[1, 2, -1]], np.int32), np.array([[straight, left, 0]], np.uint8),
            np.array([[stop_x, stop_x, 0.0]]), np.zeros((1, 3)),
        )  # fmt: skip

    return make


@pytest.fixture
def state() -> Callable[..., AgentState]:
    """One world of agents given as (x, y, heading, speed), each 4 m x 2 m, on lane 0."""

    def make(*agents: tuple[float, float, float, float]) -> AgentState:
        x, y, h, v = (np.array([column], float) for column in zip(*agents, strict=True))
        n = x.shape
        return AgentState(
            x, y, h, np.cos(h), np.sin(h), v, np.zeros(n), np.zeros(n), np.full(n, 4.0), np.full(n, 2.0),
            np.zeros(n, np.uint8), np.ones(n, np.bool_), np.zeros(n, np.int32), x + 100.0, y.copy(),
        )  # fmt: skip

    return make
