"""Slots filled by somebody else: a session made to say something, and the plan that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from waytrace.observe import Observation
from waytrace.planners import make_plan
from waytrace.scenario import Plan
from waytrace.trace import Trace, TraceError, sets
from waytrace.trace.causes import decidable
from waytrace.trace.codec import filled

from .heads import squash
from .planner import starts
from .session import Session, Written
from .vocabulary import is_pointer


@dataclass(frozen=True, eq=False)
class Answer:
    """What a planner says to a moment, and what it drives."""

    session: Session
    trace: Trace
    plan: Plan
    written: tuple[Written, ...]


def finished(session: Session, observation: Observation) -> Answer:
    """The session, of the observation's first row, written to its end, and its plan."""
    for _ in session.write():
        pass
    assert isinstance(session.said, Trace)
    return Answer(session, session.said, plan_of(session, observation), session.written)


def plan_of(session: Session, observation: Observation) -> Plan:
    """The plan (of one planner) of a session over the first row as it stands."""
    start = starts(observation)[:1]
    accel, curvature = squash(session.raw_controls(), start[0, 3])
    return make_plan(observation.time_s[:1], start, accel[None], curvature[None], "asked")[0]


def words(trace: Trace) -> tuple[str, str]:
    """Longitudinal and lateral decision."""
    return trace.decision.longitudinal, trace.decision.lateral


def force(session: Session, asked: tuple[str, str], observation: Observation) -> Answer:
    """The session's own words up to the decision, then these two in one block, and the rest its own again.

    Raises :class:`TraceError` where the grammar does not let them stand there.
    """
    fork = session.fork()
    fork.truncate("decision")
    numbers = (sets.LONGITUDINAL.number(asked[0]), sets.LATERAL.number(asked[1]))
    able = decidable(session.prefix.present)
    fork.append([number for number, choice in zip(numbers, able, strict=True) if choice])
    answer = finished(fork, observation)
    if words(answer.trace) != asked:
        raise TraceError(f"the scene leaves no choice but {words(answer.trace)}")
    return answer


def prompted(session: Session, trace: Trace) -> Session | None:
    """A session over the same scene with a whole trace put in as one block; None where it cannot be said there."""
    other = Session(session.prefix)
    try:
        other.append([number for ask, number in filled(trace, session.prefix.present) if ask.only < 0])
    except TraceError:
        return None
    return other


def filler(session: Session, until: str = "decision") -> Session:
    """A session over the same scene whose stages before ``until`` say nothing of it: empty lists where the grammar
    lets a list be empty, else the first legal value of every slot. What comes after is still to be written.
    """
    other = Session(session.prefix)
    while other.ask is not None and other.ask.slot.stage != until:
        legal = np.flatnonzero(other.ask.legal)
        other.step(int(legal[-1 if is_pointer(other.ask.slot) else 0]))
    return other
