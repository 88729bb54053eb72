"""The figures of a run report beside its list of drives: scores by family, claims, latency, what was given to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .given import Causal, Gate
    from .tally import ClaimRow, FalseRule


@dataclass(frozen=True)
class Cell:
    """A figure with its 95 % interval, where one can be given, and the number of scenes that it is over."""

    value: float
    interval: tuple[float, float] | None
    count: int


@dataclass(frozen=True)
class GroupRow:
    """Mean scores of one source or family, one cell a planner."""

    name: str
    inside: bool
    """Whether it is a family inside of the source above it."""
    cells: Sequence[Cell | None]


@dataclass(frozen=True)
class LatencyRow:
    """How long one planner took for a decision."""

    planner: str
    scenes: int
    median_ms: float
    """Median over the scenes of the median in each."""
    most_ms: float
    multiple: float
    """The median in units of a fixed piece of work timed between the decisions; median over the scenes."""


@dataclass(frozen=True)
class QualityRow:
    """A figure of traces or plans as the results state it, one cell a planner."""

    about: str
    unit: str
    """Empty for a share."""
    cells: Sequence[Cell | None]


@dataclass(frozen=True)
class Claims:
    """What was found of the claims of one planner."""

    planner: str
    decisions: int
    rows: Sequence[ClaimRow]
    false_rules: Sequence[FalseRule]


@dataclass(frozen=True)
class RunFigures:
    """All of them; what is empty is not shown."""

    groups: Sequence[GroupRow] = ()
    claims: Sequence[Claims] = ()
    quality: Sequence[QualityRow] = ()
    latency: Sequence[LatencyRow] = ()
    gate: Gate | None = None
    causal: Causal | None = field(default=None)


def group_rows(metas: Sequence[Mapping[str, Any]]) -> list[GroupRow]:
    """Scores by source, each with its families, as the results state them; the source with most scenes first."""
    source_of = {
        row.get("family"): row.get("source", "") for meta in metas for row in meta.get("scenarios", ())
    }  # fmt: skip
    out = []
    for source in sorted(_names(metas, "sources"), key=lambda name: (-_most(metas, "sources", name), name)):
        out.append(GroupRow(source, False, [_cell(meta, "sources", source) for meta in metas]))
        out += [
            GroupRow(family, True, [_cell(meta, "families", family) for meta in metas])
            for family in sorted(_names(metas, "families")) if source_of.get(family) == source
        ]  # fmt: skip
    return out


def quality_rows(metas: Sequence[Mapping[str, Any]]) -> list[QualityRow]:
    """A row for every figure of traces and plans that a result states."""
    if not any(meta.get("quality") for meta in metas):
        return []
    from waytrace.evaluate.quality import FIGURES  # here, for pages of older results need no evaluation

    rows = [
        QualityRow(f.about, f.unit, [_stated((meta.get("quality") or {}).get(f.name)) for meta in metas])
        for f in FIGURES
    ]
    return [row for row in rows if any(row.cells)]


def latency_rows(labels: Sequence[str], metas: Sequence[Mapping[str, Any]]) -> list[LatencyRow]:
    """A row for every result that holds timings."""
    out = []
    for label, meta in zip(labels, metas, strict=True):
        taken = [row["latency"] for row in meta.get("scenarios", ()) if row.get("latency")]
        if taken:
            out.append(
                LatencyRow(
                    label, len(taken), median(t["median_ms"] for t in taken), max(t["most_ms"] for t in taken),
                    median(t["median_ms"] / t["reference_ms"] for t in taken),
                )
            )  # fmt: skip
    return out


def mean_cell(found: Sequence[tuple[float, str]]) -> Cell | None:
    """Mean of (value, cluster) pairs with its interval; None where there are none."""
    if not found:
        return None
    from waytrace.evaluate import mean_interval  # here, for pages without shares need no evaluation

    values = [value for value, _ in found]
    return Cell(
        math.fsum(values) / len(values), mean_interval(values, [cluster for _, cluster in found]), len(values)
    )  # fmt: skip


def _names(metas: Sequence[Mapping[str, Any]], key: str) -> set[str]:
    return {name for meta in metas for name in meta.get(key, ())}


def _most(metas: Sequence[Mapping[str, Any]], key: str, name: str) -> int:
    return max(int(meta.get(key, {}).get(name, {}).get("count", 0)) for meta in metas)


def _stated(found: Mapping[str, Any] | None) -> Cell | None:
    if not found:
        return None
    bounds = found.get("interval")
    interval = (float(bounds[0]), float(bounds[1])) if bounds else None
    return Cell(float(found["value"]), interval, int(found["scenes"]))


def _cell(meta: Mapping[str, Any], key: str, name: str) -> Cell | None:
    group = meta.get(key, {}).get(name)
    if group is None or group.get("score") is None:
        return None
    bounds = group.get("score_interval")
    interval = (float(bounds[0]), float(bounds[1])) if bounds else None
    return Cell(float(group["score"]), interval, int(group["count"]))
