"""Two results beside each other: every scene that went differently, those first that no score would show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from waytrace.scenario import number_of

from .figures import RunFigures, group_rows
from .given import Gate
from .pages import render
from .results import Load, Shown, shown
from .scenes import Progress, places, scene_folder, write_scenes

if TYPE_CHECKING:
    from waytrace.evaluate.compare import SceneDifference

KINDS = (
    ("unseen", "other decision or cause, score stands still"),
    ("lower", "lower score"),
    ("higher", "higher score"),
    ("driven", "driven differently, score stands still"),
)
"""What a scene is listed under, in this order, and in words."""
_TICK_S = 0.1


def write_comparison(
    before: Path,
    after: Path,
    differences: Sequence[SceneDifference],
    out: Path,
    *,
    gate: Gate | None = None,
    load: Load | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write ``out/index.html`` and a page for every scene of ``differences``, with both drives; the index's path.

    ``differences`` are those that :func:`waytrace.evaluate.compare.compare` finds. Scenes come in the order of
    :data:`KINDS`; of the first those with most other decisions lead, then the largest losses, the largest gains.

    Raises WaytraceError where ``out`` cannot be written.
    """
    results = [
        replace(one, label=f"{word}: {one.label}")
        for word, one in zip(("before", "after"), shown([before, after], load, alike=True), strict=True)
    ]
    folder = scene_folder(out)
    pages = places(results, {d.scene for d in differences})
    href: dict[str, str] = {}
    family: dict[str, str] = {}
    for drive in write_scenes(results, pages, folder, progress=progress):
        href[drive.scenario.id] = drive.href
        family[drive.scenario.id] = drive.scenario.family
    rows = [_row(d, href.get(d.scene, ""), family.get(d.scene, "")) for d in sorted(differences, key=_order)]
    index = out / "index.html"
    index.write_bytes(comparison_page(results, rows, gate=gate).encode("utf-8", "replace"))
    return index


def comparison_page(results: Sequence[Shown], rows: Sequence[dict[str, Any]], *, gate: Gate | None = None) -> str:
    """The index of a comparison of two results as a self-contained HTML page."""
    labels = [one.label for one in results]
    counts = [(text, sum(row["kind"] == k for row in rows)) for k, (_, text) in enumerate(KINDS)]
    figures = RunFigures(groups=group_rows([one.meta for one in results]), gate=gate)
    payload = {"labels": labels, "kinds": [list(kind) for kind in KINDS], "rows": rows}
    scenes = len({*results[0].rows, *results[1].rows})
    return render(
        "comparison", "Waytrace comparison", payload, labels=labels, figures=figures, counts=counts, scenes=scenes
    )  # fmt: skip


def _kind(d: SceneDifference) -> int:
    if d.still:
        return 0 if d.said.differs else 3
    return 1 if math.isnan(d.after) or d.after < d.before else 2


def _order(d: SceneDifference) -> tuple[int, float, str]:
    kind = _kind(d)
    moved = -1.0 if math.isnan(d.after) else d.after - d.before
    first = -float(d.said.other_decisions + d.said.other_causes) if kind == 0 else -moved if kind == 2 else moved
    return kind, -1.0 if math.isnan(first) else first, d.scene


def _row(d: SceneDifference, href: str, family: str) -> dict[str, Any]:
    """One scene as the page reads it: what it is listed under, scores, and the differences as (heading, text)."""
    said, changes = d.said, []
    if said.decided is not None:
        where = f"{number_of(said.other_decisions, 'other decision')}, first at {_seconds(said.decision_tick)}"
        changes.append((where, _to(*said.decided)))
    if said.cause_tick is not None:
        words = [f"\N{MINUS SIGN} {c}" for c in said.dropped] + [f"+ {c}" for c in said.added]
        where = f"causes of {number_of(said.other_causes, 'decision')}, first at {_seconds(said.cause_tick)}"
        changes.append((where, "; ".join(words).replace("_", " ")))
    changes += [("new event", event) for event in d.new] + [("event gone", event) for event in d.gone]
    terms = {name: (_score(a), _score(b)) for name, (a, b) in d.terms.items()}
    moved = [f"{name} {_to(*two)}" for name, two in terms.items() if two[0] != two[1]]
    if moved:
        changes.append(("terms", ", ".join(moved)))
    if d.apart_tick is not None:
        changes.append(("egos half a metre apart", f"from {_seconds(d.apart_tick)} on"))
    ticks = (said.decision_tick, said.cause_tick, d.plan_tick, d.first_tick)
    at = min((tick for tick in ticks[:2] if tick is not None), default=next((t for t in ticks if t is not None), 0))
    return {
        "id": d.scene, "href": href, "family": family, "kind": _kind(d),
        "at_s": round(at * _TICK_S, 1),
        "before": None if math.isnan(d.before) else round(d.before, 6),
        "after": None if math.isnan(d.after) else round(d.after, 6), "changes": changes,
    }  # fmt: skip


def _to(was: str, now: str) -> str:
    return f"{was} \N{RIGHTWARDS ARROW} {now}"


def _seconds(tick: int | None) -> str:
    return "the start" if not tick else f"{tick * _TICK_S:.1f} s"


def _score(value: float) -> str:
    return "\N{EN DASH}" if math.isnan(value) else f"{value:.2f}"
