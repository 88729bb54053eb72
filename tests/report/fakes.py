"""Results held in memory, as pages read them."""

from __future__ import annotations

from typing import Any

from waytrace.scenario import Rollout, Scenario

from .conftest import FakeScore


class FakeResult:
    """A result folder held in memory."""

    def __init__(self, planner: str, drives: list[tuple[Scenario, Rollout, FakeScore]], **meta: Any) -> None:
        self._drives = {scenario.id: (scenario, rollout, score) for scenario, rollout, score in drives}
        self.ids = list(self._drives)
        self.meta = {
            "planner": planner,
            "score": 0.5,
            "scenarios": [{"id": i, "score": self._drives[i][2].score} for i in self.ids],
            "errors": [],
        } | meta

    def scenario(self, id: str) -> Scenario:
        return self._drives[id][0]

    def rollout(self, id: str) -> Rollout:
        return self._drives[id][1]

    def score(self, id: str) -> FakeScore:
        return self._drives[id][2]

    @classmethod
    def counted(cls, planner: str, drives: list[tuple[Scenario, Rollout, FakeScore]]) -> FakeResult:
        """One with rows, families, timings and counts of claims, as an evaluation writes them."""
        rows = [
            {
                "id": scenario.id, "score": score.score, "source": scenario.source, "family": scenario.family,
                "cluster": f"{scenario.cluster}-{k}", "oracle": {"clean": True},
                "latency": {"decisions": 30, "median_ms": 4.0 + k, "most_ms": 9.0 + k, "reference_ms": 2.0},
                "trace": {"decisions": 18, "true": 9, "false": 1, "undetermined": 0, "plan_true": 8, "plan_false": 2},
            }
            for k, (scenario, _, score) in enumerate(drives)
        ]  # fmt: skip
        group = {"score": 0.75, "score_interval": [0.6, 0.9], "count": len(rows)}
        family = {drives[0][0].family: {"score": 0.75, "score_interval": None, "count": len(rows)}}
        quality = {
            "claims_true": {"value": 0.9, "interval": [0.8, 0.95], "scenes": len(rows)},
            "flips": {"value": 0.125, "interval": None, "scenes": len(rows)},
            "plans_apart_4s_m": {"value": 1.25, "interval": [0.5, 2.0], "scenes": len(rows)},
        }
        return cls(
            planner, drives, quality=quality, scenarios=rows, sources={drives[0][0].source: group}, families=family,
            score_interval=[0.4, 0.6], suite="smoke",
        )  # fmt: skip
