"""Scores of one way to drive, seed by seed and scene by scene, and what lies between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

DRAWS = 2000


class Difference(NamedTuple):
    """A mean difference of scores over seeds and scenes that both have, with its interval (95 %)."""

    value: float | None
    low: float | None
    high: float | None
    seeds: int
    scenes: int
    by_seed: tuple[float, ...]


@dataclass(frozen=True)
class Driven:
    """What an arm drove in a mode: by seed the admitted scenes with (score, at-fault collision)."""

    seeds: dict[int, dict[str, tuple[float, bool]]]
    cluster: dict[str, str]
    failed: int

    @classmethod
    def of(cls, figures: Mapping[int, Mapping[str, Any]]) -> Driven:
        """From the stamps of its drives. Scenes that the oracle cannot drive are left out, as the suite has it."""
        seeds, cluster = {}, {}
        for seed, record in figures.items():
            kept = {id: row for id, row in record["rows"].items() if row[3]}
            seeds[seed] = {id: (float(row[0]), bool(row[1])) for id, row in kept.items()}
            cluster |= {id: str(row[2]) for id, row in kept.items()}
        return cls(seeds, cluster, sum(int(record["failed"]) for record in figures.values()))

    def scores(self) -> list[float]:
        """Mean score of each seed."""
        return [float(np.mean([score for score, _ in rows.values()])) for rows in self.seeds.values() if rows]

    def at_fault(self) -> float | None:
        """Share of scenes with an at-fault collision, over all seeds."""
        hits = [hit for rows in self.seeds.values() for _, hit in rows.values()]
        return float(np.mean(hits)) if hits else None


def between(one: Driven, other: Driven) -> Difference:
    """How much better ``one`` scores: same seed and same scene beside each other.

    The interval is a paired bootstrap in both directions: whole places (scenes of one layout) and seeds are drawn with
    replacement. Three seeds are few: what varies from training to training is only roughly in it.
    """
    seeds = sorted(set(one.seeds) & set(other.seeds))
    ids = sorted(set.intersection(*(set(d.seeds[s]) for d in (one, other) for s in seeds))) if seeds else []
    if not ids:
        return Difference(None, None, None, len(seeds), 0, ())
    apart = np.array([[one.seeds[s][id][0] - other.seeds[s][id][0] for id in ids] for s in seeds])
    names, member = np.unique([one.cluster[id] for id in ids], return_inverse=True)
    sums = np.array([np.bincount(member, weights=row, minlength=len(names)) for row in apart])
    sizes = np.bincount(member, minlength=len(names)).astype(float)
    random = np.random.default_rng(0)
    places = random.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=DRAWS)
    trainings = random.multinomial(len(seeds), np.full(len(seeds), 1.0 / len(seeds)), size=DRAWS) / len(seeds)
    means = np.einsum("ds,sp,dp->d", trainings, sums, places) / (places @ sizes)
    low, high = np.quantile(means, [0.025, 0.975]) if len(names) > 1 else (None, None)
    return Difference(
        float(apart.mean()), None if low is None else float(low), None if high is None else float(high), len(seeds),
        len(ids), tuple(float(v) for v in apart.mean(1)),
    )  # fmt: skip
