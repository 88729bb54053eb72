"""Forecasts of labels against what then happened: counts by intent, reliability by probability."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.label import LabelledMoment
from waytrace.label.calibration import probability
from waytrace.label.outcome import came_true, light_came_true
from waytrace.observe import ReferenceKind
from waytrace.planners import Expert
from waytrace.scenario import Rollout
from waytrace.scenario.paths import empty_path, project, sample_chain
from waytrace.trace import Prediction, sets

AHEAD_TICKS = 80
LEAST_TICKS = 40

Array = NDArray[np.float64]
Way = tuple[Any, int]
Outcome = tuple[str, bool]
"""An intent, and whether it came true."""


def outcomes(moment: LabelledMoment) -> list[Outcome]:
    """What came of every prediction of a label: the expert drives on for 8 s (less where the episode ends)."""
    world, planner, state = moment.world, Expert(), moment.state
    planner.reset([world.scenarios[0].id])
    start = int(world.tick[0])
    while world.active.any() and int(world.tick[0]) < start + AHEAD_TICKS:
        plan, _, state = planner.plan(world.observe(), state)
        world.step_plans(plan, ticks=5)
    if int(world.tick[0]) < start + LEAST_TICKS:
        return []
    said = moment.label.trace.predictions
    found = came_of(said, moment, start, world.rollouts("expert")[0])
    return [(p.intent, true) for p, true in zip(said, found, strict=True) if true is not None]


def came_of(
    said: Sequence[Prediction], moment: LabelledMoment, start: int, rollout: Rollout
) -> list[bool | None]:  # fmt: skip
    """Whether each prediction made at tick ``start`` of a drive came true; None where it cannot be told.

    It cannot where the drive goes on for less than 4 s, or where someone is gone by then.
    """
    if len(rollout.pose) <= start + LEAST_TICKS:
        return [None] * len(said)
    rows = slice(start, start + AHEAD_TICKS + 1, 2)
    ego = rollout.pose[rows, rollout.ego_index]
    way = _path(moment)
    out: list[bool | None] = []
    for p in said:
        i = p.ref.index
        if p.ref.kind == ReferenceKind.LIGHT:
            out.append(light_came_true(p.intent, rollout.lights[start + 1 : start + LEAST_TICKS + 1, i]))
            continue
        if not rollout.valid[start : start + LEAST_TICKS + 1, i].all():
            out.append(None)
            continue
        actual = np.concatenate([rollout.pose[rows, i], rollout.speed_mps[rows, i][:, None]], 1)
        actual = actual[rollout.valid[rows, i]]
        enters, there = _enters(way, actual, moment, i)
        out.append(came_true(p.intent, actual, enters, _reaches(way, ego, there)))
    return out


def _path(moment: LabelledMoment) -> Way:
    measured = moment.at.survey.measured
    lanes = measured.path.lanes
    roads = measured.path.roads
    path = empty_path(int(sum(float(roads.index.lane_length[v]) for v in lanes)) + 2)
    return path, sample_chain(roads.index, np.array(lanes, np.int32), 0.0, path) if lanes else 0


def _enters(way: Way, actual: Array, moment: LabelledMoment, agent: int) -> tuple[float, float]:
    """(when someone comes into the way of the ego's lane, where); infinite for never. Who is in it now has to leave."""
    path, count = way
    if count < 3:
        return math.inf, math.inf
    scene = moment.at.scene
    size = scene.agents.size_m[np.flatnonzero(scene.agents.index == agent)[0]]
    was_out = False
    for k, (x, y, h, _) in enumerate(actual):
        s, d = project(path, count, x, y, 0.0, -1.0)
        turned = h - float(path.heading[min(max(int(s), 0), count - 1)])
        across = 0.5 * (abs(math.sin(turned)) * size[0] + abs(math.cos(turned)) * size[1])
        inside = abs(d) < 0.5 * scene.ego.width_m + across
        if inside and was_out:
            return 0.2 * k, s
        was_out = was_out or not inside
    return math.inf, math.inf


def _reaches(way: Way, ego: Array, there: float) -> float:
    path, count = way
    if not math.isfinite(there):
        return math.inf
    for k, (x, y, _) in enumerate(ego):
        if project(path, count, x, y, 0.0, -1.0)[0] >= there:
            return 0.2 * k
    return math.inf


def frequencies(found: Iterable[Outcome], least: int = 30) -> dict[str, float]:
    """Share of predictions of each intent that came true, for intents made at least ``least`` times."""
    by: dict[str, list[bool]] = {}
    for intent, true in found:
        by.setdefault(intent, []).append(true)
    return {name: round(sum(v) / len(v), 3) for name, v in sorted(by.items()) if len(v) >= least}


def reliability(found: Iterable[Outcome]) -> tuple[list[tuple[float, float, int]], float]:
    """((stated probability, share that came true, how many) of each bin in use; Brier score)."""
    rows: dict[int, list[tuple[float, bool]]] = {}
    error = []
    for intent, true in found:
        p = probability(intent)
        rows.setdefault(sets.PROBABILITY.number(p), []).append((p, true))
        error.append((p - true) ** 2)
    bins = [
        (float(np.mean([p for p, _ in v])), float(np.mean([t for _, t in v])), len(v)) for _, v in sorted(rows.items())
    ]
    return bins, float(np.mean(error)) if error else math.nan


def diagram(bins: list[tuple[float, float, int]], *, what: str = "forecasts", came: str = "came true") -> str:
    """Reliability as an SVG: stated probability across, share that came true upwards, area by count."""
    size, left = 240.0, 44.0
    most = max((n for *_, n in bins), default=1)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size + left + 16:.0f} {size + 52:.0f}" '
        f'width="{size + left + 16:.0f}" height="{size + 52:.0f}" role="img" aria-label="Reliability of {what}">',
        "<style>svg{--back:#fff;--ink:#1f2328;--line:#d1d9e0;--dot:#0969da}@media (prefers-color-scheme:dark){svg{"
        "--back:#0d1117;--ink:#e6edf3;--line:#3d444d;--dot:#4493f8}}text{font:12px system-ui,sans-serif;fill:"
        "var(--ink)}.g{stroke:var(--line);fill:none}.d{fill:var(--dot);fill-opacity:.75}</style>",
        f'<rect width="{size + left + 16:.0f}" height="{size + 52:.0f}" fill="var(--back)"/>',
        f'<g transform="translate({left} 10)">',
        f'<path class="g" d="M0 0V{size:.0f}H{size:.0f}M0 {size:.0f}L{size:.0f} 0"/>',
    ]
    for share in (0.0, 0.5, 1.0):
        out.append(f'<text x="-6" y="{size * (1 - share) + 4:.0f}" text-anchor="end">{share:g}</text>')
        out.append(f'<text x="{size * share:.0f}" y="{size + 16:.0f}" text-anchor="middle">{share:g}</text>')
    out.append(f'<text x="{size / 2:.0f}" y="{size + 34:.0f}" text-anchor="middle">stated; upwards: {came}</text>')
    for stated, true, count in bins:
        radius = 3.0 + 9.0 * math.sqrt(count / most)
        out.append(
            f'<circle class="d" cx="{size * stated:.1f}" cy="{size * (1 - true):.1f}" r="{radius:.1f}">'
            f"<title>{count} {what}: stated {stated:.2f}, {came} {true:.2f}</title></circle>"
        )
    return "\n".join([*out, "</g></svg>\n"])
