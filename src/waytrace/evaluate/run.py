"""Evaluation of one planner over many scenarios, in worker processes, resumable."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

from waytrace.scenario import Rollout, Scenario, WaytraceError
from waytrace.scenario.folders import RUN, claimed, write_json
from waytrace.scenario.store import RolloutStore, ScenarioStore, ScenarioWriter, write_rollouts
from waytrace.sim import STYLES, TRAFFIC
from waytrace.trace.file import write_traces

from .digest import canonical, code_digest, environment, result_hash, revision
from .drive import REPLAN_TICKS
from .load import load_planner, planner_digest, planner_label, planner_name
from .openings import note_opening
from .pool import Outcome, Task, run_tasks
from .quality import quality
from .result import SCHEMA, Result, aggregate, load_result
from .suite_store import suite_store
from .suites import Suite, SuiteError
from .task import BATCH, Setup
from .traces import traces_of

Progress = Callable[[int, int, str], None]
"""Called with scenarios done, scenarios in all, and the id that came to an end last."""


def evaluate(
    planner: str,
    scenarios: str | Path | Sequence[Scenario] | Suite,
    *,
    drives: str | Path | None = None,
    out: str | Path | None = None,
    workers: int = 1,
    traffic: str = "mixed",
    style: str = "normal",
    seed: int = 0,
    limit: int | None = None,
    replan_ticks: int = REPLAN_TICKS,
    timeout_s: float = 300.0,
    admitted_only: bool = False,
    reason: str = "",
    traces: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Drive ``planner`` through ``scenarios`` in closed loop, score it, and leave a result folder at ``out``.

    Without ``out`` the folder lies under ``out/eval`` and is named after planner, store and a hash of all settings.

    ``planner`` is a spec as :func:`load_planner` takes it; ``scenarios`` the path of a store, or scenarios, which are
    then written to a store inside ``out``, or a frozen suite. A suite says itself how its traffic drives, and its means
    are over admitted scenes (``meta["unfiltered"]`` is over all); the recorded drives of one come from the store
    ``drives``; one that is held out asks for a ``reason`` and logs it.

    ``limit`` takes the first so many scenarios. ``timeout_s`` is the time one may take. With ``admitted_only`` the
    means leave out scenarios that not even the oracle drives without breaking a rule; their rows are kept. The
    result does not depend on ``workers``. With ``traces`` the folder also gets ``traces.jsonl``, a trace for every
    decision of a planner that gives traces itself or the certificates to write them from; the result is the same.

    An interrupted evaluation is continued by the same call. A folder made with other settings or by other code is
    refused with the differences, unless ``overwrite``. A scenario on which the planner raises, dies or takes too long
    is listed in ``result.errors`` with its log and is in no mean; all others are evaluated to the end.
    """
    _check(traffic, TRAFFIC, "traffic")
    _check(style, STYLES, "style")
    load_planner(planner)  # a wrong name should fail now, not in a worker
    suite, references = None, ""
    if isinstance(scenarios, Suite):
        suite = scenarios
        if style != "normal" or traffic not in ("mixed", suite.traffic) or seed not in (0, suite.seed):
            raise SuiteError(f"Suite {suite.name} says itself how its traffic drives: leave out traffic, style, seed.")
        traffic, seed, admitted_only = suite.traffic, suite.seed, True
        path, file = suite_store(suite, drives)
        store, references = ScenarioStore.open(path), str(file)
    elif isinstance(scenarios, str | Path):
        store = ScenarioStore.open(Path(scenarios).absolute())
    else:
        if out is None:
            raise WaytraceError("Scenarios that are in no store need out=FOLDER, where one is written for them.")
        store = ScenarioStore.open(_write_store(scenarios, Path(out).absolute()))
    ids = list(store.ids)[:limit]
    if not ids:
        raise WaytraceError(f"{store.path} holds no scenarios to evaluate.")

    name = planner_name(planner)
    identity = {
        "planner": name,
        "traffic": traffic,
        "style": style,
        "seed": seed,
        "replan_ticks": replan_ticks,
        "admitted_only": admitted_only,
        "suite": suite.name if suite else None,
        "suite_hash": suite.sha256 if suite else None,
    }
    config = {
        **identity,
        "store": str(store.path),
        "store_hash": store.manifest_hash,
        "limit": limit,
        "code": code_digest(),
        "planner_code": planner_digest(planner),
        **({"traces": True} if traces else {}),
    }
    out = Path(out or _default_folder(config)).absolute()
    if overwrite:
        _clear(out)
    if suite and suite.held_out and not (out / "run.json").exists():
        note_opening(suite, name, reason)
    _claim(out, config)
    if (out / "result.json").exists():
        result = load_result(out)
        if not result.errors:
            return result

    began = time.perf_counter()
    partial = out / "partial"
    setup = Setup(
        planner, name, str(store.path), str(partial), traffic, style, seed, replan_ticks, references, traces
    )  # fmt: skip
    done = _finished(partial)
    todo = [i for i in ids if i not in done]
    position = {name: k for k, name in enumerate(ids)}
    tasks = [
        Task(f"{position[todo[k]]:06d}-{len(todo[k : k + BATCH])}", tuple(todo[k : k + BATCH]))
        for k in range(0, len(todo), BATCH)
    ]
    count = len(ids) - len(todo)
    failed: list[dict[str, Any]] = []
    for outcome in run_tasks(setup, tasks, workers=max(1, workers), timeout_s=timeout_s, logs=out / "logs"):
        count += len(outcome.task.ids)
        if outcome.message:
            failed.append(_error(out, outcome, position))
        if progress:
            progress(count, len(ids), outcome.task.ids[-1])
    facts = {
        "label": planner_label(planner),
        "planner_digest": config["planner_code"],
        "revision": revision(),
        "suite_scenes": len(suite.scenes) if suite else None,
        "seconds": time.perf_counter() - began,
    }
    return _finish(out, ids, identity, facts, store, failed)


def _check(value: str, allowed: Iterable[str], what: str) -> None:
    if value not in allowed:
        raise WaytraceError(f"No {what} is called {value!r}; there are {', '.join(allowed)}.")


def _default_folder(config: dict[str, Any]) -> Path:
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{config['planner']}-{config['suite'] or Path(config['store']).name}")
    return Path("out") / "eval" / f"{name}-{hashlib.sha256(canonical(config)).hexdigest()[:8]}"


def _clear(out: Path) -> None:
    """Remove what an evaluation leaves, and nothing else that may lie there."""
    for name in ("partial", "rollouts", "logs"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("run.json", "result.json", "ticks.safetensors", "traces.jsonl"):
        (out / name).unlink(missing_ok=True)


def _write_store(scenarios: Iterable[Scenario], out: Path) -> Path:
    path = out / "scenarios"
    out.mkdir(parents=True, exist_ok=True)
    with ScenarioWriter(path, overwrite=True) as writer:
        for scenario in scenarios:
            writer.add(scenario)
    return path


def _claim(out: Path, config: dict[str, Any]) -> None:
    """Note in ``run.json`` what this folder is for; refuse one that is for something else."""
    if claimed(out, config, holds="an evaluation", again="Give another --out, or --overwrite to start afresh there."):
        return
    if (out / "result.json").exists():
        raise WaytraceError(f"{out} holds a result but no run.json; give another --out, or --overwrite.")
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / RUN, config)


def _finished(partial: Path) -> set[str]:
    return {row["id"] for folder in _task_folders(partial) for row in json.loads((folder / "rows.json").read_text())}


def _task_folders(partial: Path) -> list[Path]:
    if not partial.exists():
        return []
    return sorted(p for p in partial.iterdir() if not p.name.startswith("."))


def _error(out: Path, outcome: Outcome, position: dict[str, int]) -> dict[str, Any]:
    """Record of a scenario that the planner failed on; its traceback goes to a log of its own."""
    (scenario_id,) = outcome.task.ids
    log = out / "logs" / f"scenario-{position[scenario_id]:06d}.log"
    log.write_text(f"{scenario_id}: {outcome.message}\n\n{outcome.detail}\n")
    return {"id": scenario_id, "message": outcome.message, "log": log.relative_to(out).as_posix()}


def _finish(
    out: Path,
    ids: list[str],
    identity: dict[str, Any],
    facts: dict[str, Any],
    store: ScenarioStore,
    failed: list[dict[str, Any]],
) -> Result:
    """Put the tasks' folders together into the result; ``result.json`` comes last, so that it stands for the whole."""
    folders = _task_folders(out / "partial")
    by_id: dict[str, dict[str, Any]] = {}
    where: dict[str, Path] = {}
    ticks: dict[str, Any] = {}
    traces_hash = None
    for folder in folders:
        for row in json.loads((folder / "rows.json").read_text()):
            by_id[row["id"]] = row
            where[row["id"]] = folder
        ticks.update(load_file(folder / "ticks.safetensors"))
    rows = [by_id[i] for i in ids if i in by_id]
    shutil.rmtree(out / "rollouts", ignore_errors=True)
    write_rollouts(out / "rollouts", _rollouts([row["id"] for row in rows], where))
    save_file(ticks, out / "ticks.safetensors")
    if any((folder / "traces.jsonl").exists() for folder in folders):
        write_traces(out / "traces.jsonl", traces_of([row["id"] for row in rows], where))
        traces_hash = hashlib.sha256((out / "traces.jsonl").read_bytes()).hexdigest()
    contents = {i: store.summary(i)["hash"] for i in ids}
    failed.sort(key=lambda e: ids.index(e["id"]))
    meta = {
        "schema": SCHEMA,
        **identity,
        **facts,
        "asked": len(ids),
        "suite": identity["suite"] or store.path.name,
        "store": store.path.relative_to(out).as_posix() if store.path.is_relative_to(out) else str(store.path),
        "store_hash": store.manifest_hash,
        "environment": environment(),
        "code": code_digest(),
        "result_hash": result_hash({**identity, "scenarios": contents}, rows, failed),
        **aggregate(rows, admitted_only=identity["admitted_only"]),
        "quality": quality(rows, admitted_only=identity["admitted_only"]),
        "traces_hash": traces_hash,
        "errors": failed,
        "scenarios": rows,
    }
    write_json(out / "result.json", json.loads(canonical(meta)))
    if not failed:
        shutil.rmtree(out / "partial", ignore_errors=True)
    return load_result(out)


def _rollouts(ids: list[str], where: dict[str, Path]) -> Iterable[Rollout]:
    """Rollouts of ``ids`` one after the other, from the folders of their tasks."""
    opened: dict[Path, RolloutStore] = {}
    for scenario_id in ids:
        folder = where[scenario_id]
        if folder not in opened:
            opened = {folder: RolloutStore.open(folder / "rollouts")}
        yield opened[folder][scenario_id]
