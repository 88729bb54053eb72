"""A folder of pages from the results of closed-loop evaluations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from waytrace.scenario import Rollout, Scenario, WaytraceError

from .index import IndexRow, PlannerSummary, index_page
from .moments import worst_moment
from .names import file_names, planner_labels
from .scene import SceneLinks, scene_page
from .traces import TraceFile

if TYPE_CHECKING:
    from waytrace.score import ScenarioScore

SCENES = "scenes"


class Result(Protocol):
    """A loaded result folder, as ``waytrace.evaluate.load_result`` returns it."""

    @property
    def meta(self) -> Mapping[str, Any]:
        """The content of ``result.json``."""

    @property
    def ids(self) -> Sequence[str]:
        """Ids of the scenarios that were driven to an end."""

    def scenario(self, id: str, /) -> Scenario:
        """One scenario, read when asked for."""

    def rollout(self, id: str, /) -> Rollout:
        """Its drive."""

    def score(self, id: str, /) -> ScenarioScore:
        """Its score with the per-tick rows."""


@dataclass
class _Place:
    """One scene page to be: a scenario and the results that hold a drive of it."""

    scenario_id: str
    scenario_hash: str
    results: list[int]
    score: float


def write_report(
    results: Sequence[Path],
    out: Path,
    *,
    load: Callable[[Path], Result] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write ``out/index.html`` and one page per scenario under ``out/scenes``; the index's path.

    Drives of one scenario by several results share a page, on which the planner is switched; a scenario whose content
    differs between results gets a page for each. Where a result folder holds ``traces.jsonl``, its decisions stand
    beside the player. One scenario is in memory at a time. ``load`` reads a result folder
    (default: ``waytrace.evaluate.load_result``); ``progress(done, total)`` is called after each page.

    Raises WaytraceError where ``results`` is empty or ``out`` cannot be written.
    """
    if not results:
        raise WaytraceError("report: no result given. Name at least one result folder that `waytrace eval` wrote.")
    loaded = [(load or _load_result)(path) for path in results]
    traces = [TraceFile.of(path.parent if path.name == "result.json" else path) for path in results]
    labels = planner_labels((_called(r.meta), str(r.meta.get("traffic", ""))) for r in loaded)
    folder = out / SCENES
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WaytraceError(
            f"report: cannot write to {out}: {error.strerror}. Name another folder with --out."
        ) from error
    places = _places(loaded)
    names = file_names(place.scenario_id for place in places)
    refused = {
        (k, entry["id"])
        for k, result in enumerate(loaded)
        for entry in result.meta.get("scenarios", ())
        if not (entry.get("oracle") or {}).get("clean", True)
    }
    rows: list[IndexRow] = []
    for n, (place, name) in enumerate(zip(places, names, strict=True)):
        scenario = loaded[place.results[0]].scenario(place.scenario_id)
        drives = [(loaded[k].rollout(place.scenario_id), loaded[k].score(place.scenario_id)) for k in place.results]
        links = SceneLinks(
            index="../index.html",
            previous=names[n - 1] if n else "",
            next=names[n + 1] if n + 1 < len(names) else "",
        )
        found = [traces[k] for k in place.results]
        told = [file.decisions(place.scenario_id) if file else [] for file in found]
        page = scene_page(scenario, drives, labels=[labels[k] for k in place.results], links=links, traces=told)
        (folder / name).write_bytes(page.encode("utf-8", "replace"))
        for k, (rollout, score) in zip(place.results, drives, strict=True):
            row, why = worst_moment(score)
            rows.append(
                IndexRow(
                    scenario.id, scenario.source, scenario.family, k, score.score, score.terms,
                    rollout.end, f"{SCENES}/{name}", row * rollout.dt_s, why, (k, scenario.id) not in refused,
                )
            )  # fmt: skip
        if progress is not None:
            progress(n + 1, len(places))
    planners = [_summary(r.meta, label) for r, label in zip(loaded, labels, strict=True)]
    index = out / "index.html"
    index.write_bytes(index_page(rows, planners).encode("utf-8", "replace"))
    return index


def _load_result(path: Path) -> Result:
    from waytrace.evaluate import load_result  # here, for drawing pages needs neither planners nor simulator

    result: Result = load_result(path)
    return result


def _places(loaded: Sequence[Result]) -> list[_Place]:
    """Pages in the index's order: worst drive first, then by id."""
    found: dict[tuple[str, str], _Place] = {}
    for k, result in enumerate(loaded):
        score = {entry["id"]: float(entry["score"]) for entry in result.meta.get("scenarios", ())}
        for scenario_id in result.ids:
            content = result.rollout(scenario_id).scenario_hash if len(loaded) > 1 else ""
            place = found.setdefault((scenario_id, content), _Place(scenario_id, content, [], math.inf))
            place.results.append(k)
            place.score = min(place.score, score.get(scenario_id, math.inf))
    return sorted(found.values(), key=lambda p: (p.score, p.scenario_id, p.scenario_hash))


def _summary(meta: Mapping[str, Any], label: str) -> PlannerSummary:
    interval = meta.get("score_interval")
    store = Path(str(meta.get("store") or "")).name  # the name alone: a report travels, its writer's folders need not
    known = {
        "suite": meta.get("suite"),
        "scenarios": store,
        "traffic": meta.get("traffic"),
        "style": meta.get("style"),
        "seed": meta.get("seed"),
        "result": str(meta.get("result_hash") or "")[:16],
    }
    if known["suite"] == store:
        del known["suite"]
    details = {name: str(value) for name, value in known.items() if value not in (None, "")}
    score = meta.get("score")
    return PlannerSummary(
        label=label,
        score=None if score is None or not math.isfinite(score) else float(score),
        interval=(float(interval[0]), float(interval[1])) if interval and all(map(math.isfinite, interval)) else None,
        details=details,
        admitted_only=bool(meta.get("admitted_only", False)),
        errors=[(str(e.get("id", "?")), str(e.get("message", ""))) for e in meta.get("errors", ())],
    )


def _called(meta: Mapping[str, Any]) -> str:
    """What a result calls its planner for people."""
    return str(meta.get("label") or meta.get("planner") or "planner")
