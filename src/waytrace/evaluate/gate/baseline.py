"""Baselines: results that are kept beside the code and change by a command alone, with a reason.

A baseline is a folder, ``baselines/SUITE`` by default: ``result.json`` (the rows, no drives) and ``history.jsonl``, a
line for every change: when, why, which result, the sha256 of the file it left, and a hash over the line and all
before it. Commit both.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from waytrace.evaluate.digest import canonical
from waytrace.evaluate.result import Result, load_result
from waytrace.scenario import number_of
from waytrace.scenario.folders import write_text

from .pairs import judged
from .verdict import GateError

FOLDER = Path("baselines")
HISTORY = "history.jsonl"


def set_baseline(result: Result, reason: str, folder: Path) -> dict[str, Any]:
    """Make ``result`` the baseline in ``folder``; the line that is kept of it.

    Raises :class:`GateError` without a reason, for a result whose planner failed on a scene, and where the folder
    holds a baseline that was changed by other means.
    """
    if not reason.strip():
        raise GateError("A baseline changes for a reason that is kept: say it with --reason TEXT.")
    found = judged(result)
    if found.crashed:
        raise GateError(
            f"The planner failed on {number_of(len(found.crashed), 'scene')} of {result.path}: that is no baseline."
        )
    before = history(folder)
    if before:
        load_baseline(folder)
    kept = {key: value for key, value in result.meta.items() if key != "store"} | {"store": ""}
    text = canonical(kept).decode() + "\n"
    line: dict[str, Any] = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "reason": " ".join(reason.split()),
        "planner": found.name,
        "suite": found.record.suite,
        "suite_hash": found.record.suite_hash,
        "score": result.meta.get("score"),
        "result_hash": found.record.result_hash,
        "revision": found.record.revision,
        "before": before[-1]["result_hash"] if before else None,
        "sha256": _hash(text.encode()),
    }
    line["chain"] = _chained(line, before[-1]["chain"] if before else "")
    folder.mkdir(parents=True, exist_ok=True)
    # The history first: cut short between the two, the file is not what the history says, and the gate refuses it.
    write_text(folder / HISTORY, "".join(json.dumps(entry) + "\n" for entry in [*before, line]))
    write_text(folder / "result.json", text)
    return line


def history(folder: Path) -> list[dict[str, Any]]:
    """Every change of a baseline, oldest first; empty where there is none.

    Raises :class:`GateError` where a line is damaged, was rewritten, or is missing between two others.
    """
    file = folder / HISTORY
    if not file.exists():
        return []
    try:
        lines = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
        if not all(
            isinstance(line, dict) and {"sha256", "result_hash", "reason", "chain"} <= line.keys() for line in lines
        ):
            raise ValueError("a line lacks sha256, result_hash, reason or chain")
        for number, (last, line) in enumerate(pairwise([{"chain": ""}, *lines]), start=1):
            if line["chain"] != _chained(line, last["chain"]):
                raise ValueError(f"line {number} was rewritten, or one before it is gone")
    except ValueError as error:
        raise GateError(f"{file} is damaged: {error}. Take it from version control.") from error
    return lines


def load_baseline(path: Path) -> Result:
    """A baseline's folder, or any result. Raises :class:`GateError` where a baseline is not what its history says."""
    folder = path.parent if path.name == "result.json" else path
    lines = history(folder)
    if not lines:
        return load_result(path)
    file = folder / "result.json"
    if not file.exists() or _hash(file.read_bytes()) != lines[-1]["sha256"]:
        raise GateError(
            f"{file} is not what {HISTORY} says: it was changed by other means. Take both from version control, or "
            "make a new baseline in an empty folder with `waytrace baseline set RESULT --reason TEXT`."
        )
    return load_result(folder)


def _chained(line: dict[str, Any], last: str) -> str:
    """The hash over a line (but for this hash itself) and, by the last line's, over all before it."""
    return _hash(last.encode() + canonical({key: value for key, value in line.items() if key != "chain"}))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
