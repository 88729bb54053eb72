"""The audit of a planner over many scenes: which moments, who is asked, and what a result holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from waytrace.evaluate.drive import REPLAN_TICKS
from waytrace.evaluate.load import PlannerError, checkpoint_of, load_planner
from waytrace.label import Asker
from waytrace.microgpt import MODES
from waytrace.microgpt.planner import SHIPPED_NAME
from waytrace.planners import Expert
from waytrace.scenario import EditError, Scenario, WaytraceError
from waytrace.scenario.roads import RoadCache

from .closed import closed_loop
from .moment import Audited, audit_moment
from .rerun import ASKED, course
from .shared import shared

DECISIONS = 20
"""Moments are among the first so many decisions of a drive: before 10 s."""


def audited(spec: str) -> Audited:
    """The planner of a spec with its plan-first twin: of a trace-writing checkpoint itself, else of ``shipped``.

    Raises :class:`PlannerError` for a spec that means no planner.
    """
    learned = checkpoint_of(spec)
    writes = learned is not None and learned.mode == MODES[0]
    source = learned.source if learned is not None and writes else SHIPPED_NAME
    planner = load_planner(spec)
    return Audited(planner, load_planner(f"{source}:fast"), planner if writes else load_planner(source))


def ticks_of(scenario: Scenario, count: int) -> list[int]:
    """The decisions of a drive that are looked at, drawn from the scenario's id; none before there is a past."""
    able = np.arange(ASKED - 1, DECISIONS)
    able = able[able * REPLAN_TICKS <= scenario.end_step - scenario.start_step - REPLAN_TICKS]
    seed = int.from_bytes(hashlib.sha256(f"causes/{scenario.id}".encode()).digest()[:8], "big")
    drawn = np.random.default_rng(seed).choice(able, min(count, len(able)), replace=False) if len(able) else able
    return sorted(REPLAN_TICKS * int(k) for k in drawn)


@dataclass
class Found:
    """What an audit has found so far."""

    records: list[dict[str, Any]] = field(default_factory=list)
    """One a moment, as :func:`.moment.audit_moment` makes them."""
    closed: list[dict[str, Any]] = field(default_factory=list)
    """One a scene of the subsample, as :func:`.closed.closed_loop` makes them."""
    scenes: int = 0
    keep: Path | None = None
    """A file to which every scene's records are added at once, so that nothing that ends a run loses them."""

    def add(self, records: Sequence[dict[str, Any]], driven: dict[str, Any] | None) -> None:
        """One scene more, whole."""
        self.records += records
        self.closed += [driven] if driven is not None else []
        self.scenes += 1
        if self.keep is not None:
            self.keep.parent.mkdir(parents=True, exist_ok=True)
            lines = [{"moment": r} for r in records] + ([{"closed": driven}] if driven is not None else [])
            with self.keep.open("w" if self.scenes == 1 else "a") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)


def audit_planner(
    spec: str, scenarios: Iterable[Scenario], *, moments: int = 2, closed: int = 40, traffic: str = "mixed",
    seed: int = 0, workers: int = 0, found: Found | None = None, progress: Callable[[int, str], None] | None = None,
) -> Found:  # fmt: skip
    """Every moment of every scene put to the test; ``found`` is filled as it goes, so that it outlives an interrupt.

    Each of the first ``closed`` scenes that has a moment to try in closed loop is tried there too, at its first such
    moment. Records do not depend on ``workers``, the number of processes, each of one thread; 0 is this process, where
    last digits may differ if it multiplies with several threads. Raises :class:`PlannerError` where the planner is
    none, or fails in a scene.
    """
    found = found if found is not None else Found()
    load_planner(spec)  # a wrong name should not wait for a process to start

    def tasks() -> Iterator[tuple[Scenario, bool]]:
        for scenario in scenarios:
            yield scenario, len(found.closed) < closed

    audit = Audit(spec, moments, traffic, seed)
    for scene, records, driven in shared(audit, tasks(), workers):
        found.add(records, driven if len(found.closed) < closed else None)
        if progress:
            progress(found.scenes, scene)
    return found


class Audit:
    """How scenes are audited: called with one, it gives the records of its moments and, if wanted, of a closed loop.

    It is sent to worker processes; each loads the planner itself.
    """

    def __init__(self, spec: str, moments: int, traffic: str, seed: int) -> None:
        """Of a planner's spec, so many moments a scene, and how others drive in closed loop."""
        self.spec, self.moments, self.traffic, self.seed = spec, moments, traffic, seed

    def ready(self) -> None:
        """Load the planner. Raises :class:`PlannerError` for a spec that means none."""
        self.who, self.asker, self.roads = audited(self.spec), Asker(), RoadCache()

    def __call__(self, scenario: Scenario, closed: bool) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """One record a moment, and one of the first that lends itself to a closed loop (None for none)."""
        try:
            return self._scene(scenario, closed)
        except Exception as error:
            what = "" if isinstance(error, WaytraceError) else f"{type(error).__name__}: "
            what = "something was cited that is not there: " if isinstance(error, EditError) else what
            raise PlannerError(f"{self.spec} fails in {scenario.id}: {what}{error}") from error

    def _scene(self, scenario: Scenario, closed: bool) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        of, scenes = course(scenario, ticks_of(scenario, self.moments), traffic=self.traffic, seed=self.seed)
        made = [audit_moment(of, tick, scene, self.who, self.asker, self.roads) for tick, scene in scenes.items()]
        records = [record for record in made if record is not None]
        for record in records if closed else ():
            driven = closed_loop(scenario, record, self.who.planner, Expert(), traffic=self.traffic, seed=self.seed)
            if driven is not None:
                return records, driven
        return records, None
