"""Results as a report reads them, with what they are called and the traces that lie beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from waytrace.scenario import Rollout, Scenario

from .names import planner_labels
from .traces import TraceFile

if TYPE_CHECKING:
    from waytrace.score import ScenarioScore


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


Load = Callable[[Path], Result]


@dataclass(frozen=True)
class Shown:
    """One result of a report."""

    result: Result
    label: str
    """What it is called there; no two are called the same."""
    traces: TraceFile | None

    @property
    def meta(self) -> Mapping[str, Any]:
        """The content of ``result.json``."""
        return self.result.meta

    @property
    def rows(self) -> dict[str, Mapping[str, Any]]:
        """Records of the scenarios by id."""
        return {row["id"]: row for row in self.meta.get("scenarios", ())}


def shown(paths: Sequence[Path], load: Load | None = None, *, alike: bool = False) -> list[Shown]:
    """The results in folders (or of ``result.json`` files), in their order.

    With ``alike`` two may be called the same, where the caller tells them apart.
    """
    results = [(load or _load_result)(path) for path in paths]
    traces = [TraceFile.of(path.parent if path.name == "result.json" else path) for path in paths]
    called = [_called(r.meta) for r in results]
    labels = (
        called
        if alike
        else planner_labels((n, str(r.meta.get("traffic", ""))) for n, r in zip(called, results, strict=True))
    )
    return [Shown(*one) for one in zip(results, labels, traces, strict=True)]


def _called(meta: Mapping[str, Any]) -> str:
    """What a result calls its planner for people."""
    return str(meta.get("label") or meta.get("planner") or "planner")


def _load_result(path: Path) -> Result:
    from waytrace.evaluate import load_result  # here, for drawing pages needs neither planners nor simulator

    result: Result = load_result(path)
    return result
