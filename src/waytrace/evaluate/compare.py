"""What differs between two results, scene by scene: scores, terms, events, the first tick, what was said."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from waytrace.scenario import Rollout, StoreError

from .compare_said import SaidDifference, read_sayings, said_difference
from .digest import hashed, plain
from .result import Result
from .schema import checked

APART_M = 0.5
"""Two drives that are this far from one another have visibly parted."""
STILL = 0.005
"""Scores less than this apart stand still: they print alike to two digits."""

CONDITIONS = ("suite_hash", "traffic", "style", "seed", "replan_ticks")
"""What results of one planner may differ for, beside the planner."""


@dataclass(frozen=True)
class SceneDifference:
    """How a scene went in the second result, beside the first."""

    scene: str
    before: float
    after: float
    """Scores. A scene that a planner failed on has NaN."""
    terms: dict[str, tuple[float, float]]
    """Terms that changed, and what they were and are; NaN where a drive is without the term."""
    gone: tuple[str, ...]
    """Events of the first drive that the second lacks, in words."""
    new: tuple[str, ...]
    first_tick: int | None
    """First tick (0.1 s) at which any road user is not where it was, to the last bit; None where there is none."""
    apart_tick: int | None
    """First tick at which the egos are 0.5 m from one another."""
    plan_tick: int | None
    """Tick of the first decision whose plan is another."""
    said: SaidDifference
    """What the traces say differently."""

    @property
    def gain(self) -> float:
        """What the score gained: all there is where the first planner failed, and lost all where the second did."""
        if math.isnan(self.after):
            return -math.inf
        return math.inf if math.isnan(self.before) else self.after - self.before

    @property
    def still(self) -> bool:
        """Whether the score stands still."""
        return abs(self.gain) < STILL

    @property
    def unseen_by_score(self) -> bool:
        """Whether a decision or a cause changed while the score stood still: no gate on scores would notice."""
        return self.said.differs and self.still

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, what was said beside the rest."""
        record = asdict(self)
        said = record.pop("said")
        found: dict[str, Any] = plain({**record, **said, "unseen_by_score": self.unseen_by_score})
        return found


def conditions(before: Result, after: Result) -> dict[str, tuple[Any, Any]]:
    """What the two were driven under that is not the same, such as ``traffic``: what it was and what it is."""
    return {
        key: (before.meta[key], after.meta[key]) for key in CONDITIONS if before.meta[key] != after.meta[key]
    }  # fmt: skip


def compare(before: Result, after: Result) -> list[SceneDifference]:
    """Every scene that went differently, the largest loss first. Scenes that a planner failed on lead.

    Raises ``StoreError`` where the two are not of the same scenes, or a file does not follow the schema.
    """
    for result in (before, after):
        checked(result)
    known = [set(r.ids) | {e["id"] for e in r.errors} for r in (before, after)]
    if known[0] != known[1]:
        lacking = sorted(known[0] ^ known[1])
        raise StoreError(
            f"{before.path} and {after.path} are not of the same scenes: {len(lacking)} are in one alone, such as "
            f"{lacking[0]}. Evaluate both on the same suite."
        )
    said = [read_sayings(result.path / "traces.jsonl") for result in (before, after)]
    found = []
    for scene in [*before.ids, *(i for i in after.ids if i not in before.ids)]:
        other = said_difference(*(sayings.get(scene, ()) for sayings in said))
        if other.differs or not _drove_alike(before, after, scene):
            found.append(_difference(before, after, scene, other))
    return sorted(found, key=lambda d: (d.gain, d.scene))


def _drove_alike(before: Result, after: Result, scene: str) -> bool:
    """Whether both drove a scene, to the last bit in the same way, and were judged alike."""
    if scene not in before.ids or scene not in after.ids:
        return False
    return hashed(before.row(scene)) == hashed(after.row(scene))


def _difference(before: Result, after: Result, scene: str, said: SaidDifference) -> SceneDifference:
    driven = [result.row(scene) if scene in result.ids else None for result in (before, after)]
    a, b = driven
    was, now = (float("nan") if row is None else float(row["score"]) for row in driven)
    terms, gone, new = {}, [], []
    if a is not None and b is not None:
        for name in [*a["terms"], *(n for n in b["terms"] if n not in a["terms"])]:
            values = (a["terms"].get(name, float("nan")), b["terms"].get(name, float("nan")))
            if values[0] != values[1]:
                terms[name] = values
        gone, new = _lacks(a, b), _lacks(b, a)
    elif b is None:
        new = [_failure(after, scene)]
    else:
        gone = [_failure(before, scene)]
    ticks: tuple[int | None, int | None, int | None] = (None, None, None)
    if a is not None and b is not None and (before.path / "rollouts").exists() and (after.path / "rollouts").exists():
        drives = before.rollout(scene), after.rollout(scene)
        if drives[0].valid.shape[1] != drives[1].valid.shape[1]:
            raise StoreError(
                f"Scene {scene} has other road users in {before.path} than in {after.path}: it is another scene of the "
                "same name. Evaluate both on the same store."
            )
        ticks = parting(*drives)
    return SceneDifference(scene, was, now, terms, tuple(gone), tuple(new), *ticks, said)


def _failure(result: Result, scene: str) -> str:
    return next(f"the planner failed: {e['message']}" for e in result.errors if e["id"] == scene)


def _lacks(row: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Events of ``row`` of a kind and with a partner that ``other`` has none of."""
    theirs = {(e["kind"], e["agent_id"]) for e in other["events"]}
    return [
        f"{e['time_s']:.1f} s: {e['cause']}" for e in row["events"] if (e["kind"], e["agent_id"]) not in theirs
    ]  # fmt: skip


def parting(before: Rollout, after: Rollout) -> tuple[int | None, int | None, int | None]:
    """(first tick at which anything moved differently, at which the egos are apart, of the first other plan)."""
    rows = min(len(before.pose), len(after.pose))
    same = (before.pose[:rows] == after.pose[:rows]).all(axis=2) & (before.speed_mps[:rows] == after.speed_mps[:rows])
    absent = ~before.valid[:rows] & ~after.valid[:rows]
    moved = ~(same | absent).all(axis=1) | (before.valid[:rows] != after.valid[:rows]).any(axis=1)
    ego = before.ego_index
    gap = np.hypot(*(before.pose[:rows, ego, :2] - after.pose[:rows, ego, :2]).T)
    decisions = min(len(before.decision_row), len(after.decision_row))
    left, right = before.plan_waypoints[:decisions], after.plan_waypoints[:decisions]
    plans = (left != right).any(axis=(1, 2))
    ended = rows if len(before.pose) != len(after.pose) else None
    where = _first(plans)
    return (
        ended if (first := _first(moved)) is None else first,
        _first(gap > APART_M),
        None if where is None else int(before.decision_row[where]),
    )


def _first(flags: Any) -> int | None:
    return int(np.argmax(flags)) if flags.any() else None
