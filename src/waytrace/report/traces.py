"""The decisions of a result: ``traces.jsonl``, one a line, found by scenario without holding the file in memory."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from waytrace.scenario import WaytraceError
from waytrace.trace import SLOTS, Trace, TraceError, Verdict
from waytrace.trace.file import from_record
from waytrace.trace.sets import Bins, Closed

if TYPE_CHECKING:
    from waytrace.evaluate.counterfactuals import Counterfactual

FILE = "traces.jsonl"
_MOST_POINTS = 1000


@dataclass(frozen=True)
class Ghost:
    """A rejected option, driven: points in the world frame, and what it violates."""

    option: str
    violates: str
    xy: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Told:
    """One decision with its trace, and what checker and audit say of it."""

    tick: int
    """Ticks since the scenario's start step: the row of the rollout."""
    trace: Trace
    verdicts: tuple[Verdict, ...] = ()
    ghosts: tuple[Ghost, ...] = ()
    audit: tuple[str, ...] = ()
    undone: tuple[Counterfactual, ...] = ()
    """What the expert would plan without causes, where it was asked."""


class TraceFile:
    """The traces of a result folder, by scenario. Opening reads the file once and keeps where each line begins."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at: dict[str, list[tuple[int, int]]] = {}
        with path.open("rb") as file:
            at = 0
            for number, line in enumerate(file, start=1):
                if line.strip():
                    scenario = _record(line, self._where(number)).get("scenario")
                    if not isinstance(scenario, str):
                        raise WaytraceError(f"{self._where(number)}: `scenario` is to be the scenario's id.")
                    self._at.setdefault(scenario, []).append((number, at))
                at += len(line)

    @classmethod
    def of(cls, folder: Path) -> TraceFile | None:
        """The traces of a result folder; None where it has none. Raises :class:`WaytraceError` for a bad file."""
        path = folder / FILE
        return cls(path) if path.is_file() else None

    def decisions(self, scenario_id: str) -> list[Told]:
        """The decisions of one scenario in order of time. Raises :class:`WaytraceError` naming line and field."""
        told = []
        with self.path.open("rb") as file:
            for number, at in self._at.get(scenario_id, ()):
                file.seek(at)
                told.append(read_told(_record(file.readline(), self._where(number)), self._where(number)))
        return sorted(told, key=lambda t: t.tick)

    def _where(self, number: int) -> str:
        return f"{self.path}, line {number}"


def read_told(record: Mapping[str, Any], where: str) -> Told:
    """One line of the file as a decision. Raises :class:`WaytraceError` that says what is wrong ``where``."""
    try:
        line = from_record({**record, "verdicts": [_without_null(v) for v in _list(record, "verdicts")]})
        _check(line.trace)
        ghosts = tuple(
            Ghost(g.option[:80], str(raw.get("violates") or "")[:80], g.xy[:_MOST_POINTS])
            for g, raw in zip(line.ghosts, _list(record, "ghosts"), strict=True)
        )
        return Told(line.tick, line.trace, line.verdicts, ghosts, tuple(_sentence(v) for v in line.audit))
    except TraceError as error:
        raise WaytraceError(f"{where}: {error}. Write the traces again with this version.") from error


def _without_null(verdict: object) -> object:
    """A verdict without a slack that is null: there is none."""
    return {k: v for k, v in verdict.items() if v is not None} if isinstance(verdict, dict) else verdict


def _record(line: bytes, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WaytraceError(f"{where} is no JSON: {error}. Write the traces again.") from error
    if not isinstance(record, dict):
        raise WaytraceError(f"{where} is to be a JSON object with scenario, tick and document.")
    return record


def _check(trace: Trace) -> None:
    """Every value of a trace is one that its slot can hold; raises :class:`TraceError`."""
    for slot in SLOTS:
        group, _, name = slot.name.rpartition(".")
        stage: Any = getattr(trace, slot.stage)
        holders = getattr(stage, group, stage) if group else (stage,)
        for holder in holders:
            value = getattr(holder, name if hasattr(holder, name) else f"{name}_")
            legal = value in slot.values.values if isinstance(slot.values, Closed) else True
            if isinstance(slot.values, Bins):
                legal = 0 <= value < len(slot.values)
            if not legal:
                raise TraceError(f"{slot.name} cannot hold {str(value)[:40]!r}")


def _list(record: Mapping[str, Any], name: str) -> list[Any]:
    value = record.get(name) or []
    if not isinstance(value, list):
        raise TraceError(f"{name} is to be a list")
    return value


def _sentence(value: Mapping[str, Any]) -> str:
    """An entry of the audit in words: its own sentence, or its fields."""
    rest = {k: v for k, v in value.items() if k != "why"}
    fields = ", ".join(f"{k}: {shown(v)}" for k, v in rest.items() if v is not None)
    return f"{value['why']} ({fields})"[:400] if value.get("why") else fields[:400]


def shown(value: object) -> str:
    """A piece of evidence as text: three figures are enough to judge by."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if not math.isfinite(value) or abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, list | tuple):
        return ", ".join(shown(v) for v in value[:12])
    return str(value)[:120]
