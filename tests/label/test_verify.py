"""Causes put to the test: scenes with one thing undone, and what the expert then does."""

import math

import numpy as np

from waytrace.label import Asker, verified
from waytrace.label.asking import differ
from waytrace.label.verify import gate_of
from waytrace.label.without import only, without
from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import AgentKind, LightState

CAR, WALKER = AgentKind.VEHICLE, AgentKind.PEDESTRIAN
AGENT, LIGHT = ReferenceKind.AGENT, ReferenceKind.LIGHT


def test_a_lead_is_necessary_and_enough(scene, labelled):
    moment = labelled(scene((CAR, 85.0, 0.0, 0.0, 6.0), (CAR, 20.0, 0.0, 0.0, 6.0)))
    label, tests = verified(moment.label, moment.certificate, moment.at.scene, moment.state, Asker())
    assert {t.claim for t in tests} == {"necessary", "sufficient"}
    assert all(t.holds for t in tests)
    assert label.gate == gate_of(tests) == "verified"


def test_a_label_that_cites_the_wrong_one_is_rejected(scene, labelled):
    from dataclasses import replace

    moment = labelled(scene((CAR, 85.0, 0.0, 0.0, 6.0), (CAR, 20.0, 0.0, 0.0, 6.0)))
    decision = moment.label.trace.decision
    wrong = replace(decision, causes=(replace(decision.causes[0], ref=Reference(AGENT, 2)),))
    lying = replace(moment.label, trace=replace(moment.label.trace, decision=wrong))
    label, tests = verified(lying, moment.certificate, moment.at.scene, moment.state, Asker())
    assert label.gate == "rejected"
    assert {t.claim for t in tests if not t.holds} == {"necessary", "sufficient"}


def test_scenes_lose_what_is_taken_and_nothing_else(scene, labelled):
    at = labelled(scene((CAR, 85.0, 0.0, 0.0, 6.0), (WALKER, 95.0, -5.0, math.pi / 2, 1.4), light=LightState.RED)).at
    gone = without(at.scene, {Reference(AGENT, 1), Reference(LIGHT, 0)})
    assert set(gone.agents.index.tolist()) == {2}
    assert gone.agents.pose_history.shape[1] == len(gone.agents) == 1
    np.testing.assert_array_equal(gone.agents.pose[0], at.scene.agents.pose[at.scene.agents.index == 2][0])
    assert gone.light_state.tolist() == [LightState.GREEN]
    assert at.scene.light_state.tolist() == [LightState.RED]
    alone = only(at.scene, {Reference(AGENT, 2)})
    assert set(alone.agents.index.tolist()) == {2}
    assert alone.light_state.tolist() == [LightState.GREEN]


def test_plans_differ_from_a_metre_along_or_a_foot_across():
    assert not differ(0.9, 0.2)
    assert differ(1.1, 0.0)
    assert differ(0.0, 0.4)
