"""Hashes that say whether two evaluations did the same thing, and whether a cached figure still holds."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

import waytrace
from waytrace.scenario import Rollout
from waytrace.scenario.revision import code_digest
from waytrace.score import ScenarioScore

__all__ = [
    "UNHASHED",
    "canonical",
    "code_digest",
    "drive_digest",
    "environment",
    "hashed",
    "plain",
    "result_hash",
    "revision",
]

UNHASHED = ("seconds", "latency", "trace", "plan_stability")
"""Keys of a row that are not in the result's hash: timings, what is only there where traces were asked for, and what
follows from drives that are hashed themselves."""


def plain(value: Any) -> Any:
    """``value`` as plain JSON: NumPy scalars unwrapped, non-finite numbers as ``None`` (JSON knows no NaN)."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def canonical(value: Any) -> bytes:
    """One spelling of a JSON value: keys sorted, no spaces, floats in their shortest exact form."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def drive_digest(rollout: Rollout, score: ScenarioScore) -> str:
    """Hash of everything that was planned, driven and judged in one scenario, to the last bit."""
    out = hashlib.sha256()
    arrays = (
        rollout.pose, rollout.speed_mps, rollout.valid, rollout.reactive, rollout.visible, rollout.ego_accel_mps2,
        rollout.ego_curvature_1pm, rollout.lights, rollout.decision_row, rollout.plan_waypoints,
        rollout.plan_accel_mps2, rollout.plan_curvature_1pm, *(score.ticks[k] for k in sorted(score.ticks)),
    )  # fmt: skip
    for array in arrays:
        out.update(f"{array.dtype}{array.shape}".encode())
        out.update(np.ascontiguousarray(array).tobytes())
    return out.hexdigest()


def hashed(row: dict[str, Any]) -> dict[str, Any]:
    """What the result's hash covers of a row."""
    return {key: value for key, value in row.items() if key not in UNHASHED}


def result_hash(identity: dict[str, Any], rows: Iterable[dict[str, Any]], errors: Iterable[dict[str, Any]]) -> str:
    """Hash over who drove what and how it went: equal for one worker and many, for any folder and any machine state.

    ``identity`` holds planner, traffic, style, seed and decision rate. Of a row it covers everything but
    :data:`UNHASHED`; of an error which scenario it befell.
    """
    record = {
        "identity": identity,
        "rows": sorted(map(hashed, rows), key=lambda row: str(row["id"])),
        "errors": sorted(str(e["id"]) for e in errors),
    }
    return hashlib.sha256(canonical(record)).hexdigest()


def revision() -> str | None:
    """Git commit of the current folder, with a + behind it where files differ; None outside version control."""
    try:
        commit, state = (
            subprocess.run(["git", *words], capture_output=True, text=True, check=True, timeout=10).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+" if state else "")


def environment() -> dict[str, Any]:
    """Versions and machine that a result was made with, and their hash under ``"hash"``."""
    record: dict[str, Any] = {
        "waytrace": waytrace.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }
    for package in ("numpy", "numba", "llvmlite", "scipy", "safetensors"):
        try:
            record[package] = version(package)
        except PackageNotFoundError:
            record[package] = None
    return {**record, "hash": hashlib.sha256(canonical(record)).hexdigest()}
