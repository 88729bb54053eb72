"""A folder of pages from the results of closed-loop evaluations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waytrace.scenario import WaytraceError

from .figures import Claims, RunFigures, group_rows, latency_rows, quality_rows
from .given import Causal, Gate
from .index import IndexRow, PlannerSummary, index_page
from .moments import worst_moment
from .results import Load, Shown, shown
from .scenes import Progress, Undo, places, scene_folder, write_scenes
from .tally import Tally


@dataclass(frozen=True)
class Extras:
    """What a report shows beside its results, where it is given."""

    gate: Gate | None = None
    causal: Causal | None = None
    undo: Undo | None = None
    """Asked what the causes do that the decisions of a drive cite."""
    undo_scenes: int = 0
    """Of how many scenes with traces, worst first."""


def write_report(
    results: Sequence[Path],
    out: Path,
    *,
    extras: Extras | None = None,
    load: Load | None = None,
    progress: Progress | None = None,
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
    extras = extras or Extras()
    loaded = shown(results, load)
    folder = scene_folder(out)
    refused = {
        (k, name) for k, one in enumerate(loaded) for name, row in one.rows.items()
        if not (row.get("oracle") or {}).get("clean", True)
    }  # fmt: skip
    rows: list[IndexRow] = []
    tallies = [Tally() for _ in loaded]
    for drive in write_scenes(
        loaded, places(loaded), folder, undo=extras.undo, undo_first=extras.undo_scenes, progress=progress
    ):
        scenario, rollout, score, k = drive.scenario, drive.rollout, drive.score, drive.result
        row, why = worst_moment(score)
        rows.append(
            IndexRow(
                scenario.id, scenario.source, scenario.family, k, score.score, score.terms, rollout.end, drive.href,
                row * rollout.dt_s, why, (k, scenario.id) not in refused,
            )
        )  # fmt: skip
        tallies[k].add(drive.told, scenario.cluster, drive.href, rollout.dt_s)
    metas, labels = [one.meta for one in loaded], [one.label for one in loaded]
    figures = RunFigures(
        groups=group_rows(metas),
        claims=[
            Claims(one.label, tally.decisions, tally.claims(list(one.rows.values())), tally.false_rules())
            for one, tally in zip(loaded, tallies, strict=True) if tally.decisions
        ],
        quality=quality_rows(metas), latency=latency_rows(labels, metas), gate=extras.gate, causal=extras.causal,
    )  # fmt: skip
    index = out / "index.html"
    page = index_page(rows, [summary(one) for one in loaded], figures=figures)
    index.write_bytes(page.encode("utf-8", "replace"))
    return index


def summary(one: Shown) -> PlannerSummary:
    """What a result states of itself as a whole."""
    meta = one.meta
    interval = meta.get("score_interval")
    score = meta.get("score")
    return PlannerSummary(
        label=one.label,
        score=None if score is None or not math.isfinite(score) else float(score),
        interval=(float(interval[0]), float(interval[1])) if interval and all(map(math.isfinite, interval)) else None,
        details=_details(meta),
        admitted_only=bool(meta.get("admitted_only", False)),
        errors=[(str(e.get("id", "?")), str(e.get("message", ""))) for e in meta.get("errors", ())],
    )


def _details(meta: Mapping[str, Any]) -> dict[str, str]:
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
    return {name: str(value) for name, value in known.items() if value not in (None, "")}
