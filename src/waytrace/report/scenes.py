"""The folder of scene pages of a report: one for every scenario, with the drives of all results that hold it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from waytrace.scenario import Rollout, Scenario, WaytraceError

from .names import file_names
from .results import Shown
from .scene import SceneLinks, scene_page
from .traces import Told

if TYPE_CHECKING:
    from waytrace.score import ScenarioScore

SCENES = "scenes"

Undo = Callable[[Scenario, Rollout, Sequence[Told]], list[Told]]
"""Decisions of a drive with what their causes do (``Told.undone``)."""
Progress = Callable[[int, int], None]


@dataclass
class Place:
    """One scene page to be: a scenario and the results that hold a drive of it."""

    scenario_id: str
    scenario_hash: str
    results: list[int]
    score: float
    """The lowest of its drives."""


@dataclass(frozen=True)
class Driven:
    """A drive whose page is written."""

    place: Place
    result: int
    href: str
    """Relative to the report's folder."""
    scenario: Scenario
    rollout: Rollout
    score: ScenarioScore
    told: Sequence[Told]


def scene_folder(out: Path) -> Path:
    """The folder of the scene pages, made where it is not there. Raises WaytraceError where that cannot be."""
    folder = out / SCENES
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WaytraceError(
            f"report: cannot write to {out}: {error.strerror}. Name another folder with --out."
        ) from error
    return folder


def places(results: Sequence[Shown], scenes: Collection[str] | None = None) -> list[Place]:
    """Pages worst drive first, then by id; only of ``scenes``, where given.

    A scenario whose content differs between results gets a page for each.
    """
    found: dict[tuple[str, str], Place] = {}
    for k, one in enumerate(results):
        score = {name: float(row["score"]) for name, row in one.rows.items()}
        for scenario_id in one.result.ids:
            if scenes is not None and scenario_id not in scenes:
                continue
            content = one.result.rollout(scenario_id).scenario_hash if len(results) > 1 else ""
            place = found.setdefault((scenario_id, content), Place(scenario_id, content, [], math.inf))
            place.results.append(k)
            place.score = min(place.score, score.get(scenario_id, math.inf))
    return sorted(found.values(), key=lambda p: (p.score, p.scenario_id, p.scenario_hash))


def write_scenes(
    results: Sequence[Shown], pages: Sequence[Place], folder: Path, *, undo: Undo | None = None, undo_first: int = 0,
    progress: Progress | None = None,
) -> Iterator[Driven]:  # fmt: skip
    """Write a page for every place and give back its drives; one scenario is in memory at a time.

    ``undo`` is asked about the drives of the first ``undo_first`` places that hold traces.
    """
    names = file_names(place.scenario_id for place in pages)
    asked = 0
    for n, (place, name) in enumerate(zip(pages, names, strict=True)):
        scenario = results[place.results[0]].result.scenario(place.scenario_id)
        links = SceneLinks(
            index="../index.html",
            previous=names[n - 1] if n else "",
            next=names[n + 1] if n + 1 < len(names) else "",
        )
        drives = [
            Driven(
                place, k, f"{SCENES}/{name}", scenario, results[k].result.rollout(place.scenario_id),
                results[k].result.score(place.scenario_id), _told(results[k], place.scenario_id),
            )
            for k in place.results
        ]  # fmt: skip
        if undo is not None and asked < undo_first and any(drive.told for drive in drives):
            drives = [replace(drive, told=undo(scenario, drive.rollout, drive.told)) for drive in drives]
            asked += 1
        page = scene_page(
            scenario, [(drive.rollout, drive.score) for drive in drives],
            labels=[results[drive.result].label for drive in drives], links=links,
            traces=[drive.told for drive in drives],
        )  # fmt: skip
        (folder / name).write_bytes(page.encode("utf-8", "replace"))
        yield from drives
        if progress is not None:
            progress(n + 1, len(pages))


def _told(one: Shown, scenario_id: str) -> list[Told]:
    return one.traces.decisions(scenario_id) if one.traces else []
