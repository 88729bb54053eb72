"""Reading what strangers wrote: size caps, finite numbers, lazily imported parsers, one kind of error."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import BadFileError, WaytraceError

Array = NDArray[np.float64]

MAX_FILE_BYTES = 256 * 2**20
"""A drive of minutes takes a few megabytes; a file past this is refused unread."""
MAX_COORDINATE_M = 1e8
"""No map projection on Earth reaches this far."""
MAX_AGENTS = 20_000
MAX_STEPS = 20_000
MAX_STATES = 5_000_000
"""Agents times steps in one scenario."""
MAX_LANES = 20_000
MAX_EXTENT_M = 100_000.0
"""From one side of a map to the other, and from its origin to any agent."""
MAX_POINTS = 5_000_000
"""Points of one map."""


def refuse(path: Path, reason: str) -> NoReturn:
    """Raise :class:`BadFileError` naming the file and the reason."""
    raise BadFileError(f"{path}: {reason}")


def require(module: str) -> Any:
    """A parser of the extra ``logs``; raises :class:`WaytraceError` with the way out where it is absent."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise WaytraceError(
            f"reading this format needs {package}, which is not installed: pip install 'waytrace[logs]'"
        ) from error


def read_bytes(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """The whole of a regular file of at most ``limit`` bytes."""
    try:
        if not path.is_file():
            refuse(path, "not a regular file")
        size = path.stat().st_size
        if size == 0:
            refuse(path, "the file is empty")
        if size > limit:
            refuse(path, f"{size / 2**20:,.0f} MiB is more than the {limit / 2**20:,.0f} MiB a drive may take")
        return path.read_bytes()
    except OSError as error:
        refuse(path, f"cannot be read ({error.strerror or error})")


def sha256(data: bytes) -> str:
    """Hex digest of file contents, for a scenario's provenance."""
    return hashlib.sha256(data).hexdigest()


def parse_json(data: bytes, path: Path) -> Any:
    """A JSON document; NaN, Infinity and documents nested past reason are refused."""

    def constant(name: str) -> NoReturn:
        refuse(path, f"holds {name}, which is not JSON")

    try:
        return json.loads(data, parse_constant=constant)
    except RecursionError:
        refuse(path, "JSON nested too deep")
    except ValueError as error:  # JSONDecodeError, bad UTF-8, integers of absurd length
        refuse(path, f"not valid JSON ({error})")


def mapping(value: Any, path: Path, what: str) -> dict[str, Any]:
    """``value`` as a JSON object."""
    if not isinstance(value, dict):
        refuse(path, f"{what} is not an object")
    return value


def number(value: Any, path: Path, what: str, limit: float = MAX_COORDINATE_M) -> float:
    """``value`` (number or text) as a finite float of at most ``limit`` in size."""
    try:
        x = float(value)
    except (TypeError, ValueError, OverflowError):
        refuse(path, f"{what}: {str(value)[:40]!r} is not a number")
    if not math.isfinite(x) or abs(x) > limit:
        refuse(path, f"{what}: {x} is out of range")
    return x


def points(rows: Any, path: Path, what: str) -> Array:
    """A list of ``{"x": .., "y": ..}`` objects as [P, 2] metres."""
    if not isinstance(rows, list) or len(rows) > MAX_POINTS:
        refuse(path, f"{what} is not a list of points")
    try:
        xy = np.array([(float(p["x"]), float(p["y"])) for p in rows], dtype=np.float64).reshape(-1, 2)
    except (TypeError, KeyError, ValueError, OverflowError):
        refuse(path, f"{what} holds something that is not a point")
    if not np.isfinite(xy).all() or (np.abs(xy) > MAX_COORDINATE_M).any():
        refuse(path, f"{what} holds coordinates out of range")
    return xy
