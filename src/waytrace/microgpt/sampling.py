"""Choosing one of a slot's values: greedy, or drawn at a temperature from the most probable ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit
from waytrace.scenario import WaytraceError

Array = NDArray[Any]


@dataclass(frozen=True)
class Rule:
    """How to choose."""

    temperature: float = 0.0
    """0 takes the most probable value, the first of equals."""
    top_k: int = 0
    """Draw among this many most probable legal values; 0 among all."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.temperature < float("inf"):
            raise WaytraceError(f"the temperature must be 0 or more, got {self.temperature}")
        if self.top_k < 0:
            raise WaytraceError(f"top_k must be 0 (all) or more, got {self.top_k}")


GREEDY = Rule()


class Chosen(NamedTuple):
    """A choice and what the model thought of it."""

    place: int
    """Among the logits."""
    logprob: float
    """Of the choice among the legal values at temperature 1, whatever the rule it was chosen by."""
    mass: float
    """Probability that the model gave to all legal values before the mask: how much of legality is learned."""


def choose(logits: Array, legal: NDArray[np.bool_], rule: Rule, rng: np.random.Generator | None = None) -> Chosen:
    """One of the legal values. ``rng`` is needed at temperatures above 0.

    Raises ``ValueError`` where nothing is legal or a draw has no generator.
    """
    if rule.temperature == 0.0:
        return judged(logits, legal, best(logits, legal))
    if rng is None:
        raise ValueError("a temperature above 0 needs a generator")
    able = np.flatnonzero(legal)
    if not len(able):
        raise ValueError("no value is legal")
    if 0 < rule.top_k < len(able):
        able = able[np.argsort(-logits[able], kind="stable")[: rule.top_k]]
    cold = logits[able].astype(np.float64) / rule.temperature
    weights = np.cumsum(np.exp(cold - cold.max()))
    drawn = int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))
    return judged(logits, legal, int(able[min(drawn, len(able) - 1)]))


def best(logits: Array, legal: NDArray[np.bool_]) -> int:
    """Place of the most probable legal value, the first of equals. Raises ``ValueError`` where nothing is legal."""
    place = best_of(np.ascontiguousarray(logits, np.float32), legal.copy())
    if place < 0:
        raise ValueError("no value is legal")
    return int(place)


def judged(logits: Array, legal: NDArray[np.bool_], place: int) -> Chosen:
    """A given choice with its log-probability among the legal values, and their mass."""
    return Chosen(place, *judge(np.ascontiguousarray(logits, np.float32), legal.copy(), place))


@jit("i8", "f4[:]", "b1[:]")
def best_of(logits: Array, legal: NDArray[np.bool_]) -> int:
    """As :func:`best`; -1 where nothing is legal."""
    place = -1
    for i in range(len(logits)):
        if legal[i] and (place < 0 or logits[i] > logits[place]):
            place = i
    return place


@jit("f8,f8", "f4[:]", "b1[:]", "i8")
def judge(logits: Array, legal: NDArray[np.bool_], place: int) -> tuple[float, float]:
    """(log-probability of ``place`` among the legal values, their mass), summed in float64."""
    most, able = -np.inf, -np.inf
    for i in range(len(logits)):
        most = max(most, float(logits[i]))
        if legal[i]:
            able = max(able, float(logits[i]))
    total, allowed = 0.0, 0.0
    for i in range(len(logits)):
        total += math.exp(float(logits[i]) - most)
        if legal[i]:
            allowed += math.exp(float(logits[i]) - able)
    return float(logits[place]) - able - math.log(allowed), allowed * math.exp(able - most) / total
