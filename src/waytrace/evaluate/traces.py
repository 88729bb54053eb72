"""Traces of an evaluation: taken down while a planner drives, one line a decision, checked on the spot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.label import Asker, from_certificate, ghosts_of, header_of, line_of, setting
from waytrace.observe import Observation
from waytrace.planners import Expert
from waytrace.scenario import Plan
from waytrace.scenario.revision import code_digest
from waytrace.scenario.roads import RoadCache
from waytrace.trace import Header, Present, Producer, Trace, encode, vocabulary_hash
from waytrace.trace.check import check
from waytrace.trace.file import TraceLine, read_traces

from .stability import Said, word_stability

BOUND = ("decision.longitudinal", "decision.lateral")
"""Claims that are judged against the plan, beside those about the plan itself."""


class TraceBook:
    """What a planner says, decision by decision; rows beyond those of ``contents`` are padding.

    A planner that returns traces (one a row, or None) is quoted; of one that has certificates instead, the labeller
    writes them. All others leave the book empty.
    """

    def __init__(self, contents: Sequence[str], seed: int) -> None:
        self._contents, self._seed = list(contents), seed
        self._rows: list[list[TraceLine]] = [[] for _ in contents]
        self._before: list[Trace | None] = [None] * len(contents)
        self._roads = RoadCache()
        self._asker: Asker | None = None

    def lines(self) -> Iterator[TraceLine]:
        """Every decision, scenario by scenario."""
        for row in self._rows:
            yield from row

    def take(
        self, planner: Any, observation: Observation, plan: Plan, traces: Any, active: NDArray[np.bool_], state: Any
    ) -> None:
        """Take down one decision of every scenario that still runs; ``state`` is what the planner carried into it."""
        for row in np.flatnonzero(active[: len(self._contents)]):
            quoted = traces[int(row)] if traces is not None else None
            line: TraceLine | None = None
            if quoted is not None:
                line = self._quoted(planner, quoted, observation, plan, int(row))
            elif traces is None and hasattr(planner, "certificates") and hasattr(planner, "forecasts"):
                line = self._labelled(planner, observation, int(row), state)
            if line is not None:
                self._rows[row].append(line)
                self._before[row] = line.trace

    def _labelled(self, planner: Any, observation: Observation, row: int, state: Any) -> TraceLine | None:
        made, forecast = planner.certificates[row], planner.forecasts[row]
        if made is None:
            return None
        at, before = setting(observation, row, forecast, self._roads), self._before[row]
        if self._asker is None and isinstance(planner, Expert):
            self._asker = Asker(planner.config)
        label, other = from_certificate(
            made, at, before.decision if before else None, runner_up=True, asker=self._asker,
            state=[state[row]] if state is not None else None,
        )  # fmt: skip
        code, content = code_digest()[:16], self._contents[row]
        header = header_of(label, at, content, code=code, seed=self._seed)
        second = (header_of(other, at, content, code=code, seed=self._seed), other) if other is not None else None
        return line_of(
            observation.ids[row], int(observation.tick[row]), header, label, runner_up=second,
            verdicts=check(label.trace, at.scene, label.plan, before), ghosts=ghosts_of(made, label, other, at),
        )  # fmt: skip

    def _quoted(self, planner: Any, trace: Trace, observation: Observation, plan: Plan, row: int) -> TraceLine:
        """A planner's own trace. Raises ``TraceError`` where it breaks the grammar: such a planner has failed."""
        encode(trace, Present.of(observation, row))
        scene = observation.scenes[row]
        weights = getattr(planner, "weights", "")
        producer = Producer("model", weights, vocabulary_hash(), code_digest()[:16], self._seed, "trace", "")
        history_s = round((len(scene.ego.history_valid) - 1) * scene.dt_s, 6)
        header = Header(self._contents[row], round(scene.time_s * 1e6), history_s, scene.dt_s, producer)
        return TraceLine(
            observation.ids[row], int(observation.tick[row]), header, trace, plan[row],
            check(trace, scene, plan[row], self._before[row]),
        )  # fmt: skip


def counts(lines: Iterable[TraceLine], step_ticks: int) -> dict[str, dict[str, Any]]:
    """By scenario: decisions, verdicts on claims about the present, and those on claims that are bound to the plan.

    ``stability`` says how steady decisions and causes are, for a planner that is asked every ``step_ticks`` ticks.
    """
    found: dict[str, dict[str, Any]] = {}
    said: dict[str, list[Said]] = {}
    for line in lines:
        names = ("decisions", "true", "false", "undetermined", "plan_true", "plan_false")
        row = found.setdefault(line.scenario, dict.fromkeys(names, 0))
        said.setdefault(line.scenario, []).append(Said.of(line.tick, line.trace))
        row["decisions"] += 1
        for verdict in line.verdicts:
            if verdict.value in row:
                row[verdict.value] += 1
                bound = verdict.claim in BOUND or verdict.claim.startswith("plan.")
                if bound and verdict.value != "undetermined":
                    row[f"plan_{verdict.value}"] += 1
    for scenario, row in found.items():
        row["stability"] = asdict(word_stability(said[scenario], step_ticks))
    return found


def traces_of(ids: Sequence[str], where: dict[str, Path]) -> Iterator[TraceLine]:
    """The decisions of ``ids`` in their order, from the folders of their tasks."""
    kept: dict[Path, dict[str, list[TraceLine]]] = {}
    for scenario in ids:
        folder = where[scenario]
        if folder not in kept:
            kept = {folder: {}}
            for line in read_traces(folder / "traces.jsonl") if (folder / "traces.jsonl").exists() else ():
                kept[folder].setdefault(line.scenario, []).append(line)
        yield from kept[folder].get(scenario, [])
