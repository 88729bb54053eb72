"""What is counted of a planner's traces, scene by scene, and how far each figure can be trusted.

A figure is a share: of what was asked (``of``), how much was so (``hits``). Moments of one scene are not independent of
one another, so intervals come from drawing whole scenes with replacement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.trace import sets

AXES = {"longitudinal": sets.LONGITUDINAL.values, "lateral": sets.LATERAL.values}
DRAWS = 2000
SPEED_EDGES_MPS = (2.0, 6.0, 10.0)
"""Speed bands: standing or creeping, slow, town, faster."""
APART_M = 0.5
"""Two plans nearer to each other at 4 s are one plan: towards which of them a third one moved cannot be told."""


class Figure(NamedTuple):
    """A share with its interval (95 %); None where nothing was asked, or where one scene says it all."""

    value: float | None
    low: float | None
    high: float | None
    of: float


class Ledger:
    """Counts by figure, scene and family."""

    def __init__(self) -> None:
        self._shares: dict[str, dict[str, NDArray[np.float64]]] = defaultdict(lambda: defaultdict(lambda: np.zeros(2)))
        self._decisions: dict[str, dict[str, NDArray[np.float64]]] = defaultdict(dict)
        self._family: dict[str, str] = {}

    def add(self, figure: str, scene: str, hits: float, of: float = 1.0) -> None:
        """``hits`` of ``of`` more."""
        self._shares[figure][scene] += (hits, of)

    def place(self, scene: str, family: str) -> None:
        """A scene of a family, whether or not anything is counted of it."""
        self._family[scene] = family

    def decide(self, figure: str, scene: str, axis: str, label: str, guess: str) -> None:
        """One decision of an axis and what it should have been."""
        names = AXES[axis]
        counts = self._decisions[figure].setdefault(scene, np.zeros((len(names), len(names))))
        counts[names.index(label), names.index(guess)] += 1.0

    @property
    def families(self) -> list[str]:
        """Families in the order in which they came."""
        return list(dict.fromkeys(self._family.values()))

    def names(self, prefix: str) -> list[str]:
        """Figures that begin so, in the order in which they came."""
        return [name for name in self._shares if name.startswith(prefix)]

    def share(self, figure: str, family: str | None = None) -> Figure:
        """The share of a figure over all scenes or those of a family."""
        table = np.array([v for s, v in self._shares[figure].items() if self._in(s, family)]).reshape(-1, 2)
        hits, of = table.sum(0)
        if of == 0.0:
            return Figure(None, None, None, 0.0)
        drawn = _weights(len(table)) @ table
        return Figure(hits / of, *_bounds(_ratio(drawn[:, 0], drawn[:, 1]), len(table)), of)

    def difference(self, figure: str, other: str) -> Figure:
        """By how much one share is above another one, over the scenes that were asked for both; drawn together."""
        mine, theirs = self._shares[figure], self._shares[other]
        table = np.array([[*mine[s], *theirs[s]] for s in mine if s in theirs]).reshape(-1, 4)
        hits, of, other_hits, other_of = table.sum(0)
        if of == 0.0 or other_of == 0.0:
            return Figure(None, None, None, 0.0)
        drawn = _weights(len(table)) @ table
        asked = drawn[(drawn[:, 1] > 0.0) & (drawn[:, 3] > 0.0)]
        values = asked[:, 0] / asked[:, 1] - asked[:, 2] / asked[:, 3]
        return Figure(hits / of - other_hits / other_of, *_bounds(values, len(table)), of)

    def f1(self, figure: str, family: str | None = None) -> Figure:
        """Macro-F1 over the decisions that labels name, each draw over those that it holds."""
        tables = [v for s, v in self._decisions[figure].items() if self._in(s, family)]
        if not tables:
            return Figure(None, None, None, 0.0)
        stack = np.array(tables)
        drawn = np.tensordot(_weights(len(stack)), stack, 1)
        whole = stack.sum(0)
        return Figure(float(macro_f1(whole[None])[0]), *_bounds(macro_f1(drawn), len(stack)), float(whole.sum()))

    def confusion(self, figure: str) -> NDArray[np.float64]:
        """[label, guess] over all scenes."""
        return np.sum(list(self._decisions[figure].values()), axis=0)

    def _in(self, scene: str, family: str | None) -> bool:
        return family is None or self._family.get(scene) == family


def macro_f1(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """[K] mean F1 over the classes that have labels, of K tables [K, label, guess]."""
    support, guessed = counts.sum(2), counts.sum(1)
    right = np.einsum("kii->ki", counts)
    f1 = np.divide(2.0 * right, support + guessed, out=np.zeros_like(right), where=support + guessed > 0)
    occurring = support > 0
    out: NDArray[np.float64] = (f1 * occurring).sum(1) / np.maximum(occurring.sum(1), 1)
    return out


def _weights(scenes: int) -> NDArray[np.float64]:
    """[draws, scenes] how often each scene is drawn."""
    drawn = np.random.default_rng(0).multinomial(scenes, np.full(scenes, 1.0 / scenes), size=DRAWS)
    return drawn.astype(np.float64)


def _ratio(hits: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    return hits[of > 0.0] / of[of > 0.0]


def _bounds(values: NDArray[np.float64], scenes: int) -> tuple[float | None, float | None]:
    if scenes < 2 or not len(values):
        return None, None
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def others(
    speeds_mps: Sequence[float], scenes: Sequence[str], random: np.random.Generator, *, banded: bool
) -> list[int | None]:
    """For each moment another one, of another scene and, if ``banded``, of the same speed band; None where none is."""
    band = np.digitize(np.asarray(speeds_mps), SPEED_EDGES_MPS)
    scene = np.unique(np.asarray(scenes), return_inverse=True)[1]
    out: list[int | None] = []
    for i in range(len(scene)):
        able = np.flatnonzero((scene != scene[i]) & ((band == band[i]) | (not banded)))
        out.append(int(able[random.integers(len(able))]) if len(able) else None)
    return out


def claim_kind(claim: str) -> str:
    """What a claim's path is counted as: ``plan.segments[2].lon`` is ``segments.lon``; empty where not plan-bound."""
    if claim in ("decision.longitudinal", "decision.lateral"):
        return claim.removeprefix("decision.")
    if claim.startswith("plan.segments["):
        return f"segments.{claim.rpartition('.')[2]}"
    return claim.removeprefix("plan.") if claim.startswith("plan.") else ""


def claim_group(claim: str) -> str:
    """The part of a trace that a claim belongs to."""
    for start, group in (("decision.causes", "causes"), ("decision.rejected", "rejected")):
        if claim.startswith(start):
            return group
    return claim.partition(".")[0].partition("[")[0]


def obeyed(rules: Sequence[str], to_asked_m: float, to_own_m: float) -> tuple[bool, bool]:
    """Whether the forced decision's rules hold for the new plan, and whether it moved towards the one asked for.

    ``rules`` are verdicts of the axes that were forced to another value; the distances are from the new plan to the
    plan that goes with the decision, and to the one driven without force.
    """
    return bool(rules) and all(value == "true" for value in rules), to_asked_m < to_own_m


def same(label: Any, guess: Any) -> bool:
    """Whether the one thing that a label points at is what was pointed at; nothing is never right."""
    return guess is not None and label == guess
