"""The result folder of an evaluation: ``result.json``, ``rollouts/``, ``ticks.safetensors``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from waytrace.scenario import Rollout, Scenario, StoreError
from waytrace.scenario.store import RolloutStore, ScenarioStore
from waytrace.score import Event, ScenarioScore

from .statistics import mean_interval

SCHEMA = "waytrace.result/1"


class Result:
    """What an evaluation found.

    ``meta`` is ``result.json``; rollouts, scenarios and per-tick rows are read when asked for.
    """

    def __init__(self, path: Path, meta: dict[str, Any]) -> None:
        self.path = path
        self.meta = meta
        self._rows = {row["id"]: row for row in meta["scenarios"]}

    @property
    def ids(self) -> tuple[str, ...]:
        """Scenarios that were evaluated to their end, in the store's order."""
        return tuple(self._rows)

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Scenarios that the planner failed on: ``id``, ``message``, ``log``. They are in no mean."""
        errors: list[dict[str, Any]] = self.meta["errors"]
        return errors

    def row(self, scenario_id: str) -> dict[str, Any]:
        """The scenario's record in ``result.json``."""
        if scenario_id not in self._rows:
            raise StoreError(f"{self.path} holds no scenario {scenario_id!r}; it holds {len(self._rows)} others.")
        row: dict[str, Any] = self._rows[scenario_id]
        return row

    def scenario(self, scenario_id: str) -> Scenario:
        """The scenario itself, from the store that was evaluated."""
        return self._scenarios[scenario_id]

    def rollout(self, scenario_id: str) -> Rollout:
        """What was driven."""
        self.row(scenario_id)
        return self._rollouts[scenario_id]

    def score(self, scenario_id: str) -> ScenarioScore:
        """How it was judged, per-tick rows included."""
        row = self.row(scenario_id)
        return ScenarioScore(
            scenario_id=scenario_id,
            score=row["score"],
            terms=row["terms"],
            applied=tuple(row["applied"]),
            ticks=self._ticks(scenario_id),
            figures={k: math.nan if v is None else v for k, v in row["figures"].items()},
            events=tuple(Event(**event) for event in row["events"]),
        )

    @cached_property
    def _scenarios(self) -> ScenarioStore:
        recorded = Path(self.meta["store"])
        path = recorded if recorded.is_absolute() else self.path / recorded
        if not path.exists():
            raise StoreError(f"The scenarios of {self.path} were at {path}, which is gone. Put the store back there.")
        return ScenarioStore.open(path)

    @cached_property
    def _rollouts(self) -> RolloutStore:
        return RolloutStore.open(self.path / "rollouts")

    @cached_property
    def _tick_names(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        with safe_open(self.path / "ticks.safetensors", framework="numpy") as file:
            for key in file.keys():  # noqa: SIM118 - not a mapping
                names.setdefault(key.rpartition("/")[0], []).append(key)
        return names

    def _ticks(self, scenario_id: str) -> dict[str, NDArray[Any]]:
        try:
            with safe_open(self.path / "ticks.safetensors", framework="numpy") as file:
                keys = self._tick_names.get(scenario_id, [])
                return {key.rpartition("/")[2]: np.asarray(file.get_tensor(key)) for key in keys}
        except (OSError, SafetensorError) as error:
            raise StoreError(
                f"{self.path / 'ticks.safetensors'} cannot be read: {error}. Repeat the evaluation."
            ) from error


def load_result(path: str | Path) -> Result:
    """The result in folder ``path`` (or whose ``result.json`` is at ``path``). Raises :class:`StoreError`."""
    folder = Path(path)
    file = folder if folder.name == "result.json" else folder / "result.json"
    try:
        meta = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise StoreError(
            f"No result at {folder}: there is no {file.name}. A finished `waytrace eval --out {folder}` leaves one."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{file} cannot be read as JSON: {error}. Repeat the evaluation.") from error
    if not isinstance(meta, dict) or meta.get("schema") != SCHEMA:
        raise StoreError(f"{file} is no result of this version: schema {SCHEMA!r} expected.")
    for key in ("scenarios", "errors"):
        held = meta.get(key)
        if not isinstance(held, list) or not all(isinstance(r, dict) and isinstance(r.get("id"), str) for r in held):
            raise StoreError(f"{file}: {key} is no list of records with an id. Repeat the evaluation.")
    return Result(file.parent, meta)


def aggregate(rows: Sequence[dict[str, Any]], *, admitted_only: bool = False) -> dict[str, Any]:
    """Means over ``rows``: score with its interval, at-fault collisions, families and sources, the mean of every term.

    A term's mean is over the scenarios it applied to. ``admitted`` is the share of scenarios that the oracle drives
    without breaking a rule; with ``admitted_only`` all other figures are over those alone, and ``unfiltered`` holds
    those over all. ``oracle_score`` is the mean score of the oracle's own drives. Nothing is averaged over no
    scenarios: such a figure is ``None``.
    """
    return {
        **_group(rows, admitted_only),
        "unfiltered": _group(rows, False),
        "families": _groups(rows, "family", admitted_only),
        "sources": _groups(rows, "source", admitted_only),
    }


def _group(rows: Sequence[dict[str, Any]], admitted_only: bool) -> dict[str, Any]:
    admitted = _mean(row["oracle"]["clean"] for row in rows)
    rows = [row for row in rows if row["oracle"]["clean"] or not admitted_only]
    terms = {name for row in rows for name in row["terms"]}
    scores = [row["score"] for row in rows]
    return {
        "count": len(rows),
        "admitted": admitted,
        "score": _mean(scores),
        "score_interval": mean_interval(scores, [row["cluster"] for row in rows]) if rows else None,
        "oracle_score": _mean(row["oracle"]["score"] for row in rows),
        "at_fault_collision_rate": _mean(row["terms"]["NC"] < 1.0 for row in rows if "NC" in row["terms"]),
        "at_fault_preventable_rate": _mean(
            row["terms"]["NC"] < 1.0 for row in rows if "NC" in row["terms"] and row["oracle"]["preventable"]
        ),
        "off_road_rate": _mean(row["terms"]["DAC"] < 1.0 for row in rows if "DAC" in row["terms"]),
        "terms": {name: _mean(row["terms"][name] for row in rows if name in row["terms"]) for name in sorted(terms)},
    }


def _groups(rows: Sequence[dict[str, Any]], key: str, admitted_only: bool) -> dict[str, dict[str, Any]]:
    names = sorted({row[key] for row in rows if row[key]})
    return {name: _group([row for row in rows if row[key] == name], admitted_only) for name in names}


def _mean(values: Iterable[float]) -> float | None:
    numbers = [float(v) for v in values]
    return math.fsum(numbers) / len(numbers) if numbers else None
