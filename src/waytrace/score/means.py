"""Means of many scores, overall and by family and source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .formula import TERMS
from .result import ScenarioScore


def aggregate(
    scores: Sequence[ScenarioScore],
    *,
    family: Mapping[str, str] | None = None,
    source: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Means of the score and of every term: ``all``, ``families`` and ``sources``.

    ``family`` and ``source`` map a scenario's id to its name; ids that are missing (or map to "") are in no group.
    Each group holds ``count``, ``score``, ``terms`` (a term's mean over the drives it applied to), ``applied`` (to how
    many it did) and ``figures`` (means over the drives that have the figure). Nothing is averaged over no drives.
    """
    return {
        "all": _group(scores),
        "families": _groups(scores, family or {}),
        "sources": _groups(scores, source or {}),
    }


def _groups(scores: Sequence[ScenarioScore], name_of: Mapping[str, str]) -> dict[str, Any]:
    names = sorted({name_of.get(s.scenario_id, "") for s in scores} - {""})
    return {name: _group([s for s in scores if name_of.get(s.scenario_id) == name]) for name in names}


def _group(scores: Sequence[ScenarioScore]) -> dict[str, Any]:
    applied = {key: sum(key in s.terms for s in scores) for key in TERMS}
    figures = sorted({name for s in scores for name in s.figures})
    return {
        "count": len(scores),
        "score": _mean(s.score for s in scores),
        "terms": {key: _mean(s.terms[key] for s in scores if key in s.terms) for key in TERMS if applied[key]},
        "applied": applied,
        "figures": {name: _mean(s.figures[name] for s in scores if name in s.figures) for name in figures},
    }


def _mean(values: Iterable[float]) -> float | None:
    held = list(values)
    return float(np.mean(held)) if held else None
