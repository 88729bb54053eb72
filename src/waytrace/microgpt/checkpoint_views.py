"""What a checkpoint holds, in words; and in which tensors two of them differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .checkpoint import base_kind, read_checkpoint, read_parts
from .checkpoint_files import ADAPTER, TRAINER_JSON, Array, Files, read_files
from .checkpoint_over import KIND, Merged, read_over

_BACKBONE = "backbone.model."


def described(folder: Path | str, *, base: Path | str | None = None) -> dict[str, Any]:
    """What a checkpoint holds, as plain JSON values. Raises :class:`CheckpointError` as reading it does."""
    if base_kind(folder) == KIND:
        over = read_over(folder, base=base)
        own = {
            "model": dict(over.config),
            "parameters": sum(v.size for v in over.head.values()) + over.model.decoder.size,
            "digest": over.files.digest, "base": f"language model {over.model.folder}, {over.weights_sha256[:12]}",
        }  # fmt: skip
        return own | _kept(over.files, over.adapter, over.adapter_config)
    parts = read_parts(folder, base=base)
    own = {
        "model": parts.config.to_json(),
        "parameters": sum(value.size for value in (*parts.base.values(), *parts.head.values())),
        "digest": parts.digest, "base": "its own" if parts.own_base else f"of {parts.ref}",
    }  # fmt: skip
    return own | _kept(read_files(Path(folder)), parts.adapter, parts.adapter_config)


def verified(folder: Path | str, *, base: Path | str | None = None) -> str:
    """The digest of a checkpoint that is whole. Raises :class:`CheckpointError` as reading it does."""
    return (
        read_over(folder, base=base).files.digest if base_kind(folder) == KIND else read_parts(folder, base=base).digest
    )


def _kept(files: Files, tensors: Mapping[str, Array] | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of adapters, of training and of files, whatever the checkpoint is over."""
    adapter: Any = "none"
    if tensors is not None:
        adapter = {
            "rank": settings["r"], "alpha": settings["lora_alpha"], "targets": " ".join(settings["target_modules"]),
            "parameters": sum(v.size for v in tensors.values()), "bytes": len(files.content[ADAPTER]),
        }  # fmt: skip
    training: Any = "not kept: it can begin another run (--init)"
    if TRAINER_JSON in files.content:
        record = files.json(TRAINER_JSON)
        training = {k: v for k, v in record.items() if isinstance(v, int | float | str)}
    return {
        "adapter": adapter, "training": training,
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
    a, b = _driving(first, base), _driving(second, None)
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


class _Over(Mapping[str, Array]):
    """The weights of a planner over a Hugging Face model, those of the model made when they are asked for."""

    def __init__(self, head: Mapping[str, Array], decoder: Mapping[str, Array]) -> None:
        self.head, self.decoder = head, decoder

    def __getitem__(self, name: str) -> Array:
        return self.head[name] if name in self.head else self.decoder[name.removeprefix(_BACKBONE)]

    def __iter__(self) -> Iterator[str]:
        yield from self.head
        yield from (f"{_BACKBONE}{name}" for name in self.decoder)

    def __len__(self) -> int:
        return len(self.head) + len(self.decoder)


def _driving(folder: Path | str, base: Path | str | None) -> Mapping[str, Array]:
    """The weights of a checkpoint as it drives, adapters merged in."""
    if base_kind(folder) == KIND:
        over = read_over(folder, base=base)
        return _Over(over.head, Merged(over))
    return read_checkpoint(folder, base=base).parameters
