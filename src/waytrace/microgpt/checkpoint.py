"""Checkpoints of the micro GPT, written and read without PyTorch.

Names decide where a tensor lies: ``scene.*`` and ``backbone.*`` in ``base/``, ``head.*`` in ``head/``. A run that
trained adapters alone has no ``base/``: ``base.json`` then says where the base lies and the sha256 over its weights,
and another base of the same shapes is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from waytrace.scenario import WaytraceError
from waytrace.trace import SLOTS, vocabulary_hash

from .adapters import merged
from .checkpoint_files import (
    ADAPTER,
    ADAPTER_JSON,
    BASE,
    BASE_JSON,
    HEAD,
    HEAD_JSON,
    TRAINER,
    TRAINER_JSON,
    VOCABULARY_JSON,
    WAY_OUT,
    Array,
    CheckpointError,
    Files,
    read_files,
    tensors_of,
    weights_hash,
    write_files,
)
from .config import GPTConfig
from .parameters import Parameters, shapes
from .tokens import feature_hash

Trainer = tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]
"""A JSON record, and tensors of any type by name: moments by parameter name, generators' states."""

SHIPPED = Path(__file__).parent / "data" / "shipped"
"""The checkpoint that comes with the package."""


@dataclass(frozen=True)
class Checkpoint:
    """What a planner needs of a checkpoint."""

    config: GPTConfig
    parameters: Parameters
    """All of them, adapters merged in."""
    digest: str
    """sha256 over the manifest: which checkpoint this is."""


@dataclass(frozen=True)
class Parts:
    """A checkpoint as it lies: what its run trained, and what that stands on."""

    config: GPTConfig
    base: Parameters
    """``scene.*`` and ``backbone.*``, without adapters."""
    head: Parameters
    adapter: Mapping[str, Array] | None
    """By PEFT's names; None where there is none."""
    adapter_config: Mapping[str, Any]
    own_base: bool
    """Whether the base lies in the checkpoint itself: it was trained, and would be trained on."""
    ref: str
    """Where the base lies otherwise."""
    digest: str


@dataclass(frozen=True)
class Over:
    """What a checkpoint stands on that holds no base of its own."""

    ref: str
    """Folder of the base's checkpoint, absolute or as seen from the checkpoint's folder, or ``shipped``."""
    adapter: Mapping[str, Array] | None = None
    """By PEFT's names; None where the heads alone were trained."""
    adapter_config: Mapping[str, Any] | None = None


def config_hash(config: GPTConfig) -> str:
    """sha256 of a configuration's JSON."""
    return hashlib.sha256(json.dumps(config.to_json(), sort_keys=True).encode()).hexdigest()


def base_record(config: GPTConfig, base: Mapping[str, Array], *, ref: str = "", revision: str = "") -> dict[str, Any]:
    """What ``base.json`` holds; ``ref`` is the folder of the base's checkpoint where it is not in this one."""
    return {
        "kind": "micro", "ref": ref, "revision": revision, "config": config.to_json(),
        "config_hash": config_hash(config), "weights_sha256": weights_hash(base),
    }  # fmt: skip


def head_record() -> dict[str, Any]:
    """What ``head_config.json`` holds: what the model reads and what it writes."""
    return {"features": feature_hash(), "vocabulary": vocabulary_hash(), "heads": ["trace", "control"]}


def vocabulary_record() -> dict[str, Any]:
    """What ``vocabulary.json`` holds: the slots, for a reader, and their hash, for the loader."""
    return {"vocabulary": vocabulary_hash(), "slots": [[s.stage, s.name, s.values.name, len(s.values)] for s in SLOTS]}


def is_base(name: str) -> bool:
    """Whether a tensor belongs in ``base/``; all others belong in ``head/``."""
    return name.startswith(("scene.", "backbone."))


def write_checkpoint(
    folder: Path, parameters: Parameters, config: GPTConfig, *, trainer: Trainer | None = None, over: Over | None = None
) -> None:
    """Write a checkpoint, whole or not at all; ``trainer`` is what training goes on with.

    ``parameters`` are those without adapters. With ``over`` the base is not written but referred to, by its hash.

    Raises :class:`CheckpointError` for tensors that are not the configuration's or not finite, and where something is
    there already; ``StoreError`` where the disk refuses.
    """
    base = {name: np.ascontiguousarray(value) for name, value in parameters.items() if is_base(name)}
    head = {name: np.ascontiguousarray(value) for name, value in parameters.items() if not is_base(name)}
    content = {
        BASE_JSON: as_json(base_record(config, base, ref=over.ref if over else "")), BASE: save(base),
        HEAD_JSON: as_json(head_record()), HEAD: save(head), VOCABULARY_JSON: as_json(vocabulary_record()),
    }  # fmt: skip
    for name, is_base_part in ((BASE, True), (HEAD, False)):
        _check(tensors_of(content[name], str(folder / name)), config, folder / name, base=is_base_part)
    if over is not None:
        del content[BASE]
        if over.adapter is not None:
            adapter = {name: np.ascontiguousarray(value, np.float32) for name, value in over.adapter.items()}
            content |= {ADAPTER_JSON: as_json(over.adapter_config or {}), ADAPTER: save(adapter)}
            merged(base, tensors_of(content[ADAPTER], str(folder / ADAPTER)), over.adapter_config or {}, str(folder))
    if trainer is not None:
        content |= {TRAINER_JSON: as_json(trainer[0]), TRAINER: save({k: np.array(v) for k, v in trainer[1].items()})}
    write_files(Path(folder), content)


def read_trainer(folder: Path | str) -> Trainer:
    """What training goes on with. Raises :class:`CheckpointError` where there is none, or a damaged checkpoint."""
    files = read_files(Path(folder))
    if TRAINER_JSON not in files.content or TRAINER not in files.content:
        raise CheckpointError(f"{folder} holds weights and no state of training: begin another run from it (--init).")
    return files.json(TRAINER_JSON), load(files.content[TRAINER])


def checkpoint_hash(folder: Path | str) -> str:
    """sha256 over the manifest: which checkpoint this is. Raises :class:`CheckpointError` for a damaged one."""
    return read_files(Path(folder)).digest


def base_kind(folder: Path | str) -> str:
    """What a checkpoint stands on: ``micro`` or ``hf``. Raises :class:`CheckpointError` for a damaged one."""
    return str(read_files(Path(folder)).json(BASE_JSON).get("kind"))


def read_checkpoint(folder: Path | str, *, base: Path | str | None = None) -> Checkpoint:
    """A checkpoint, with every file hashed and every tensor accounted for, adapters merged in.

    ``base`` says where the base lies of a run that trained adapters alone, should it have moved.

    Raises :class:`CheckpointError` that names the file, the tensor and the way out: for a file that is damaged, missing
    or too many; for a tensor that is missing, too many, of another shape or not finite; for another vocabulary, other
    features or another base.
    """
    parts = read_parts(folder, base=base)
    tensors = {**parts.base, **parts.head}
    if parts.adapter is not None:
        tensors = merged(tensors, parts.adapter, parts.adapter_config, str(Path(folder) / ADAPTER))
    return Checkpoint(parts.config, tensors, parts.digest)


def read_parts(folder: Path | str, *, base: Path | str | None = None) -> Parts:
    """A checkpoint as it lies, as carefully as :func:`read_checkpoint`, and with the same errors."""
    files = read_files(Path(folder))
    record = files.json(BASE_JSON)
    if record.get("kind") != "micro":
        raise CheckpointError(
            f"{files.folder / BASE_JSON}: the base is of kind {record.get('kind')!r}, which needs PyTorch to run. "
            "The NumPy planner runs kind 'micro'."
        )
    config = _config(files, record)
    check_meaning(files)
    tensors = dict(_base(files, record, base))
    found = weights_hash(tensors)
    if found != record.get("weights_sha256"):
        raise CheckpointError(
            f"{files.folder / BASE_JSON} is for a base with weights {str(record.get('weights_sha256'))[:12]}; found is "
            f"one with {found[:12]}, even if its shapes are the same. Give the right one with --base PATH."
        )
    _check(tensors, config, files.folder / BASE, base=True)
    head = files.tensors(HEAD)
    _check(head, config, files.folder / HEAD, base=False)
    adapter, settings = files.adapter() or (None, {})
    if adapter is not None:
        merged(tensors, adapter, settings, str(files.folder / ADAPTER))
    return Parts(
        config, tensors, head, adapter, settings, BASE in files.content,
        str(record.get("ref") or ""), files.digest,
    )  # fmt: skip


def read_shipped() -> Checkpoint:
    """The checkpoint that comes with the package. Raises :class:`CheckpointError` where this copy has none."""
    if not SHIPPED.exists():
        raise CheckpointError(
            "This copy of the package ships no planner yet. Train one (`waytrace train sft`) and give its checkpoint's "
            "folder, or choose a built-in planner, for instance expert."
        )
    return read_checkpoint(SHIPPED)


def _config(files: Files, record: Mapping[str, Any]) -> GPTConfig:
    where = files.folder / BASE_JSON
    try:
        config = GPTConfig(**record["config"])
        for name, value in config.to_json().items():
            if type(value) not in (int, float) or not 0 < value < 1e9 or (name == "depth" and type(value) is not int):
                raise TypeError(f"{name} is {value!r}")
    except (KeyError, TypeError, WaytraceError) as error:
        raise CheckpointError(f"{where}: the configuration is none of a micro GPT: {error}. {WAY_OUT}") from error
    if config_hash(config) != record.get("config_hash"):
        raise CheckpointError(f"{where}: the configuration is not that of its hash. {WAY_OUT}")
    return config


def check_meaning(files: Files) -> None:
    """The checkpoint must read the features and write the slots of this version."""
    for name, key, here, what in (
        (VOCABULARY_JSON, "vocabulary", vocabulary_hash(), "trace slots"),
        (HEAD_JSON, "vocabulary", vocabulary_hash(), "trace slots"),
        (HEAD_JSON, "features", feature_hash(), "scene features"),
    ):
        found = files.json(name).get(key)
        if found != here:
            raise CheckpointError(
                f"{files.folder / name}: made for other {what} ({str(found)[:12]}) than here ({here[:12]}). "
                "Use the version of the package that made it, or train anew."
            )


def _base(files: Files, record: Mapping[str, Any], given: Path | str | None) -> Mapping[str, Array]:
    """Tensors of the base: of this folder, or of where it lies."""
    if BASE in files.content:
        return files.tensors(BASE)
    if not given and record.get("ref") == "shipped":
        given = SHIPPED
    ref = Path(given) if given else Path(str(record.get("ref") or ""))
    looked = [ref] if ref.is_absolute() or given else [files.folder / ref, ref]
    for place in looked:
        if record.get("ref") and (place / BASE_JSON).is_file():
            other = read_files(place)
            if BASE in other.content:
                return other.tensors(BASE)
    raise CheckpointError(
        f"{files.folder} holds an adapter; its base was looked for at {', '.join(map(str, looked))} and is not there. "
        "Say where it is with --base PATH."
    )


def _check(tensors: Mapping[str, Array], config: GPTConfig, where: Path, *, base: bool) -> None:
    """Exactly the tensors that this configuration has there, each of its shape."""
    wanted = {name: shape for name, shape in shapes(config).items() if is_base(name) == base}
    for name, shape in wanted.items():
        if name not in tensors:
            raise CheckpointError(f"{where}: tensor {name!r} is missing. {WAY_OUT}")
        if tensors[name].shape != shape:
            raise CheckpointError(
                f"{where}: tensor {name!r} has shape {list(tensors[name].shape)} where depth {config.depth} has "
                f"{list(shape)}. {WAY_OUT}"
            )
    more = sorted(tensors.keys() - wanted.keys())
    if more:
        raise CheckpointError(f"{where}: tensor {more[0]!r} is none that belongs there. {WAY_OUT}")


def as_json(record: Mapping[str, Any]) -> bytes:
    """A record as a checkpoint's files hold it."""
    return json.dumps(record, indent=1).encode() + b"\n"
