"""Two results, scene by scene: what may be compared, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from waytrace.evaluate.result import Result
from waytrace.evaluate.schema import ResultRecord, RowRecord, checked
from waytrace.evaluate.suites import SuiteError, load_suite
from waytrace.scenario import number_of
from waytrace.score import total

from .clusters import Design, design
from .verdict import GateError

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_SAME = ("traffic", "style", "seed", "replan_ticks", "admitted_only")
_SHOWN = 5
_OF_THE_DRIVE = {"SL", "C"}
"""Terms that a drive can be without: no lane it took has a limit, it lasted less than 0.5 s."""


@dataclass(frozen=True)
class Judged:
    """A result whose every row was checked."""

    result: Result
    record: ResultRecord
    rows: dict[str, RowRecord]
    crashed: dict[str, str]
    """Scene to message, for those the planner failed on."""

    @property
    def name(self) -> str:
        """What people call its planner."""
        return str(self.result.meta.get("label") or self.record.planner)

    @property
    def ids(self) -> set[str]:
        """Scenes that were driven or failed."""
        return self.rows.keys() | self.crashed.keys()


def judged(result: Result) -> Judged:
    """The result with its rows checked: whole, each scene once, every score the one that its terms give, events in
    the figures where the terms have them.

    Raises :class:`GateError`, or ``StoreError`` where the file does not follow the schema.
    """
    record = checked(result)
    rows = {row.id: row for row in record.scenarios}
    crashed = {error.id: error.message for error in record.errors}
    where = result.path / "result.json"
    if len(rows) != len(record.scenarios) or len(crashed) != len(record.errors) or rows.keys() & crashed.keys():
        raise GateError(f"{where} holds a scene twice. Repeat the evaluation.")
    if record.asked is not None and record.asked != len(rows) + len(crashed):
        raise GateError(
            f"{where} holds {number_of(len(rows) + len(crashed), 'scene')} of {record.asked} that were asked for. "
            "A missing scene is never left out: repeat the evaluation."
        )
    for row in record.scenarios:
        _check_score(row, str(where))
        _check_events(row, str(where))
    return Judged(result, record, rows, crashed)


def _check_score(row: RowRecord, where: str) -> None:
    try:
        right = total(row.terms)
    except KeyError as error:
        raise GateError(f"{where}, scene {row.id}: {error.args[0]} Was it made by another version?") from error
    if not math.isclose(right, row.score, rel_tol=1e-9, abs_tol=1e-12):
        raise GateError(f"{where} was edited: scene {row.id} scores {row.score:.6f}, its terms give {right:.6f}.")


def _check_events(row: RowRecord, where: str) -> None:
    """A collision or red light that is counted in the terms alone, or in the figures alone, would escape a gate."""
    for term, figure in (("NC", "at_fault"), ("TLC", "red_light")):
        counted, value = row.figures.get(figure), row.terms.get(term, 1.0)
        if counted is None or not math.isfinite(counted):
            raise GateError(f"{where}, scene {row.id}: figure {figure} is {counted}, no number. Repeat the evaluation.")
        if (counted > 0.0) != (value < 1.0):
            raise GateError(f"{where} was edited: scene {row.id} has {figure} {counted:g} beside {term} {value:g}.")


@dataclass(frozen=True)
class Pairs:
    """Candidate and baseline on the same scenes, in the order of their ids.

    N scenes; those of ``counted`` are in means (the admitted ones, in a suite), all are in lists.
    """

    candidate: Judged
    baseline: Judged
    ids: tuple[str, ...]
    counted: Flags

    @cached_property
    def after(self) -> Floats:
        """[N] scores of the candidate. A scene that it failed on counts 0, the least there is."""
        return np.array([r.score if (r := self.candidate.rows.get(i)) else 0.0 for i in self.ids])

    @cached_property
    def before(self) -> Floats:
        """[N] scores of the baseline."""
        return np.array([self.baseline.rows[i].score for i in self.ids])

    @property
    def rows(self) -> list[RowRecord]:
        """[N] of the baseline: where scenes belong does not depend on who drives."""
        return [self.baseline.rows[i] for i in self.ids]

    @cached_property
    def strata(self) -> list[str]:
        """[N] family, or source where there is none."""
        return [row.family or row.source for row in self.rows]

    @cached_property
    def design(self) -> Design:
        """Strata and clusters of the counted scenes."""
        kept = np.flatnonzero(self.counted)
        return design([self.strata[k] for k in kept], [self.rows[k].cluster for k in kept])

    def difference(self) -> Floats:
        """Score of the candidate less that of the baseline [counted scenes]."""
        return (self.after - self.before)[self.counted]


def pair(candidate: Judged, baseline: Judged, *, partial: bool = False, called: str = "baseline") -> Pairs:
    """The two results side by side.

    Raises :class:`GateError` where they were not driven under the same conditions, where a scene is missing in
    either, where both lack scenes of their suite (unless ``partial``), or where the baseline's planner failed: a
    baseline that did not finish is none.
    """
    a = candidate.record
    left, right = candidate.result.path, baseline.result.path
    check_conditions(candidate, baseline)
    if baseline.crashed:
        raise GateError(
            f"The {called}'s planner failed on {_listed(baseline.crashed)} ({right}). A {called} has to finish."
        )
    absent = _absent(a, candidate.ids)
    if absent and not partial:
        raise GateError(
            f"{left} and {right} hold {number_of(len(candidate.ids), 'scene')}; suite {a.suite} has {absent} more. "
            "Evaluate without --limit, or say `partial = true` in the policy."
        )
    ids = tuple(sorted(candidate.ids))
    for i in ids:
        if i in candidate.rows:
            _check_alike(candidate.rows[i], baseline.rows[i], f"{left}", f"{right}")
    counted = np.array([baseline.rows[i].oracle.clean or not baseline.record.admitted_only for i in ids])
    if not counted.any():
        raise GateError(f"{right}: the oracle drives none of the scenes, so no mean is over any.")
    return Pairs(candidate, baseline, ids, counted)


def check_conditions(one: Judged, other: Judged) -> None:
    """That both drove the same scenes under the same conditions. Raises :class:`GateError`."""
    a, b = one.record, other.record
    left, right = one.result.path, other.result.path
    for key in _SAME:
        if getattr(a, key) != getattr(b, key):
            raise GateError(f"{left} has {key} {getattr(a, key)!r}, {right} has {getattr(b, key)!r}: no comparison.")
    if a.suite_hash != b.suite_hash:
        raise GateError(
            f"{left} is of suite {a.suite} ({_short(a.suite_hash)}), {right} of {b.suite} ({_short(b.suite_hash)}). "
            "Evaluate both on the same suite; after a suite was frozen anew the baseline needs evaluating anew too."
        )
    if a.suite_hash is None and a.store_hash != b.store_hash:
        raise GateError(f"{left} and {right} were driven on stores of different content: no comparison.")
    for holder, lacking in ((left, other.ids - one.ids), (right, one.ids - other.ids)):
        if lacking:
            raise GateError(f"{holder} lacks {_listed(lacking)}. A missing scene is never left out: evaluate them all.")
    if not one.ids:
        raise GateError(f"{left} holds no scene.")


def _check_alike(after: RowRecord, before: RowRecord, left: str, right: str) -> None:
    """That a scene is of one cluster in both, with one oracle, and scored by the same terms but those of the drive."""
    if after.cluster != before.cluster:
        raise GateError(f"Scene {after.id} is of another cluster in {left} than in {right}: no comparison.")
    if (after.oracle.progress_m, after.oracle.clean) != (before.oracle.progress_m, before.oracle.clean):
        raise GateError(
            f"Scene {after.id}: the oracle, by which progress is measured, did something else for {left} than for "
            f"{right}: no comparison. Evaluate both with this version."
        )
    apart = (after.terms.keys() ^ before.terms.keys()) - _OF_THE_DRIVE
    if apart:
        raise GateError(
            f"Scene {after.id} has {', '.join(sorted(apart))} in one of {left} and {right} alone, which the scene "
            "decides and not the planner: no comparison. Evaluate both with this version."
        )


def _absent(record: ResultRecord, ids: set[str]) -> int:
    """How many scenes of its suite a result holds nothing of; 0 where that cannot be known."""
    if record.suite_hash is None:
        return 0
    if record.suite_scenes is not None:
        return max(0, record.suite_scenes - len(ids))
    try:
        suite = load_suite(record.suite)
    except SuiteError:
        return 0
    return len({scene.key for scene in suite.scenes} - ids) if suite.sha256 == record.suite_hash else 0


def _short(value: str | None) -> str:
    return value[:12] if value else "no suite"


def _listed(ids: Iterable[str]) -> str:
    names: Sequence[str] = sorted(ids)
    more = len(names) - _SHOWN
    return f"{number_of(len(names), 'scene')}: {', '.join(names[:_SHOWN])}" + (f" and {more} more" if more > 0 else "")
