"""What is asked of a planner beside its own trace: its odds, and what it says of the same scene told otherwise.

Odds are probabilities among the values that the grammar allows, which is what the planner chooses by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figure_moments import AXES
from waytrace.label import Asker, LabelledMoment, from_certificate, setting
from waytrace.microgpt.forcing import Answer, finished
from waytrace.microgpt.prefix import Model, Prefix
from waytrace.microgpt.session import Session
from waytrace.microgpt.tokens import scene_tokens
from waytrace.microgpt.vocabulary import is_pointer
from waytrace.observe import Observation
from waytrace.planners import Expert
from waytrace.scenario import Plan, Scenario
from waytrace.scenario.edits import permuted
from waytrace.scenario.roads import RoadCache
from waytrace.sim import World
from waytrace.trace import Present, Trace, TraceError, sets
from waytrace.trace.codec import filled
from waytrace.trace.slots import Slot

MEMORY = "changed"
PLACE_M, SPEED_MPS = 0.05, 0.1
"""Standard deviations of what everybody else is shifted by: along x and y each, and in speed."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Odds:
    """One slot of a closed set that left a choice."""

    slot: str
    probability: Array
    """[values of the slot], 0 where not legal."""
    label: int
    """What the label has there."""


@dataclass(frozen=True, eq=False)
class Told:
    """What somebody says and drives."""

    trace: Trace
    plan: Plan


def answer(model: Model, observation: Observation, before: NDArray[np.int8], roads: RoadCache) -> Answer:
    """What a planner that remembers ``before`` [1, 2] says to an observation of one row."""
    tokens = scene_tokens(observation, before, roads)
    return finished(Session(Prefix.of(model, tokens, 0, Present.of(observation, 0))), observation)


def own_odds(given: Answer, label: Trace) -> list[Odds]:
    """Of the two decisions, each after the planner's own words; one that left no choice is left out."""
    session, out = given.session.fork(), []
    session.truncate("decision")
    while session.ask is not None and session.ask.slot.name in AXES:
        axis = session.ask.slot.name
        values = {"longitudinal": sets.LONGITUDINAL, "lateral": sets.LATERAL}[axis]
        odds = _odds(session)
        out.append(Odds(axis, odds, values.number(getattr(label.decision, axis))))
        session.step(values.number(getattr(given.trace.decision, axis)))
    return out


def label_odds(given: Answer, label: Trace) -> list[Odds] | None:
    """Of every closed slot, each after the label's words; None where those cannot be said there.

    Without :data:`MEMORY`: what has changed since the last decision depends on whose that was.
    """
    session, out = Session(given.session.prefix), []
    try:
        for ask, number in filled(label, session.prefix.present):
            if ask.only < 0:
                if not is_pointer(ask.slot) and ask.slot.name != MEMORY:
                    out.append(Odds(ask.slot.name, _odds(session), number))
                session.step(number)
    except TraceError:
        return None
    return out


def _odds(session: Session) -> Array:
    assert session.ask is not None
    logits = np.where(session.ask.legal, session.logits().astype(np.float64), -np.inf)
    odds: Array = np.exp(logits - logits.max())
    return odds / odds.sum()


def stated(slot: Slot | sets.Bins, number: int) -> float:
    """The probability that a bin stands for: its middle, of the last one that up to 1."""
    values = slot.values if isinstance(slot, Slot) else slot
    assert isinstance(values, sets.Bins)
    edges = (*values.edges, 1.0)
    return 0.5 * (edges[number] + edges[number + 1])


def noisy(world: World, random: np.random.Generator) -> Observation:
    """What is seen now if everybody but the ego stands a little elsewhere and drives a little faster or slower.

    Each has one draw for the whole of its past: a track that is off, not one that trembles. ``world``, of one row, is
    left as it is.
    """
    other = world.fork()
    ego, start, now = int(other.rows.slot[0]), int(other.fixed.start[0]), int(other.tick[0])
    count = len(other.scenarios[0].agents)
    dx, dy = random.normal(0.0, PLACE_M, (2, count))
    dv = random.normal(0.0, SPEED_MPS, count)
    dx[ego] = dy[ego] = dv[ego] = 0.0
    for state, recorded, d in ((other.state.x, other.fixed.log_x, dx), (other.state.y, other.fixed.log_y, dy)):
        state[0, :count] += d
        recorded[0, :count, :start] += d[:, None]
    other.state.speed[0, :count] += dv
    other.fixed.log_speed[0, :count, :start] += dv[:, None]
    other.record.pose[0, : now + 1, :count, 0] += dx
    other.record.pose[0, : now + 1, :count, 1] += dy
    other.record.speed[0, : now + 1, :count] += dv
    observation = other.observe()
    list(observation.scenes)  # made while this world stands as it does
    return observation


def expert_told(moment: LabelledMoment, observation: Observation, asker: Asker) -> Told | None:
    """What the expert says and drives with the same memory at an observation of one row; None without a road."""
    expert = Expert()
    expert.reset(list(observation.ids))
    expert.plan(observation, moment.state)
    made, forecast = expert.certificates[0], expert.forecasts[0]
    if made is None or forecast is None:
        return None
    before = moment.before.decision if moment.before is not None else None
    label, _ = from_certificate(
        made, setting(observation, 0, forecast, RoadCache()), before, asker=asker, state=moment.state
    )  # fmt: skip
    return Told(label.trace, label.plan)


def reordered(
    model: Model, scenario: Scenario, plans: list[tuple[int, Plan]], before: Mapping[int, NDArray[np.int8]], seed: int
) -> Iterator[tuple[int, Answer]]:
    """(tick, what the planner says) in the same drive of the scenario with its agents in another order.

    The ego is led along ``plans``, one each half second; the planner is asked at the ticks of ``before``.
    """
    order = np.random.default_rng(seed).permutation(len(scenario.agents))
    world, roads = World([permuted(scenario, order)]), RoadCache()
    for tick, plan in plans:
        if tick in before:
            yield tick, answer(model, world.observe(), before[tick], roads)
        if tick >= max(before, default=-1):
            return
        world.step_plans(plan)
