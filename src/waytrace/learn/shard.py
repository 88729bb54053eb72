"""Shards of samples on disk: one safetensors file each, checked for every number before anything is read from it."""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from waytrace.microgpt import FEATURES, PLACES, TOKENS
from waytrace.observe.features import REFERENCES
from waytrace.scenario import PLAN_KNOTS, StoreError
from waytrace.trace import sets
from waytrace.trace.slots import SLOTS

from .packing import WIDTHS, K, Packed
from .sample import DRIVERS, GATES, VALUE_COUNTS

WAY_OUT = "Delete it and repeat the command that made it: it makes what is missing."

_DTYPES: dict[str, tuple[str, type[Any], tuple[int, ...]]] = {
    "features": ("F16", np.int16, ()), "feature_lo": ("I64", np.int64, ()), "valid": ("BOOL", np.bool_, (TOKENS,)),
    "row": ("I16", np.int16, (TOKENS,)), "slot": ("I16", np.int16, ()), "value": ("I16", np.int16, ()),
    "branch_lo": ("I64", np.int64, ()), "present": ("BOOL", np.bool_, (K,)), "decision": ("I8", np.int8, (K, 2)),
    "before": ("I8", np.int8, (2,)), "accel": ("F32", np.float32, (K, PLAN_KNOTS)),
    "curvature": ("F32", np.float32, (K, PLAN_KNOTS)), "speed": ("F32", np.float32, ()),
    "length": ("F32", np.float32, ()), "driver": ("U8", np.uint8, ()), "gate": ("U8", np.uint8, ()),
    "tick": ("I32", np.int32, ()), "scenario": ("I32", np.int32, ()),
}  # fmt: skip
"""Of each array its type on disk, its type in memory and its shape behind the first axis."""

_SHORTEST, _LONGEST_HEADER = 8, 1 << 20


def shard_bytes(packed: Packed) -> bytes:
    """A shard as it is written."""
    arrays = {name: np.ascontiguousarray(array) for name, array in packed._asdict().items()}
    return bytes(save(arrays | {"features": arrays["features"].view(np.float16)}))


def write_shard(
    path: Path, packed: Packed, scenarios: Sequence[str], counts: dict[str, Any], more: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Write a shard that appears whole or not at all; its entry for the manifest, noted beside it, ``more`` in it."""
    data = shard_bytes(packed)
    entry = {
        "file": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
        "samples": len(packed.tick), "scenarios": list(scenarios), "counts": counts,
        **(more or {}),
    }  # fmt: skip
    for target, content in ((path, data), (path.with_suffix(".json"), json.dumps(entry).encode())):
        temporary = target.with_name(f".{target.name}.part")
        temporary.write_bytes(content)
        temporary.replace(target)
    return entry


def read_shard(path: Path, entry: dict[str, Any], *, mapped: bool, verify: bool = True) -> Packed:
    """The arrays of a shard: in memory, or as the file's pages where ``mapped``.

    Raises :class:`StoreError` naming the file, what is wrong with it and the way out.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size != entry["bytes"]:
                raise StoreError(f"{path} has {size} bytes, the manifest says {entry['bytes']}. {WAY_OUT}")
            data: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) if mapped else bytearray(file.read())
    except FileNotFoundError as error:
        raise StoreError(f"{path} is missing. {WAY_OUT}") from error
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error
    if verify and hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise StoreError(f"{path} is not what the manifest says (sha256). {WAY_OUT}")
    packed = _arrays(path, data)
    wrong = _wrong(packed, entry)
    if wrong:
        raise StoreError(f"{path}: {wrong}. {WAY_OUT}")
    return packed


def _arrays(path: Path, data: Any) -> Packed:
    """The arrays in the bytes of a shard."""
    try:
        length = int.from_bytes(data[:_SHORTEST], "little")
        if not 2 <= length <= min(_LONGEST_HEADER, len(data) - _SHORTEST):
            raise ValueError(f"its header says that it is {length} bytes long")
        header = json.loads(bytes(data[_SHORTEST : _SHORTEST + length]))
        found = {name for name in header if name != "__metadata__"}
        if found != set(_DTYPES):
            odd = ", ".join(sorted(found ^ set(_DTYPES)))
            raise ValueError(f"it lacks arrays, or has others than it should: {odd}")
        out: dict[str, NDArray[Any]] = {}
        for name, (code, dtype, shape) in _DTYPES.items():
            item = header[name]
            first, last = (int(v) for v in item["data_offsets"])
            if item["dtype"] != code or tuple(item["shape"][1:]) != shape:
                raise ValueError(f"{name} is {item['dtype']}{item['shape']}, not {code}[n, {list(shape)}]")
            count = int(np.prod(item["shape"]))
            at = _SHORTEST + length + first
            if (
                not 0 <= first <= last <= len(data) - _SHORTEST - length
                or last - first != count * np.dtype(dtype).itemsize
            ):
                raise ValueError(f"{name} does not lie within the file")
            out[name] = np.frombuffer(data, dtype, count, at).reshape(item["shape"])
        return Packed(**out)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is damaged or no shard of samples: {error}. {WAY_OUT}") from error


def _wrong(p: Packed, entry: dict[str, Any]) -> str:
    """What is wrong with the numbers of a shard; empty for nothing."""
    count = len(p.tick)
    if count != entry["samples"]:
        return f"it holds {count} samples, the manifest says {entry['samples']}"
    lengths = {name: len(part) for name, part in p._asdict().items() if name not in ("features", "slot", "value")}
    expected = dict.fromkeys(lengths, count) | {"feature_lo": count + 1, "branch_lo": count * K + 1}
    odd = [name for name in lengths if lengths[name] != expected[name]]
    if odd:
        return f"{odd[0]} has {lengths[odd[0]]} rows, not {expected[odd[0]]}"
    if p.feature_lo[0] != 0 or (np.diff(p.feature_lo) != p.valid @ WIDTHS).any() or p.feature_lo[-1] != len(p.features):
        return "features do not fit its valid tokens"
    if p.branch_lo[0] != 0 or (np.diff(p.branch_lo) < 0).any() or not p.branch_lo[-1] == len(p.slot) == len(p.value):
        return "traces do not fit their places"
    if not np.isfinite(p.features.view(np.float16)).all():
        return "features are not finite"
    if not all(np.isfinite(part).all() for part in (p.accel, p.curvature, p.speed, p.length)):
        return "plans are not finite"
    if count and not (p.row.min() >= -1 and p.row.max() < REFERENCES):
        return "row points outside the reference table"
    if len(p.slot) and not (p.slot.min() >= 0 and p.slot.max() < len(SLOTS)):
        return "slot is none of the slot table"
    if (p.value < 0).any() or (p.value >= VALUE_COUNTS[p.slot]).any():
        return "value is none of its slot's set"
    limits = (
        ("driver", p.driver, len(DRIVERS)), ("gate", p.gate, len(GATES)),
        ("scenario", p.scenario, len(entry["scenarios"])),
        ("decision", p.decision[..., 0], len(sets.LONGITUDINAL)), ("decision", p.decision[..., 1], len(sets.LATERAL)),
        ("before", p.before[..., 0], len(sets.LONGITUDINAL)), ("before", p.before[..., 1], len(sets.LATERAL)),
    )  # fmt: skip
    for name, numbers, most in limits:
        least = -1 if name in ("decision", "before") else 0
        if numbers.size and not (least <= numbers.min() and numbers.max() < most):
            return f"{name} is out of its range"
    if (p.decision[p.present] < 0).any():
        return "a branch has no decision"
    return ""


FEATURE_SHAPES = {kind: [PLACES[kind], FEATURES[kind]] for kind in PLACES}
"""What a manifest says of the tokens: places and columns of each kind."""
