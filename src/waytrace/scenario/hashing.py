"""Content hashes: the same scenario gives the same hash in every process, store and machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from ._layout import Arrays, map_arrays, map_record, scenario_arrays, scenario_record
from .types import RoadMap, Scenario


def canonical_json(value: Any) -> str:
    """``value`` as strict JSON on one line with sorted keys; NumPy scalars and arrays as numbers and lists.

    Raises :class:`ValueError` for NaN and infinity and :class:`TypeError` for what JSON cannot say.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _digest(arrays: Arrays, record: dict[str, Any]) -> str:
    """Hash of arrays by name, dtype, shape and values (-0.0 as 0.0, every NaN the same), and of a record."""
    digest = hashlib.sha256(canonical_json(record).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        if array.dtype.kind == "f":
            array = array + 0.0
            array[np.isnan(array)] = np.nan
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def map_hash(road: RoadMap) -> str:
    """sha256 (hex) over the content of a map."""
    return _digest(map_arrays(road), map_record(road))


def scenario_hash(scenario: Scenario, *, of_map: str | None = None) -> str:
    """sha256 (hex) over the content of a scenario: everything but the path of the file it was read from.

    The id, the provenance (licence, sha256 of the source file, details) and the map are covered. ``of_map``
    is the map's hash where it is known already.
    """
    record = scenario_record(scenario, of_map or map_hash(scenario.map))
    record["provenance"] = {key: value for key, value in record["provenance"].items() if key != "file"}
    return _digest(scenario_arrays(scenario), record)
