"""What a planner hands over is looked at first, and what is wrong with it is said in its name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.evaluate.answer import AnswerError, checked
from waytrace.evaluate.drive import drive
from waytrace.planners import make, make_plan
from waytrace.scenario import Plan
from waytrace.sim import World
from waytrace.trace import Present, compose


class Named:
    name = "mine"


@pytest.fixture
def plan() -> Plan:
    return make_plan(np.zeros(2), np.zeros((2, 4)), np.zeros((2, 16)), np.zeros((2, 16)), "mine")


def test_a_good_answer_comes_back_as_it_is(plan: Plan) -> None:
    assert checked((plan, None, 7), 2, Named()) == (plan, None, 7)
    trace = compose(Present.of(World([generate("cut-in", 0)]).observe(), 0), lambda ask: int(ask.legal.argmax()))
    assert checked((plan, [trace, None], None), 2, Named())[1] == [trace, None]


def test_what_is_wrong_is_said_with_the_planners_name(plan: Plan) -> None:
    bad = plan.waypoints.copy()
    bad[1, 3, 0] = np.nan
    for answer, says in (
        (None, r"mine.plan\(\) gave NoneType; it has to give three"),
        (plan, "gave Plan; it has to give three"),
        ((plan, None), "gave 2 things"),
        ((np.zeros(3), None, None), "gave ndarray for a plan"),
        ((plan, ["because of the car", None], None), "gave str for a trace; waytrace.trace.compose makes one"),
        ((plan[:1], None, None), r"gave start of shape \(1, 4\); \(2, 4\) is expected"),
        ((replace(plan, waypoints=bad), None, None), "waypoints with values that are not finite"),
        ((plan, ["a"], None), "not one for each of 2 rows"),
        ((plan, 3, None), "not one for each of 2 rows"),
    ):
        with pytest.raises(AnswerError, match=says):
            checked(answer, 2, Named())


def test_a_drive_ends_with_the_message() -> None:
    class Mine:
        name = "mine"

        def reset(self, ids: list[str], world: Any = None) -> None:
            self.inner = make("constant-velocity")
            self.inner.reset(ids)

        def plan(self, observation: Any, state: Any) -> Any:
            return self.inner.plan(observation, state)[0]

    with pytest.raises(AnswerError, match="gave Plan"):
        drive(Mine(), [generate("cut-in", 0, "select")])
