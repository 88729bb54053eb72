"""What a plan is seen to do; and a planner that looks decides anew, in its own words, with the plan behind them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.microgpt import MODES, Compiled, Learned, Session
from waytrace.microgpt.config import GPTConfig
from waytrace.microgpt.harm import HORIZON_S, MARGIN_M, Outlook
from waytrace.microgpt.heads import squash
from waytrace.microgpt.parameters import drawn
from waytrace.microgpt.second_thoughts import AXES, LATER_S, Thought, decided, likeliest, second_thought
from waytrace.planners.moment import Others
from waytrace.scenario import PLAN_KNOTS
from waytrace.scenario.roads import RoadCache
from waytrace.sim import World
from waytrace.trace import Trace

PARAMETERS = drawn(GPTConfig(2), seed=5)
HOLD = np.zeros(PLAN_KNOTS)


def _outlook(others: list[tuple[float, float, float, float]] = (), *, speed: float = 10.0) -> Outlook:
    """On the straight road of a scene of ``ccrs``: others by metres ahead, to the left, heading and speed, from now on.

    All are 4 m long and 2 m wide and go on as they are.
    """
    scene = World([generate("ccrs", 3)]).observe().scenes[0]
    moment = Outlook.of(scene, RoadCache()).moment
    x, y, h, _ = moment.axle
    c, n = math.cos(h), math.sin(h)
    x, y = x + moment.rear_m * c, y + moment.rear_m * n
    rows = np.array([
        (x + ahead * c - left * n, y + ahead * n + left * c, h + turned, v) for ahead, left, turned, v in others
    ]).reshape(-1, 4)  # fmt: skip
    zeros, count = np.zeros(len(rows)), len(rows)
    placed = Others(
        *np.ascontiguousarray(rows.T), zeros, zeros, zeros, np.full(count, 4.0), np.full(count, 2.0),
        np.zeros(count, np.uint8),
    )  # fmt: skip
    moved = np.arange(41)[None] * 0.2 * rows[:, 3:4]
    headings = np.repeat(rows[:, 2:3], 41, axis=1)
    expected = np.stack([
        rows[:, 0:1] + moved * np.cos(headings), rows[:, 1:2] + moved * np.sin(headings), headings,
        np.repeat(rows[:, 3:4], 41, axis=1),
    ], -1)  # fmt: skip
    axle = moment.axle.copy()
    axle[3] = speed
    return Outlook(replace(moment, axle=axle, others=placed), expected)


def test_driving_into_what_stands_is_seen_when_it_comes_and_braking_avoids_it() -> None:
    outlook = _outlook([(20.0, 0.0, 0.0, 0.0)])
    gap = 20.0 - 2.0 - 0.5 * outlook.moment.length_m
    reached = (gap - MARGIN_M) / 10.0
    assert outlook.harm_s(HOLD, HOLD) == pytest.approx(0.2 * math.ceil(reached / 0.2))
    assert outlook.harm_s(np.full(PLAN_KNOTS, -5.0), HOLD) == math.inf
    assert _outlook([(20.0, 2.6, 0.0, 0.0)]).harm_s(HOLD, HOLD) == math.inf, "it stands beside the way"


def test_harm_beyond_the_horizon_is_left_to_later_decisions() -> None:
    assert _outlook([(70.0, 0.0, 0.0, 0.0)]).harm_s(HOLD, HOLD) == math.inf
    assert _outlook([(70.0, 0.0, 0.0, 0.0)], speed=20.0).harm_s(HOLD, HOLD) < HORIZON_S


def test_whoever_drives_into_the_ego_from_behind_is_no_harm_of_its_plan() -> None:
    standing = np.full(PLAN_KNOTS, -5.0)
    behind = _outlook([(-15.0, 0.0, 0.0, 15.0)])
    assert behind.harm_s(standing, HOLD) == math.inf
    ahead = _outlook([(15.0, 0.0, math.pi, 15.0)])
    assert ahead.harm_s(HOLD, HOLD) < 1.0, "the same towards the ego"


def test_crossing_into_the_ego_s_way_is_seen() -> None:
    """It crosses from the right, 10 m ahead, and is in the way when the ego is there."""
    assert _outlook([(10.0, -8.0, 0.5 * math.pi, 8.0)]).harm_s(HOLD, HOLD) < 1.5
    assert _outlook([(10.0, -30.0, 0.5 * math.pi, 8.0)]).harm_s(HOLD, HOLD) == math.inf


def test_leaving_the_road_is_harm_but_coming_back_to_it_is_not() -> None:
    outlook = _outlook()
    away = outlook.harm_s(HOLD, np.full(PLAN_KNOTS, 0.05))
    assert 0.0 < away < HORIZON_S
    assert outlook.harm_s(HOLD, HOLD) == math.inf
    moment = outlook.moment
    h = float(moment.axle[2])
    off = moment.axle.copy()
    off[:2] += 40.0 * np.array([-math.sin(h), math.cos(h)])
    beside = Outlook(replace(moment, axle=off), outlook.expected)
    assert beside.harm_s(HOLD, HOLD) == math.inf


def test_a_contact_of_now_is_no_plan_s_doing() -> None:
    assert _outlook([(4.2, 0.0, 0.0, 10.0)]).harm_s(HOLD, HOLD) == math.inf


def _session(moments, mode: str = "trace") -> Session:
    return Session.prefill(Compiled(PARAMETERS, GPTConfig(2)), moments.tokens, moments.present(), mode=mode)


def _go_on(session: Session) -> Thought:
    for _ in session.write():
        pass
    raw = session.raw_controls()
    return Thought(session.said, session.written, session.logprob, raw, *squash(raw, 8.0))


@pytest.mark.parametrize("mode", ["trace", "decision_only"])
def test_other_decisions_come_by_their_probability(moments, mode: str) -> None:
    session = _session(moments, mode)
    first = _go_on(session)
    session.truncate("decision")
    start = session.snapshot()
    joint = {}
    lengthwise = session.logprobs()
    assert np.exp(lengthwise).sum() == pytest.approx(1.0)
    for number in np.flatnonzero(np.isfinite(lengthwise)):
        session.restore(start)
        session.step(int(number))
        sideways = session.logprobs()
        for other in np.flatnonzero(np.isfinite(sideways)):
            joint[int(number), int(other)] = lengthwise[number] + sideways[other]
    session.restore(start)
    del joint[decided(first.written)]
    found = likeliest(session, 6, but=decided(first.written))
    assert found == sorted(joint, key=lambda pair: -joint[pair])[:6]


@pytest.mark.parametrize("mode", ["trace", "decision_only"])
def test_the_first_plan_without_harm_is_driven_behind_its_own_words(moments, mode: str) -> None:
    session = _session(moments, mode)
    first = _go_on(session)
    harms = iter([1.0, 2.0, 1.5, math.inf, math.inf])
    seen = []

    def harm_s(thought: Thought) -> float:
        seen.append(thought)
        return next(harms)

    thought = second_thought(first, session, _go_on, harm_s, 5)
    assert (thought.harm_s, thought.tried, len(seen)) == (math.inf, 3, 4)
    assert len({decided(one.written) for one in seen}) == 4
    if mode == "trace":
        assert isinstance(thought.said, Trace)
        before = [w[:2] for w in first.written if w.slot.stage not in ("decision", "rejected", "plan")]
        assert [w[:2] for w in thought.written][: len(before)] == before, "what was said of the scene stays"
    afresh = _session(moments, mode)
    afresh.append([w.number for w in thought.written if w.chosen])
    np.testing.assert_allclose(afresh.raw_controls(), thought.raw, atol=1e-5)
    assert session.written == first.written, "the first thought is left as it was"


def test_without_a_plan_that_does_no_harm_the_latest_harm_is_chosen(moments) -> None:
    session = _session(moments)
    first = _go_on(session)
    for harms, best in (([1.0, 0.5, 1.0 + 0.5 * LATER_S], 0), ([1.0, 3.0, 2.0], 1)):
        left, seen = iter(harms), []

        def harm_s(thought: Thought, left=left, seen=seen) -> float:
            seen.append(thought)
            return next(left)

        thought = second_thought(first, session, _go_on, harm_s, 2)
        assert (thought.harm_s, thought.tried) == (harms[best], 2)
        assert thought.written == seen[best].written


def test_whoever_does_no_harm_or_may_not_look_twice_drives_its_first_thought(moments) -> None:
    session = _session(moments)
    first = _go_on(session)
    for tries in (0, 5):
        thought = second_thought(first, session, _go_on, lambda _: math.inf, tries)
        assert (thought.tried, thought.written) == (0, first.written)
    thought = second_thought(first, session, _go_on, lambda _: 0.2, 0)
    assert (thought.tried, thought.harm_s, thought.written) == (0, 0.2, first.written)


@pytest.mark.parametrize("mode", MODES)
def test_a_learned_planner_looks_twice_where_it_decides_at_all(mode: str) -> None:
    scene = generate("ccrs", 3)
    observation = World([scene]).observe()
    once, twice = Learned(PARAMETERS, mode), Learned(PARAMETERS, mode, second_thoughts=5)
    plan, _, _ = once.plan(observation, None)
    again, traces, state = twice.plan(observation, None)
    (thought,) = twice.thoughts
    outlook = Outlook.of(observation.scenes[0], RoadCache())
    if mode == "fast":
        assert math.isnan(thought.harm_s)
        assert (again.waypoints == plan.waypoints).all()
        return
    assert thought.harm_s == outlook.harm_s(again.accel_mps2[0], again.curvature_1pm[0])
    assert thought.harm_s >= outlook.harm_s(plan.accel_mps2[0], plan.curvature_1pm[0])
    assert tuple(state[0]) == decided(thought.written)
    if mode == "trace":
        assert traces is not None
        assert traces[0] is thought.said


def test_axes_are_what_decisions_are_made_of(moments) -> None:
    asked = []
    session = _session(moments, "decision_only")
    while session.ask is not None:
        asked.append(session.ask.slot.name)
        session.step(int(np.flatnonzero(session.ask.legal)[0]))
    assert tuple(asked) == AXES
