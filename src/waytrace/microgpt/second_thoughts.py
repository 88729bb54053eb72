"""Second thoughts: a plan that is seen to do harm is taken back, and other decisions are thought through.

The trace up to the decision stays, so does the scene in the cache. The likeliest other decisions are put in one after
the other; behind each the planner writes on and plans as it would if it had come to that decision itself. The first
plan that does no harm is driven, else the one that does it last. Words and plan always belong together: the trace that
is handed over is the one behind which the plan was made.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from waytrace.trace import Trace

from .branch import Decisions
from .session import Session, Written

TRIES = 5
"""Other decisions that are thought through at most."""

LATER_S = 0.1
"""A plan whose harm comes no more than this later than another's is not better for it."""

AXES = ("longitudinal", "lateral")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Thought:
    """How one row's plan came about."""

    said: Trace | Decisions | None
    written: tuple[Written, ...]
    logprob: float
    """Of all that was chosen, among what was legal."""
    raw: NDArray[np.float32]
    """[16, 2] raw controls."""
    accel_mps2: Array
    """[16]."""
    curvature_1pm: Array
    """[16]."""
    harm_s: float = math.nan
    """When the plan is seen to do harm, infinity for never; nan where nobody looked."""
    tried: int = 0
    """Other decisions that were thought through before."""


def second_thought(
    first: Thought, session: Session, go_on: Callable[[Session], Thought], harm_s: Callable[[Thought], float],
    tries: int = TRIES,
) -> Thought:  # fmt: skip
    """``first`` where it does no harm, else the best of it and what comes of at most ``tries`` other decisions.

    ``session`` is the one that ``first`` was written in; ``go_on`` writes a session to its end and plans.
    """
    best = replace(first, harm_s=harm_s(first))
    if best.harm_s == math.inf or tries == 0:
        return best
    rival = session.fork()
    rival.truncate("decision")
    begun = rival.snapshot()
    tried = 0
    for numbers in likeliest(rival, tries, but=decided(first.written)):
        rival.restore(begun)
        rival.append(numbers)
        thought, tried = go_on(rival), tried + 1
        thought = replace(thought, harm_s=harm_s(thought))
        if thought.harm_s > best.harm_s + LATER_S:
            best = thought
        if best.harm_s == math.inf:
            break
    return replace(best, tried=tried)


def decided(written: tuple[Written, ...]) -> tuple[int, ...]:
    """The numbers of the decisions that were chosen, not filled by the grammar."""
    return tuple(w.number for w in written if w.chosen and w.slot.name in AXES)


def likeliest(session: Session, count: int, *, but: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The ``count`` likeliest decisions at a session that stands before them, the likeliest first, without ``but``.

    The session is left somewhere among them.
    """
    begun = session.snapshot()
    found: list[tuple[float, tuple[int, ...]]] = []

    def look(numbers: tuple[int, ...], logprob: float) -> None:
        session.restore(begun)
        session.append(numbers)
        if session.ask is None or session.ask.slot.name not in AXES:
            found.append((logprob, numbers))
            return
        logprobs = session.logprobs()
        for number in np.argsort(-logprobs, kind="stable")[: count + 1]:
            if logprobs[number] > -math.inf:
                look((*numbers, int(number)), logprob + float(logprobs[number]))

    look((), 0.0)
    found.sort(key=lambda pair: -pair[0])
    return [numbers for _, numbers in found if numbers and numbers != but][:count]
