"""The hand-made scenes of the planners' tests, and the labels of their first decision."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from waytrace.label import LabelledMoment, label_drive
from waytrace.scenario import Scenario


def _scenes() -> Any:
    name = "label_scenes"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "planners" / "conftest.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def scene() -> Callable[..., Scenario]:
    """The ego on a straight road and others (kind, x, y, heading, speed), recorded at constant velocity."""
    made: Callable[..., Scenario] = _scenes().scene
    return made


@pytest.fixture
def labelled() -> Callable[..., LabelledMoment]:
    """The label of a scenario's decision at a tick."""

    def of(scenario: Scenario, tick: int = 0, *, runner_up: bool = False) -> LabelledMoment:
        (moment,) = label_drive(scenario, ticks=[tick], runner_up=runner_up, traffic="replay")
        return moment

    return of
