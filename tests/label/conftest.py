"""The hand-made scenes of the planners' tests, and the labels of their first decision."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from waytrace.label import LabelledMoment, label_drive
from waytrace.scenario import Scenario

from ..planners.conftest import scene as by_hand


@pytest.fixture
def scene() -> Callable[..., Scenario]:
    """The ego on a straight road and others (kind, x, y, heading, speed), recorded at constant velocity."""
    return by_hand


@pytest.fixture
def labelled() -> Callable[..., LabelledMoment]:
    """The label of a scenario's decision at a tick."""

    def of(scenario: Scenario, tick: int = 0, *, runner_up: bool = False) -> LabelledMoment:
        (moment,) = label_drive(scenario, ticks=[tick], runner_up=runner_up, traffic="replay")
        return moment

    return of
