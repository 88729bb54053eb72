"""Choosing one of a slot's values: greedy, or drawn at a temperature from the most probable ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    if not legal.any():
        raise ValueError("no value is legal")
    masked = np.where(legal, logits.astype(np.float64), -np.inf)
    if rule.temperature == 0.0:
        return judged(logits, legal, int(masked.argmax()))
    if rng is None:
        raise ValueError("a temperature above 0 needs a generator")
    if 0 < rule.top_k < int(legal.sum()):
        order = np.argsort(-masked, kind="stable")[: rule.top_k]
        narrow = np.full(len(masked), -np.inf)
        narrow[order] = masked[order]
        masked = narrow
    shifted = np.exp((masked - masked.max()) / rule.temperature)
    place = int(np.searchsorted(np.cumsum(shifted), rng.random() * shifted.sum(), side="right"))
    return judged(logits, legal, min(place, int(np.flatnonzero(shifted)[-1])))


def judged(logits: Array, legal: NDArray[np.bool_], place: int) -> Chosen:
    """A given choice with its log-probability among the legal values, and their mass."""
    wide = logits.astype(np.float64)
    weights = np.exp(wide - wide.max())
    allowed = float(weights[legal].sum())
    logprob = float(wide[place] - wide.max()) - float(np.log(allowed)) if allowed > 0.0 else -np.inf
    return Chosen(place, logprob, allowed / float(weights.sum()))
