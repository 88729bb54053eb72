"""Tests have a cache folder of their own, and the arrays of every scenario, plan and rollout they make are checked.

No test depends on how fast the machine is: Hypothesis' deadlines are off.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from jaxtyping import Bool, Float64, Int32, UInt8, jaxtyped

from waytrace.scenario import Agents, Lights, Plan, RoadMap, Rollout

Array = np.ndarray

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# The shape legends of waytrace.scenario, executable: one letter is one size within an object.
SHAPES: dict[type, dict[str, Any]] = {
    Agents: {
        "kind": UInt8[Array, "N"],
        "size_m": Float64[Array, "N 2"],
        "xy": Float64[Array, "N T 2"],
        "heading_rad": Float64[Array, "N T"],
        "velocity_mps": Float64[Array, "N T 2"],
        "valid": Bool[Array, "N T"],
    },
    Lights: {"lane": Int32[Array, "K"], "xy": Float64[Array, "K 2"], "state": UInt8[Array, "T K"]},
    RoadMap: {
        "left_neighbor": Int32[Array, "L"],
        "successor": Int32[Array, "E"],
        "successor_start": Int32[Array, "L+1"],
        "right_neighbor": Int32[Array, "L"],
        "speed_limit_mps": Float64[Array, "L"],
        "lane_kind": UInt8[Array, "L"],
        "in_intersection": Bool[Array, "L"],
        "lane_control": UInt8[Array, "L"],
        "stop_line_xy": Float64[Array, "S 2 2"],
        "stop_line_lane": Int32[Array, "S"],
    },
    Plan: {
        "start": Float64[Array, "*B 4"],
        "accel_mps2": Float64[Array, "*B 16"],
        "curvature_1pm": Float64[Array, "*B 16"],
        "waypoints": Float64[Array, "*B 16 4"],
    },
    Rollout: {
        "pose": Float64[Array, "T N 3"],
        "speed_mps": Float64[Array, "T N"],
        "valid": Bool[Array, "T N"],
        "reactive": Bool[Array, "T N"],
        "visible": Bool[Array, "T N"],
        "ego_accel_mps2": Float64[Array, "T"],
        "ego_curvature_1pm": Float64[Array, "T"],
        "lights": UInt8[Array, "T K"],
        "decision_row": Int32[Array, "D"],
        "plan_waypoints": Float64[Array, "D 16 4"],
        "plan_accel_mps2": Float64[Array, "D 16"],
        "plan_curvature_1pm": Float64[Array, "D 16"],
    },
}


def _check(made: Any, shapes: dict[str, Any]) -> None:
    with jaxtyped("context"):
        for name, expected in shapes.items():
            value = getattr(made, name)
            if not isinstance(value, expected):
                found = f"{value.dtype}{list(value.shape)}" if isinstance(value, np.ndarray) else type(value).__name__
                raise TypeError(f"{type(made).__name__}.{name} is {found}, which does not fit {expected.__name__}")


@pytest.fixture(autouse=True)
def _checked_shapes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the arrays of the core types whenever one is made; tests/scenario makes wrong ones on purpose."""
    if "tests/scenario/" in request.node.nodeid:
        return
    for cls, shapes in SHAPES.items():
        assert shapes.keys() <= {f.name for f in fields(cls)}
        original = cls.__init__

        @functools.wraps(original)
        def init(
            self: Any, *args: Any, _original: Any = original, _shapes: dict[str, Any] = shapes, **kwargs: Any
        ) -> None:
            _original(self, *args, **kwargs)
            _check(self, _shapes)

        monkeypatch.setattr(cls, "__init__", init)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Cached references of the tests never meet those of the person who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAYTRACE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
