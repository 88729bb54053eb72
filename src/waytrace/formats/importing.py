"""Drives from files into a store: in parallel, nothing lost, bad files set aside with the reason."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waytrace.scenario import BadFileError, Scenario, WaytraceError
from waytrace.scenario.store import ScenarioWriter

from .quality import Quality, measure
from .reader import EgoChoice, ReadOptions, Refused, Source, find_sources, reader_named
from .untrusted import MAX_FILE_BYTES

QUARANTINE = "quarantine.json"
Outcome = tuple[list[Scenario], list[Quality]] | str
"""What became of a source: its scenarios and their figures, or why there are none."""


@dataclass(frozen=True)
class Progress:
    """Where an import stands after each drive."""

    done: int
    total: int
    file: Path
    scenarios: int
    """Scenarios imported so far."""
    refused: int
    """Drives refused so far."""


@dataclass
class ImportReport:
    """What an import did. Every file is a drive's own, a companion of one, or refused."""

    store: Path
    files: int = 0
    imported: int = 0
    """Scenarios written."""
    drives: int = 0
    """Drives they come from."""
    companions: int = 0
    refused: list[Refused] = field(default_factory=list)
    by_source: dict[str, dict[str, int]] = field(default_factory=dict)
    """Drives, scenarios and refused drives per source."""
    by_licence: dict[str, int] = field(default_factory=dict)
    """Scenarios per licence."""
    repairs: dict[str, dict[str, int]] = field(default_factory=dict)
    """Per source: how often something was repaired, derived or left out (see each scenario's provenance)."""
    quality: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        return {
            "store": str(self.store), "files": self.files, "imported": self.imported, "drives": self.drives,
            "companions": self.companions, "refused": [_plain(r) for r in self.refused], "by_source": self.by_source,
            "by_licence": self.by_licence, "repairs": self.repairs, "quality": self.quality,
            "seconds": round(self.seconds, 3),
        }  # fmt: skip


def _plain(refused: Refused) -> dict[str, str]:
    return {"file": str(refused.file), "reason": refused.reason, "kind": refused.kind}


def read(source: Source, options: ReadOptions | None = None) -> list[Scenario]:
    """The scenarios of one drive; where there are none :class:`BadFileError` names the file and says why."""
    return reader_named(source.reader).read(source, options or ReadOptions())


def _attempt(source: Source, options: ReadOptions) -> Outcome:
    """Read and measure one drive; runs in a worker process. A missing parser is the user's to mend, so it is raised."""
    try:
        scenarios = read(source, options)
        return scenarios, [measure(s) for s in scenarios]
    except BadFileError as error:
        return str(error).removeprefix(f"{source.path}: ")
    except WaytraceError:
        raise
    except Exception as error:
        return (
            f"the {source.reader} reader failed on it ({type(error).__name__}: {str(error)[:160]}); please report this"
        )


def _context() -> multiprocessing.context.BaseContext:
    return multiprocessing.get_context("spawn")


def _outcomes(sources: Sequence[Source], options: ReadOptions, workers: int) -> Iterator[tuple[Source, Outcome]]:
    """Outcomes in the order of ``sources``, few of them in memory at a time."""
    if workers <= 1 or len(sources) <= 1:
        for source in sources:
            yield source, _attempt(source, options)
        return
    pending = deque(sources)
    while pending:
        broken = yield from _pooled(pending, options, workers)
        if broken:
            # Some drive ended a worker outright. Read the oldest unfinished ones alone until it is found.
            for _ in range(min(len(pending), 2 * workers)):
                source = pending.popleft()
                yield source, _alone(source, options)


def _pooled(
    pending: deque[Source], options: ReadOptions, workers: int
) -> Generator[tuple[Source, Outcome], None, bool]:
    """Work through ``pending`` from its left; returns whether a worker died with some left."""
    with ProcessPoolExecutor(workers, mp_context=_context()) as pool:
        running: deque[Future[Outcome]] = deque()
        try:
            while pending:
                while len(running) < min(2 * workers, len(pending)):
                    running.append(pool.submit(_attempt, pending[len(running)], options))
                outcome = running[0].result()
                running.popleft()
                yield pending.popleft(), outcome
        except BrokenProcessPool:
            return True
        finally:
            for future in running:
                future.cancel()
    return False


def _alone(source: Source, options: ReadOptions) -> Outcome:
    try:
        with ProcessPoolExecutor(1, mp_context=_context()) as pool:
            return pool.submit(_attempt, source, options).result()
    except BrokenProcessPool:
        return f"the {source.reader} reader died on it (damaged file, or not enough memory)"


def import_paths(
    paths: Sequence[Path | str],
    store_path: Path | str,
    *,
    ego: EgoChoice = "recorded",
    egos_per_file: int = 1,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    strict: bool = False,
    overwrite: bool = False,
    max_file_bytes: int = MAX_FILE_BYTES,
) -> ImportReport:
    """Import every drive in ``paths`` (files or folders) into a new scenario store.

    Drives are read by ``workers`` processes (default: one per core) and written in the order found, so the store does
    not depend on their number. A bad file is refused with its reason, which also stands in ``quarantine.json`` in the
    store; with ``strict`` the first one ends the import with :class:`BadFileError` and no store is left. Raises
    :class:`WaytraceError` where nothing can be imported at all.
    """
    began = time.monotonic()
    store_path = Path(store_path)
    found = find_sources(paths)
    options = ReadOptions(ego, egos_per_file, max_file_bytes)
    report = ImportReport(store_path, found.files, companions=len(found.companions), refused=list(found.refused))
    _strictly(strict, [r for r in found.refused if r.kind != "document"])
    if not found.sources:
        raise WaytraceError(_nothing(paths, report.refused))
    workers = workers if workers is not None else os.cpu_count() or 1
    sums: dict[str, Quality] = {}
    repairs: dict[str, Counter[str]] = {}
    taken: set[str] = set()
    refused_drives = 0
    with ScenarioWriter(store_path, overwrite=overwrite) as writer:
        for done, (source, outcome) in enumerate(_outcomes(found.sources, options, workers), 1):
            counts = report.by_source.setdefault(source.reader, {"drives": 0, "scenarios": 0, "refused": 0})
            if not isinstance(outcome, str):
                outcome = _distinct(*outcome, taken)
            if isinstance(outcome, str):
                refused = Refused(source.path, outcome)
                _strictly(strict, [refused])
                report.refused.append(refused)
                counts["refused"] += 1
                refused_drives += 1
            else:
                scenarios, figures = outcome
                for scenario, figure in zip(scenarios, figures, strict=True):
                    writer.add(scenario)
                    taken.add(scenario.id)
                    sums.setdefault(scenario.source, Quality()).__iadd__(figure)
                    licence = scenario.provenance.licence
                    report.by_licence[licence] = report.by_licence.get(licence, 0) + 1
                    details = scenario.provenance.details
                    repairs.setdefault(scenario.source, Counter()).update(
                        {k: v for k, v in details.items() if isinstance(v, int) and not isinstance(v, bool)}
                    )
                counts["drives"] += 1
                counts["scenarios"] += len(scenarios)
                report.drives += 1
                report.imported += len(scenarios)
            if progress is not None:
                progress(Progress(done, len(found.sources), source.path, report.imported, refused_drives))
        if not report.imported:
            raise WaytraceError(_nothing(paths, report.refused))
    report.quality = {name: q.figures() for name, q in sorted(sums.items())}
    report.repairs = {name: dict(sorted(c.items())) for name, c in sorted(repairs.items())}
    report.seconds = time.monotonic() - began
    record = {"schema": "waytrace.quarantine/1", "refused": [_plain(r) for r in report.refused]}
    (store_path / QUARANTINE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return report


def _distinct(scenarios: list[Scenario], figures: list[Quality], taken: set[str]) -> Outcome:
    """The scenarios under ids not yet taken: a second drive of one name is told apart by its file's hash."""
    out = []
    for scenario in scenarios:
        if scenario.id in taken:
            scenario = scenario.with_(id=f"{scenario.id}~{scenario.provenance.sha256[:8]}")
            if scenario.id in taken:
                return f"the same drive, byte for byte, was imported already as {scenario.id}"
        out.append(scenario)
    return out, figures


def _strictly(strict: bool, refused: list[Refused]) -> None:
    if strict and refused:
        lines = "\n".join(f"  {r.file}: {r.reason}" for r in refused[:20])
        raise BadFileError(f"strict import: {len(refused)} file(s) refused, nothing imported\n{lines}")


def _nothing(paths: Sequence[Path | str], refused: list[Refused]) -> str:
    what = ", ".join(str(p) for p in paths)
    lines = "".join(f"\n  {r.file}: {r.reason}" for r in refused[:10])
    more = f"\n  ... and {len(refused) - 10} more" if len(refused) > 10 else ""
    return f"no drive could be imported from {what}{lines}{more}"
