"""What the expert would plan without a cause: on hand-made scenes whose causes are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from waytrace.evaluate.counterfactuals import counterfactuals
from waytrace.label import label_drive
from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import AgentKind, Scenario
from waytrace.trace import Trace

from ..planners.conftest import scene

CAR = AgentKind.VEHICLE


def _trace(scenario: Scenario) -> Trace:
    (moment,) = label_drive(scenario, ticks=[0], traffic="replay")
    return moment.label.trace


def _saying(trace: Trace, *causes: object) -> Trace:
    return replace(trace, decision=replace(trace.decision, causes=causes))


def test_without_the_car_ahead_the_expert_goes_farther_and_the_cited_plan_is_its_own() -> None:
    scenario = scene((CAR, 85.0, 0.0, 0.0, 6.0), (CAR, 20.0, 0.0, 0.0, 6.0))
    trace = _trace(scenario)
    ((tick, (found,)),) = counterfactuals(scenario, None, {0: trace})
    assert (tick, found.causes, found.moves) == (0, (0,), True)
    assert found.cited.shape == found.undone.shape == (17, 3)
    assert np.array_equal(found.cited[0], found.undone[0]), "both begin where the ego is"
    went = [float(np.hypot(*(poses[-1] - poses[0])[:2])) for poses in (found.cited, found.undone)]
    assert went[1] > went[0] + found.along_m / 2
    assert found.along_m > 1.0


def test_a_cause_that_moves_nothing_is_said_not_to() -> None:
    scenario = scene((CAR, 85.0, 0.0, 0.0, 6.0), (CAR, 20.0, 0.0, 0.0, 6.0))
    trace = _trace(scenario)
    (cause,) = trace.decision.causes
    behind = replace(cause, ref=Reference(ReferenceKind.AGENT, 2))
    ((_, (found,)),) = counterfactuals(scenario, None, {0: _saying(trace, behind)})
    assert not found.moves
    assert found.along_m < 1.0


def test_what_is_not_there_or_cannot_be_undone_is_passed_over_and_a_set_is_undone_together() -> None:
    scenario = scene((CAR, 85.0, 0.0, 0.0, 6.0), (CAR, 20.0, 0.0, 0.0, 6.0))
    trace = _trace(scenario)
    (cause,) = trace.decision.causes
    route = replace(cause, ref=Reference(ReferenceKind.LANE, 0), constraint="route_feasibility")
    nobody = replace(cause, ref=Reference(ReferenceKind.AGENT, 40))
    assert list(counterfactuals(scenario, None, {0: _saying(trace, route, nobody)})) == []
    both = [replace(cause, role="overdetermining", ref=Reference(ReferenceKind.AGENT, k)) for k in (1, 2)]
    ((_, (found,)),) = counterfactuals(scenario, None, {0: _saying(trace, route, *both)})
    assert (found.causes, found.moves) == ((1, 2), True)
