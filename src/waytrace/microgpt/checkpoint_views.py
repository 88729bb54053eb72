"""What a checkpoint holds, in words; and in which tensors two of them differ."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .checkpoint import read_checkpoint, read_parts
from .checkpoint_files import ADAPTER, TRAINER_JSON, read_files


def described(folder: Path | str, *, base: Path | str | None = None) -> dict[str, Any]:
    """What a checkpoint holds, as plain JSON values. Raises :class:`CheckpointError` as reading it does."""
    parts, files = read_parts(folder, base=base), read_files(Path(folder))
    adapter: Any = "none"
    if parts.adapter is not None:
        record = parts.adapter_config
        adapter = {
            "rank": record["r"], "alpha": record["lora_alpha"], "targets": " ".join(record["target_modules"]),
            "parameters": sum(v.size for v in parts.adapter.values()), "bytes": len(files.content[ADAPTER]),
        }  # fmt: skip
    training: Any = "not kept: it can begin another run (--init)"
    if TRAINER_JSON in files.content:
        record = files.json(TRAINER_JSON)
        training = {k: v for k, v in record.items() if isinstance(v, int | float | str)}
    return {
        "model": parts.config.to_json(),
        "parameters": sum(value.size for value in (*parts.base.values(), *parts.head.values())),
        "digest": parts.digest, "base": "its own" if parts.own_base else f"of {parts.ref}", "adapter": adapter,
        "training": training,
        "files": {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in files.content.items()},
    }  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """How far a tensor of one checkpoint is from that of another; infinite where one has it alone."""

    name: str
    shape: str
    most: float
    """Largest difference of two numbers."""
    relative: float
    """Norm of the difference as a share of the first's norm."""


def differing(first: Path | str, second: Path | str, *, base: Path | str | None = None) -> list[Difference]:
    """The tensors in which two checkpoints differ as they drive, the most first; ``base`` is of the first."""
    a, b = read_checkpoint(first, base=base).parameters, read_checkpoint(second).parameters
    out = []
    for name in sorted(a.keys() | b.keys()):
        x, y = a.get(name), b.get(name)
        if x is None or y is None or x.shape != y.shape:
            shapes_ = [str(list(v.shape)) if v is not None else "none" for v in (x, y)]
            out.append(Difference(name, " and ".join(shapes_), float("inf"), float("inf")))
        elif not np.array_equal(x, y):
            norm = float(np.linalg.norm(x))
            relative = float(np.linalg.norm(x - y)) / norm if norm else float("inf")
            out.append(Difference(name, str(list(x.shape)), float(np.abs(x - y).max()), relative))
    return sorted(out, key=lambda d: -d.relative)
