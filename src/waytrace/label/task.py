"""One task of labelling: the decisions of a few scenarios, written to a shard of their own."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from waytrace.scenario import Scenario
from waytrace.scenario.splits import permit
from waytrace.scenario.store import ScenarioStore

from .drive import header_of, label_drive
from .record import line_of


@dataclass(frozen=True)
class Setup:
    """What every task of a labelling run has in common; plain values, so that it travels as JSON."""

    store: str
    shards: str
    """Folder that shards are written to."""
    purpose: str = "train"
    every_s: float = 0.5
    runner_up: bool = False
    verify: bool = False
    human: bool = False
    """Label what the recorded driver did, not what the expert does."""
    traffic: str = "mixed"
    style: str = "normal"
    seed: int = 0
    code: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def run_task(setup: Setup, store: ScenarioStore, ids: Sequence[str], name: str) -> dict[str, Any]:
    """Label the scenarios ``ids`` and leave ``shards/name.jsonl``; its entry for the manifest.

    The shard appears whole or not at all, and its bytes do not depend on how scenarios were divided among workers.
    """
    final = Path(setup.shards) / f"{name}.jsonl"
    temporary = final.with_name(f".{final.name}.{os.getpid()}")
    digest, size = hashlib.sha256(), 0
    counts: dict[str, Counter[str]] = {}
    with temporary.open("wb") as file:
        for scenario in permit((store[i] for i in ids), setup.purpose):
            content = store.summary(scenario.id)["hash"]
            tally = counts.setdefault(scenario.family or scenario.source, Counter())
            tally["scenarios"] += 1
            for record, gate, dropped in label_lines(setup, scenario, content):
                line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
                file.write(line)
                digest.update(line)
                size += len(line)
                tally["decisions"] += 1
                tally[gate or "unchecked"] += 1
                tally["truncated_causes"] += dropped
        file.flush()
        os.fsync(file.fileno())
    entry = {
        "file": final.name, "bytes": size, "sha256": digest.hexdigest(), "ids": list(ids),
        "counts": {family: dict(tally) for family, tally in counts.items()},
    }  # fmt: skip
    temporary.rename(final)
    note = final.with_suffix(".json")
    note.with_name(f".{note.name}.{os.getpid()}").write_text(json.dumps(entry))
    note.with_name(f".{note.name}.{os.getpid()}").rename(note)
    return entry


def label_lines(setup: Setup, scenario: Scenario, content: str) -> Iterator[tuple[dict[str, Any], str, int]]:
    """(line, gate, claims dropped as truncated) of every labelled decision of a scenario."""
    for moment in label_drive(
        scenario, every_s=setup.every_s, runner_up=setup.runner_up, traffic=setup.traffic, style=setup.style,
        seed=setup.seed,
    ):  # fmt: skip
        label, other = moment.label, moment.runner_up

        def header(of: Any, moment: Any = moment) -> Any:
            return header_of(of, moment.at, content, code=setup.code[:16], seed=setup.seed)

        second = (header(other), other) if other is not None else None
        yield line_of(scenario.id, moment.tick, header(label), label, second), label.gate, len(label.dropped)
