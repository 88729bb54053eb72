"""One task of an evaluation: a few scenarios driven together, scored, and written to a folder of their own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from waytrace.scenario import Scenario
from waytrace.scenario.store import ScenarioStore, write_rollouts
from waytrace.score import ScenarioScore, score_rollout
from waytrace.trace.file import write_traces

from .digest import drive_digest, plain
from .drive import REPLAN_TICKS, drive
from .load import load_planner
from .reference import Reference, reference
from .stability import plan_stability
from .suite_store import load_references
from .timing import Clock
from .traces import TraceBook, counts

BATCH = 4
"""Worlds per task, and the padded batch that every planner runs at."""


@dataclass(frozen=True)
class Setup:
    """What every task of an evaluation has in common; plain values, so that it travels as JSON."""

    planner: str
    """As :func:`~.load.load_planner` takes it."""
    name: str
    """What rollouts call it."""
    store: str
    partial: str
    """Folder that task folders are written to."""
    traffic: str = "mixed"
    style: str = "normal"
    seed: int = 0
    replan_ticks: int = REPLAN_TICKS
    references: str = ""
    """File with a suite's frozen references; empty: the oracle is asked."""
    traces: bool = False
    """Whether to record a trace for every decision of a planner that gives traces or certificates."""

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def run_task(
    setup: Setup, store: ScenarioStore, ids: Sequence[str], name: str, driven: Callable[[], None] | None = None
) -> None:
    """Drive and score the scenarios ``ids`` and leave ``partial/name``: rows.json, ticks.safetensors, rollouts/,
    and traces.jsonl where traces are asked for.

    ``driven`` is called when the planner's part is over; what follows is the oracle's and the score's. The folder
    appears whole or not at all. The planner is made anew for every task, so that nothing carries over from one task
    to the next and the division into workers cannot show in the result.
    """
    scenarios = [store[i] for i in ids]
    contents = [store.summary(i)["hash"] for i in ids]
    book = TraceBook(contents, setup.seed) if setup.traces else None
    began = time.perf_counter()
    clock = Clock()
    rollouts = drive(
        load_planner(setup.planner), scenarios, traffic=setup.traffic, style=setup.style, seed=setup.seed,
        replan_ticks=setup.replan_ticks, pad_to=BATCH, name=setup.name, watch=book.take if book else None,
        clock=clock,
    )  # fmt: skip
    seconds = (time.perf_counter() - began) / len(ids)
    if driven:
        driven()
    rows, ticks, said = [], {}, counts(book.lines(), setup.replan_ticks) if book else {}
    for scenario, content, rollout in zip(scenarios, contents, rollouts, strict=True):
        oracle = (
            load_references(setup.references)[scenario.id]
            if setup.references
            else reference(scenario, content, traffic=setup.traffic, style=setup.style, seed=setup.seed)
        )
        score = score_rollout(scenario, rollout, oracle.progress_m)
        row = _row(scenario, score, oracle, rollout.end, seconds, drive_digest(rollout, score))
        steady = plan_stability(rollout)
        row |= {"latency": clock.record(), "plan_stability": asdict(steady) if steady else None}
        row |= {"trace": said[scenario.id]} if scenario.id in said else {}
        rows.append(row)
        ticks.update({f"{scenario.id}/{key}": np.ascontiguousarray(value) for key, value in score.ticks.items()})
    final = Path(setup.partial) / name
    temporary = final.with_name(f".{name}.{os.getpid()}")
    temporary.mkdir(parents=True)
    write_rollouts(temporary / "rollouts", rollouts)
    save_file(ticks, temporary / "ticks.safetensors")
    if book is not None:
        write_traces(temporary / "traces.jsonl", book.lines())
    (temporary / "rows.json").write_text(json.dumps(rows, allow_nan=False))
    temporary.rename(final)


def _row(
    scenario: Scenario, score: ScenarioScore, oracle: Reference, end: str, seconds: float, digest: str
) -> dict[str, Any]:
    """The record of one scenario in ``result.json``."""
    record: dict[str, Any] = plain(
        {
            "id": scenario.id,
            "source": scenario.source,
            "family": scenario.family,
            "cluster": scenario.cluster or scenario.id,
            "layout": scenario.cluster if scenario.family else "",
            "score": score.score,
            "terms": dict(score.terms),
            "applied": list(score.applied),
            "figures": dict(score.figures),
            "events": [asdict(event) for event in score.events],
            "oracle": asdict(oracle),
            "end": end,
            "seconds": seconds,
            "digest": digest,
        }
    )
    return record
