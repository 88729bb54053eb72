"""One task of labelling: the decisions of a few scenarios, written to a shard of their own."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from waytrace.scenario import Scenario
from waytrace.scenario.splits import permit
from waytrace.scenario.store import ScenarioStore
from waytrace.trace import Header
from waytrace.trace.check import check
from waytrace.trace.file import TraceLine, to_record

from .asking import Asker
from .drive import LabelledMoment, header_of, label_drive
from .from_certificate import Label
from .log_inverse import label_recorded
from .record import line_of
from .verify import verified


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
            for line, dropped in label_lines(setup, scenario, content):
                text = json.dumps(to_record(line), separators=(",", ":"), allow_nan=False).encode() + b"\n"
                file.write(text)
                digest.update(text)
                size += len(text)
                tally["decisions"] += 1
                tally["valid"] += 1  # a label that breaks the grammar is an error, not a line
                tally[line.header.producer.label_gate or "unchecked"] += 1
                tally["truncated_causes"] += dropped
                for verdict in line.verdicts:
                    tally[f"claims_{verdict.value}"] += 1
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


def label_lines(setup: Setup, scenario: Scenario, content: str) -> Iterator[tuple[TraceLine, int]]:
    """(line, claims dropped as truncated) of every labelled decision of a scenario.

    With ``verify`` the labels are re-simulated and checked; a line then holds its tests, and those verdicts about the
    present that are not true.
    """
    if setup.human:
        yield from _human_lines(setup, scenario, content)
        return
    asker = Asker() if setup.verify else None
    for moment in label_drive(
        scenario, every_s=setup.every_s, runner_up=setup.runner_up, traffic=setup.traffic, style=setup.style,
        seed=setup.seed,
    ):  # fmt: skip
        label, other = moment.label, moment.runner_up
        tests, wrong = [], []
        if asker is not None:
            label, found = verified(label, moment.certificate, moment.at.scene, moment.state, asker)
            tests = [test.to_json() for test in found]
            wrong = [
                v for v in check(label.trace, moment.at.scene, label.plan, moment.before)
                if v.kind == "present" and v.value in ("false", "undetermined")
            ]  # fmt: skip
        second = (_header(setup, other, moment, content), other) if other is not None else None
        header = _header(setup, label, moment, content)
        yield line_of(
            scenario.id, moment.tick, header, label, runner_up=second, verdicts=wrong, tests=tests
        ), len(label.dropped)  # fmt: skip


def _human_lines(setup: Setup, scenario: Scenario, content: str) -> Iterator[tuple[TraceLine, int]]:
    """Of a recorded drive: what its driver did. The set that explains it travels in the line as ``explained_by``."""
    for moment in label_recorded(scenario, every_s=setup.every_s):
        header = header_of(
            moment.label, moment.at, content, code=setup.code[:16], seed=setup.seed, kind="log_inverse"
        )  # fmt: skip
        line = line_of(scenario.id, moment.tick, header, moment.label)
        refs = None if moment.explained_by is None else [str(ref) for ref in moment.explained_by]
        yield replace(line, more={**line.more, "explained_by": refs}), len(moment.label.dropped)


def _header(setup: Setup, label: Label, moment: LabelledMoment, content: str) -> Header:
    return header_of(label, moment.at, content, code=setup.code[:16], seed=setup.seed)
