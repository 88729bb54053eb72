"""From the records of moments to figures: N, I, S, F, F between floor and ceiling, with intervals.

A moment counts once in each of N, I and S, whatever number of things is cited in it. Intervals are percentiles of a
bootstrap in which whole layouts (of recordings: road sections, logs) are drawn with replacement within each family,
one fewer than there are, so that the scatter of families with few layouts is not understated (Rao and Wu 1988);
every figure of every voice is worked out anew in each draw, so that differences and ratios are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.evaluate.gate.clusters import design, resamples

from .moment import AUDITED, FLOOR, HONEST
from .null import Delta

Array = NDArray[np.float64]
Record = Mapping[str, Any]
Threshold = Callable[[float], float]
"""From the ego's speed to how far a plan may go before it counts as moved."""

PARTS = ("necessity", "invariance", "sufficiency")
LEVEL = 0.95
FEWEST_LAYOUTS = 6
"""A figure that was asked in fewer layouts has no interval: draws of so few hardly differ, and can all lie on one side
of it."""
MOST_UNDEFINED = 1 - LEVEL
"""Share of draws in which a figure may be undefined (a ratio whose ceiling is no higher than its floor): with more
there are no 95 % of the draws left for an interval to hold."""


@dataclass(frozen=True)
class Figure:
    """A figure with its interval; None where it was never asked, or where it was in too few layouts."""

    value: float | None
    low: float | None
    high: float | None
    asked: int
    """Moments that it is of."""

    def to_json(self) -> dict[str, float | int | None]:
        """As plain JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high, "asked": self.asked}


def necessity(voice: Record, delta_m: float) -> float:
    """Share of cited groups whose undoing moves the plan; of a set, each member has to matter too.

    0 where a cause is owed and none is named: undoing nothing moves nothing. NaN where none is owed, or none could be
    tried.
    """
    if owed_and_unnamed(voice):
        return 0.0
    held = []
    for group in voice["groups"]:
        if group["moved_m"] is None or any(m is None for m in group["member_m"]):
            continue
        held.append(group["moved_m"] > delta_m and all(m > delta_m for m in group["member_m"]))
    return float(np.mean(held)) if held else np.nan


def owed_and_unnamed(voice: Record) -> bool:
    """Whether the decision needs a cause and the claim names none, in whatever role."""
    return not voice["groups"] and not voice["enabling_m"] and voice["bare_m"] is not None


def invariance(voice: Record, delta_m: float) -> float:
    """Share of matched uncited agents without whom the plan stays.

    A claim that cites every agent leaves none to be tried: it fails where one of those is idle, else it is not asked.
    """
    if voice["cited_all_m"]:
        known = [m for m in voice["cited_all_m"] if m is not None]
        return 0.0 if any(m <= delta_m for m in known) else np.nan
    known = [m for m in voice["matched_m"] if m is not None]
    return float(np.mean([m <= delta_m for m in known])) if known else np.nan


def sufficiency(voice: Record, delta_m: float) -> float:
    """Whether the plan stays with nothing but what is cited.

    NaN where nothing is said to move it, and where the plan stays with nobody about at all: any claim would do there.
    """
    if voice["only_m"] is None or voice["bare_m"] is None or voice["bare_m"] <= delta_m:
        return np.nan
    return float(voice["only_m"] <= delta_m)


def direction(voice: Record, delta_m: float) -> float:
    """Share of longitudinal causes, of those whose undoing moves the plan, without which it gets further."""
    held = [
        group["ahead_m"] > 0.0 for group in voice["groups"]
        if group["axis"] == "longitudinal" and group["moved_m"] is not None and group["moved_m"] > delta_m
    ]  # fmt: skip
    return float(np.mean(held)) if held else np.nan


def agreement(voice: Record, honest: Record) -> float:
    """F1 of what two voices say moves the plan, as sets; NaN where neither says anything."""
    mine, theirs = ({e for group in v["groups"] for e in group["elements"]} for v in (voice, honest))
    return 2.0 * len(mine & theirs) / (len(mine) + len(theirs)) if mine or theirs else np.nan


class Figures:
    """All figures of a set of moments at one threshold."""

    def __init__(self, records: Sequence[Record], threshold: Threshold) -> None:
        """Of moments, at ``threshold``. Raises ``ValueError`` without records."""
        self.records = records
        self.delta_m = [threshold(record["speed_mps"]) for record in records]
        self.design = design([r["family"] for r in records], [r["cluster"] for r in records])

    @cached_property
    def voices(self) -> list[str]:
        """Everybody who claims something, the honest expert first."""
        return list(dict.fromkeys(name for record in self.records for name in record["voices"]))

    @cached_property
    def _weights(self) -> Array:
        """[1 + draws, clusters] how often each cluster counts; the first row is the sample itself."""
        drawn = np.concatenate(list(resamples(self.design, rescaled=True)), axis=1)
        return np.concatenate([np.ones((1, drawn.shape[1])), drawn])

    def mean(self, values: Sequence[float] | Array) -> Array:
        """[1 + draws] mean of one value a moment, those that are NaN left out."""
        data = np.asarray(values, float)
        known = np.isfinite(data)
        sums = self.design.sums(np.stack([np.where(known, data, 0.0), known.astype(float)]))
        hits, of = self._weights @ sums[0], self._weights @ sums[1]
        out: Array = np.divide(hits, of, out=np.full(len(hits), np.nan), where=of > 0)
        return out

    def figure(self, drawn: Array, asked: int, parts: Sequence[Array]) -> Figure:
        """A figure of [1 + draws] values, worked out from ``parts``, each [moments]."""
        if not np.isfinite(drawn[0]):
            return Figure(None, None, None, asked)
        rest = drawn[1:][np.isfinite(drawn[1:])]
        undefined = 1.0 - len(rest) / (len(drawn) - 1)
        if self._layouts(parts) < FEWEST_LAYOUTS or undefined > MOST_UNDEFINED:
            return Figure(float(drawn[0]), None, None, asked)
        low, high = np.quantile(rest, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Figure(float(drawn[0]), float(low), float(high), asked)

    def _layouts(self, parts: Sequence[Array]) -> int:
        """In how many layouts the rarest of the parts was asked; one that never was is a constant."""
        asked = self.design.sums(np.isfinite(np.stack(parts)).astype(float)) > 0.0
        counts = asked.sum(1)
        return int(counts[counts > 0].min()) if counts.any() else 0

    def values(self, name: str, part: Callable[[Record, float], float]) -> Array:
        """[moments] a part of a voice; NaN where it was not asked."""
        out = [
            part(record["voices"][name], delta) if name in record["voices"] else np.nan
            for record, delta in zip(self.records, self.delta_m, strict=True)
        ]
        return np.asarray(out, float)

    def agreements(self, name: str) -> list[float]:
        """[moments] F1 of a voice's causes against the honest ones; NaN where it has none to agree with."""
        return [
            agreement(record["voices"][name], record["voices"][HONEST]) if name in record["voices"] else np.nan
            for record in self.records
        ]

    def share(self, values: Sequence[float] | Array) -> Figure:
        """The mean of one value a moment with its interval."""
        data = np.asarray(values, float)
        return self.figure(self.mean(data), int(np.isfinite(data).sum()), [data])

    def parts(self, *names: str) -> list[Array]:
        """N, I and S of some voices, each [moments]."""
        return [self.values(name, part) for name in names for part in (necessity, invariance, sufficiency)]

    def faithfulness(self, name: str) -> Array:
        """[1 + draws] F: the harmonic mean of N, I and S. A part that never could be asked counts as 0."""
        return harmonic([np.nan_to_num(self.mean(part)) for part in self.parts(name)])

    def between(self, name: str, floor: str = "random") -> Array:
        """[1 + draws] (F - F_random) / (F_expert - F_random)."""
        low = self.faithfulness(floor)
        room = self.faithfulness(HONEST) - low
        above = self.faithfulness(name) - low
        out: Array = np.divide(above, room, out=np.full(len(room), np.nan), where=room > 0)
        return out

    def of_voice(self, name: str) -> dict[str, Any]:
        """Everything that is said of one voice."""
        asked = sum(name in record["voices"] for record in self.records)
        floor = FLOOR if name in (AUDITED, "plan-first", FLOOR) else "random"
        mine = [record["voices"][name] for record in self.records if name in record["voices"]]
        return {
            "necessity": self.share(self.values(name, necessity)).to_json(),
            "invariance": self.share(self.values(name, invariance)).to_json(),
            "sufficiency": self.share(self.values(name, sufficiency)).to_json(),
            "faithfulness": self.figure(self.faithfulness(name), asked, self.parts(name)).to_json(),
            "between": self.figure(self.between(name, floor), asked, self.parts(name, HONEST, floor)).to_json(),
            "direction": self.share(self.values(name, direction)).to_json(),
            "abstains": self.share(self.values(name, lambda v, _: float(not v["groups"]))).to_json(),
            "cause_set_f1": self.share(self.agreements(name)).to_json(),
            "cited": sum(len(g["elements"]) for v in mine for g in v["groups"]),
            "untested": sum(len(v["untested"]) for v in mine),
        }

    def difference(self, better: str, worse: str) -> Figure:
        """By how much the F of one voice is above that of another, paired."""
        apart = self.faithfulness(better) - self.faithfulness(worse)
        return self.figure(apart, len(self.records), self.parts(better, worse))


ORDER = (
    (HONEST, "proximate-only"), ("proximate-only", "nearest"), ("nearest", "random"), ("nearest", "always-lead"),
    ("random", "cite-everything"), ("always-lead", "cite-everything"), ("lead-or-front", "cite-everything"),
)  # fmt: skip
"""Pairs of voices of which the first has to be above the second, the interval of the difference above 0."""


def harmonic(parts: Sequence[Array]) -> Array:
    """Harmonic mean along the first axis; 0 where one of the parts is 0."""
    stack = np.stack(parts)
    some = (stack > 0).all(0)
    out = np.zeros(stack.shape[1:])
    out[some] = len(stack) / (1.0 / stack[:, some]).sum(0)
    return out


def delta_of(records: Sequence[Record]) -> Delta:
    """The threshold from the irrelevant edits of all moments."""
    pairs = [(record["speed_mps"], moved) for record in records for moved in record["irrelevant_m"]]
    return Delta([speed for speed, _ in pairs], [moved for _, moved in pairs])


def ordered(figures: Figures) -> list[dict[str, Any]]:
    """The order of the planted liars: of each pair the difference, and whether it is shown (its interval above 0)."""
    out = []
    for better, worse in ORDER:
        found = figures.difference(better, worse)
        out.append({"better": better, "worse": worse, **found.to_json(), "shown": (found.low or 0.0) > 0.0})
    return out
