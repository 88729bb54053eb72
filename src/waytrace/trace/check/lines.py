"""The check of a trace file: from the file, the scenarios and the rollouts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from waytrace.observe import scenes_of
from waytrace.scenario import Rollout, Scenario, scenario_hash

from ..file import TraceFileError, TraceLine
from ..scene_hash import check_header
from ..types import TraceError
from ..verdicts import Verdict
from .judge import check

DECISION_TICKS = 5
"""Two decisions further apart are not one after the other: whether the second is new cannot be told."""


def check_lines(
    lines: Iterable[TraceLine], scenario_of: Callable[[str], Scenario], rollout_of: Callable[[str], Rollout | None],
    *, each: int = DECISION_TICKS,
) -> Iterator[tuple[TraceLine, tuple[Verdict, ...]]]:  # fmt: skip
    """Every decision of a trace file with its verdicts.

    Lines of one scenario stand together, in any order. ``each`` is the most ticks between two decisions that follow
    each other. Raises :class:`TraceFileError` for a trace that does not fit its scenario, whatever ``scenario_of`` and
    ``rollout_of`` raise, and ``WaytraceError`` for a moment that is not in the drive.
    """
    for name, group in groupby(lines, key=lambda line: line.scenario):
        told = sorted(group, key=lambda line: line.tick)
        scenario = scenario_of(name)
        scenes = dict(scenes_of(scenario, (line.tick for line in told), rollout_of(name)))
        content = scenario_hash(scenario)
        before: TraceLine | None = None
        for line in told:
            where = f"{name}, tick {line.tick}"
            scene = scenes[line.tick]
            follows = before is not None and 0 < line.tick - before.tick <= each
            try:
                check_header(line.header, scene, content)
                yield line, check(line.trace, scene, line.plan, before.trace if follows and before else None)
            except TraceError as error:
                raise TraceFileError(f"{where}: {error}") from error
            before = line


def files_of(path: Path) -> list[Path]:
    """A trace file, or all of a folder. Raises :class:`TraceFileError` where there is none."""
    if path.is_dir():
        found = sorted(p for p in path.rglob("*.jsonl") if not p.name.startswith("."))
        if not found:
            raise TraceFileError(f"{path} holds no trace file (*.jsonl)")
        return found
    if not path.exists():
        raise TraceFileError(f"{path} does not exist")
    return [path]
