"""Labels of a whole store: in worker processes, resumable, with counts by family."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from waytrace.scenario.folders import claim, write_json
from waytrace.scenario.revision import code_digest
from waytrace.scenario.splits import ALLOWED, Purpose, SplitError
from waytrace.scenario.store import ScenarioStore
from waytrace.trace import vocabulary_hash

from .crew import work
from .drive import LabelError
from .store import FORMAT, LabelStore
from .task import Setup, run_task

SHARD_SCENARIOS = 16
AGAIN = "Give another folder, or --overwrite to start afresh there."

Progress = Callable[[int, int, str], None]
"""Called with scenarios done, scenarios in all, and the id that came to an end last."""


def label_store(
    scenarios: str | Path, out: str | Path, *, workers: int = 1, purpose: Purpose | str = Purpose.TRAIN,
    every_s: float = 0.5, runner_up: bool = False, verify: bool = False, human: bool = False, traffic: str = "mixed",
    style: str = "normal", seed: int = 0, limit: int | None = None, overwrite: bool = False,
    progress: Progress | None = None,
) -> LabelStore:  # fmt: skip
    """Label every scenario of a store and leave a folder of labels at ``out``.

    ``purpose`` says what the labels are for: for ``train``, which they are unless told otherwise, a scenario of
    another split is an error. The labels do not depend on ``workers``. An interrupted run is continued by the same
    call; finished shards are not done again. A folder made with other settings or by other code is refused with the
    differences, unless ``overwrite``.
    """
    store = ScenarioStore.open(Path(scenarios).absolute())
    ids = list(store.ids)[:limit]
    if not ids:
        raise LabelError(f"{store.path} holds no scenarios to label.")
    _permitted(store, ids, Purpose(purpose))
    folder = Path(out).absolute()
    if overwrite:
        shutil.rmtree(folder / "shards", ignore_errors=True)
        for name in ("run.json", "manifest.json"):
            (folder / name).unlink(missing_ok=True)
    setup = Setup(
        str(store.path), str(folder / "shards"), str(Purpose(purpose)), every_s, runner_up, verify, human, traffic,
        style, seed, code_digest(),
    )  # fmt: skip
    settings = {key: value for key, value in setup.to_json().items() if key != "shards"}
    claim(
        folder, settings | {"store_hash": store.manifest_hash, "limit": limit}, holds="labels", again=AGAIN,
        error=LabelError,
    )  # fmt: skip
    (folder / "shards").mkdir(exist_ok=True)
    tasks = {
        f"{k:06d}": ids[k : k + SHARD_SCENARIOS] for k in range(0, len(ids), SHARD_SCENARIOS)
    }  # fmt: skip
    entries = {name: entry for name in tasks if (entry := _finished(folder, name)) is not None}
    done = sum(len(entry["ids"]) for entry in entries.values())
    todo = {name: task for name, task in tasks.items() if name not in entries}
    logs = Path(setup.shards).parent
    for name, entry in work(
        "waytrace.label.worker",
        setup.to_json(),
        todo,
        lambda name, ids: run_task(setup, store, ids, name),
        logs,
        workers,
    ):
        entries[name] = entry
        done += len(entry["ids"])
        if progress:
            progress(done, len(ids), entry["ids"][-1])
    write_json(folder / "manifest.json", _manifest(setup, store, [entries[name] for name in tasks]))
    return LabelStore.open(folder)


def _permitted(store: ScenarioStore, ids: list[str], purpose: Purpose) -> None:
    """What :func:`permit` says, from the manifest: before hours of work rather than after."""
    for i in ids:
        split = store.summary(i)["split"]
        if split not in ALLOWED[purpose]:
            raise SplitError(
                f"Scenario {i!r} is of split {split!r}; labels to {purpose} may come from "
                f"{' and '.join(ALLOWED[purpose])} only. Take it out, or say what else they are for (--purpose)."
            )


def _finished(folder: Path, name: str) -> dict[str, Any] | None:
    """The entry of a shard that is there whole."""
    note, shard = folder / "shards" / f"{name}.json", folder / "shards" / f"{name}.jsonl"
    if not note.exists() or not shard.exists():
        return None
    entry: dict[str, Any] = json.loads(note.read_text())
    return entry if shard.stat().st_size == entry["bytes"] else None


def _manifest(setup: Setup, store: ScenarioStore, entries: list[dict[str, Any]]) -> dict[str, Any]:
    families: dict[str, Counter[str]] = {}
    for entry in entries:
        for family, tally in entry["counts"].items():
            families.setdefault(family, Counter()).update(tally)
    return {
        "format": FORMAT, "vocabulary": vocabulary_hash(), "store_hash": store.manifest_hash,
        "settings": {k: v for k, v in setup.to_json().items() if k not in ("store", "shards")},
        "families": {family: dict(tally) for family, tally in families.items()},
        "shards": [{k: v for k, v in entry.items() if k != "counts"} for entry in entries],
    }  # fmt: skip
