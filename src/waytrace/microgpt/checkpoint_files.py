"""The files of a checkpoint: written whole or not at all, read whole or refused. Arrays in NumPy, no torch.

    step_001200/
      manifest.json             first line the sha256 of the rest; of every file bytes and sha256, of every tensor shape
                                and dtype
      base.json                 what the base is, its configuration, sha256 over its sorted weights
      base/model.safetensors    scene.* and backbone.*
      head/head_config.json     which base, slots and columns the heads belong to
      head/head.safetensors     head.*
      vocabulary.json           the slot table as names, its hash, the hash of the scene tokens' columns
      trainer.json, trainer.safetensors    what training goes on with; absent in a checkpoint that is only to be driven

Whatever does not fit is an error that names the file, the tensor and the way out: a flipped bit, a tensor too few or
too many, of another shape or dtype, not finite, a base that the heads were not trained on, other slots or columns.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from waytrace import __version__
from waytrace.scenario import WaytraceError
from waytrace.scenario._disk import begin, explained, publish, sync_folder, write_file
from waytrace.scenario.hashing import canonical_json
from waytrace.trace import SLOTS, vocabulary_hash

from .config import GPTConfig
from .parameters import Array, Parameters, shapes
from .tokens import feature_hash

SCHEMA = "waytrace.checkpoint/1"
MANIFEST, BASE, VOCABULARY = "manifest.json", "base.json", "vocabulary.json"
BASE_WEIGHTS, HEAD_CONFIG, HEAD_WEIGHTS = "base/model.safetensors", "head/head_config.json", "head/head.safetensors"
TRAINER, TRAINER_TENSORS = "trainer.json", "trainer.safetensors"
ALWAYS = (BASE, BASE_WEIGHTS, HEAD_CONFIG, HEAD_WEIGHTS, VOCABULARY)
SOMETIMES = (TRAINER, TRAINER_TENSORS)

_SEAL = re.compile(rb'\{"sha256": "([0-9a-f]{64})",\n')
_COPY = "Take another checkpoint of the run, or copy this one again."

Tensors = Mapping[str, NDArray[Any]]


class CheckpointError(WaytraceError):
    """A folder is no checkpoint, or one that cannot be trusted."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Weights, and what they are of."""

    folder: Path
    config: GPTConfig
    parameters: dict[str, Array]
    sha256: str
    """Of the manifest, and so of everything in the folder."""
    has_trainer: bool


def weights_hash(tensors: Tensors) -> str:
    """sha256 over names, shapes and bits of tensors in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = np.asarray(tensors[name], order="C")
        digest.update(f"{name} {value.dtype.str} {list(value.shape)}\n".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def write_checkpoint(
    folder: Path, parameters: Parameters, config: GPTConfig, *, trainer: tuple[Mapping[str, Any], Tensors] | None = None
) -> None:  # fmt: skip
    """Write a checkpoint folder: under a name of its own first, then, once the disk has all of it, under ``folder``.

    ``trainer`` is a JSON record and tensors by name. Raises :class:`CheckpointError` for parameters that are not the
    configuration's, or not finite; ``StoreError`` where the disk refuses, or ``folder`` is there already.
    """
    _check_tensors(folder, {name: np.asarray(value) for name, value in parameters.items()}, config)
    base = {name: value for name, value in parameters.items() if not name.startswith("head.")}
    head = {name: value for name, value in parameters.items() if name.startswith("head.")}
    base_hash = weights_hash(base)
    belongs = {"vocabulary_sha256": vocabulary_hash(), "features_sha256": feature_hash()}
    config_json = config.to_json()
    records: dict[str, Any] = {
        BASE: {
            "kind": "micro", "ref": "", "revision": "", "config": config_json,
            "config_sha256": _hash(config_json), "weights_sha256": base_hash,
        },
        HEAD_CONFIG: {"base_weights_sha256": base_hash, "width": config.width} | belongs,
        VOCABULARY: {"slots": [[s.stage, s.name, s.values.name, len(s.values)] for s in SLOTS]} | belongs,
    }  # fmt: skip
    tensors: dict[str, Tensors] = {BASE_WEIGHTS: base, HEAD_WEIGHTS: head}
    if trainer is not None:
        records[TRAINER], tensors[TRAINER_TENSORS] = dict(trainer[0]), trainer[1]
    files = {name: json.dumps(record, indent=1, allow_nan=False).encode() + b"\n" for name, record in records.items()}
    files |= {
        name: safetensors.numpy.save({k: np.asarray(v, order="C") for k, v in t.items()}) for name, t in tensors.items()
    }
    listed = {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()}
    manifest = {
        "schema": SCHEMA, "version": __version__, "files": listed,
        "tensors": {name: {k: _kind(v) for k, v in sorted(t.items())} for name, t in tensors.items()},
    }  # fmt: skip
    body = json.dumps(manifest, indent=1).encode()[1:] + b"\n"
    files[MANIFEST] = b'{"sha256": "%s",\n' % hashlib.sha256(body).hexdigest().encode() + body
    with explained(folder):
        temporary = begin(folder)
        try:
            for name, data in files.items():
                (temporary / name).parent.mkdir(exist_ok=True)
                write_file(temporary / name, data)
            for below in ("base", "head"):
                sync_folder(temporary / below)
            publish(temporary, folder, overwrite=False)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def read_checkpoint(folder: Path) -> Checkpoint:
    """The weights in a folder. Raises :class:`CheckpointError` where anything is not as it was written."""
    manifest, seal = _manifest(folder)
    files = _files(folder, manifest)
    base, head_config, vocabulary = (_record(folder, files, name) for name in (BASE, HEAD_CONFIG, VOCABULARY))
    if base.get("kind") != "micro":
        raise CheckpointError(f"{folder / BASE}: a base of kind {base.get('kind')!r} cannot be read here.")
    _check_belongs(folder, VOCABULARY, vocabulary)
    _check_belongs(folder, HEAD_CONFIG, head_config)
    try:
        config = GPTConfig(**base["config"])
    except (TypeError, KeyError, WaytraceError) as error:
        raise CheckpointError(f"{folder / BASE}: not a configuration of this version: {error}. {_COPY}") from error
    parts = {name: _tensors(folder, files, manifest, name) for name in (BASE_WEIGHTS, HEAD_WEIGHTS)}
    found = weights_hash(parts[BASE_WEIGHTS])
    for name, wanted in ((BASE, base.get("weights_sha256")), (HEAD_CONFIG, head_config.get("base_weights_sha256"))):
        if found != wanted:
            raise CheckpointError(
                f"{folder / name} belongs to the base {str(wanted)[:12]}, and {BASE_WEIGHTS} is {found[:12]}: its "
                f"shapes fit, its weights are others. Put back the base that the heads were trained on."
            )
    parameters = parts[BASE_WEIGHTS] | parts[HEAD_WEIGHTS]
    _check_tensors(folder, parameters, config)
    return Checkpoint(folder, config, parameters, seal, TRAINER in files)


def read_trainer(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What training goes on with. Raises as :func:`read_checkpoint`, and :class:`CheckpointError` where there is none."""
    manifest, _ = _manifest(folder)
    files = _files(folder, manifest)
    if TRAINER not in files or TRAINER_TENSORS not in files:
        raise CheckpointError(
            f"{folder} holds weights and no state of training: it cannot be gone on with. Begin from it (--init)."
        )
    return _record(folder, files, TRAINER), _tensors(folder, files, manifest, TRAINER_TENSORS)


def checkpoint_hash(folder: Path) -> str:
    """sha256 of a checkpoint's manifest, which covers all of its files. Raises :class:`CheckpointError`."""
    return _manifest(folder)[1]


def _manifest(folder: Path) -> tuple[dict[str, Any], str]:
    file = folder / MANIFEST
    try:
        data = file.read_bytes()
    except OSError as error:
        what = f"has no {MANIFEST}" if folder.is_dir() else "does not exist"
        raise CheckpointError(
            f"{folder} {what}: it is no checkpoint. Give a folder such as RUN/checkpoints/step_0001200."
        ) from error
    seal = _SEAL.match(data)
    if seal is None or hashlib.sha256(data[seal.end() :]).hexdigest().encode() != seal[1]:
        raise CheckpointError(
            f"{file} is damaged, or no checkpoint's: its first line is not the sha256 of the rest. {_COPY}"
        )
    manifest: dict[str, Any] = json.loads(data)
    if manifest.get("schema") != SCHEMA:
        raise CheckpointError(f"{file} is of schema {manifest.get('schema')!r}; this version reads {SCHEMA!r}.")
    names = manifest["files"].keys()
    for name in ALWAYS:
        if name not in names:
            raise CheckpointError(f"{file} does not list {name}. {_COPY}")
    for name in names - {*ALWAYS, *SOMETIMES}:
        raise CheckpointError(f"{file} lists {name!r}, which is no part of a checkpoint of this version. {_COPY}")
    return manifest, seal[1].decode()


def _files(folder: Path, manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """The bytes of every file, compared with the manifest."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST and name not in manifest["files"]:
            raise CheckpointError(f"{path} is not in the manifest: it was put there later. Take it out of the folder.")
    out: dict[str, bytes] = {}
    for name, entry in manifest["files"].items():
        try:
            data = (folder / name).read_bytes()
        except OSError as error:
            raise CheckpointError(f"{folder / name} is missing or cannot be read. {_COPY}") from error
        if len(data) != entry["bytes"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise CheckpointError(
                f"{folder / name} is damaged: it holds {len(data)} bytes that are not the {entry['bytes']} which were "
                f"written. {_COPY}"
            )
        out[name] = data
    return out


def _record(folder: Path, files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    try:
        record = json.loads(files[name])
    except ValueError as error:
        raise CheckpointError(f"{folder / name} is no JSON: {error}. {_COPY}") from error
    if not isinstance(record, dict):
        raise CheckpointError(f"{folder / name} holds no JSON object. {_COPY}")
    return record


def _tensors(
    folder: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any], name: str
) -> dict[str, NDArray[Any]]:
    """The tensors of a file, each as the manifest says and finite."""
    try:
        tensors: dict[str, NDArray[Any]] = safetensors.numpy.load(files[name])
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{folder / name} is no safetensors file that can be read: {error}. {_COPY}") from error
    listed = manifest["tensors"].get(name, {})
    for key in listed.keys() - tensors.keys():
        raise CheckpointError(f"{folder / name} lacks the tensor {key!r}. {_COPY}")
    for key in tensors.keys() - listed.keys():
        raise CheckpointError(f"{folder / name} holds a tensor {key!r}, which the manifest does not list. {_COPY}")
    for key, value in tensors.items():
        if _kind(value) != listed[key]:
            raise CheckpointError(
                f"{folder / name}: tensor {key!r} is {_kind(value)}, the manifest says {listed[key]}. {_COPY}"
            )
        _check_finite(folder / name, key, value)
    return tensors


def _check_tensors(where: Path, parameters: Tensors, config: GPTConfig) -> None:
    """Raise unless these are the parameters of the configuration, float32 and finite."""
    wanted = shapes(config)
    for name, shape in wanted.items():
        if name not in parameters:
            raise CheckpointError(
                f"{where}: the tensor {name!r} is missing; a model of depth {config.depth} has it. {_COPY}"
            )
        value = parameters[name]
        if value.shape != shape or value.dtype != np.float32:
            raise CheckpointError(
                f"{where}: the tensor {name!r} is {value.dtype}{list(value.shape)}; at depth {config.depth} it is "
                f"float32{list(shape)}. {_COPY}"
            )
        _check_finite(where, name, value)
    for name in parameters.keys() - wanted.keys():
        raise CheckpointError(
            f"{where}: there is a tensor {name!r}, which a model of depth {config.depth} has not. {_COPY}"
        )


def _check_finite(where: Path, name: str, value: NDArray[Any]) -> None:
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        count = int((~np.isfinite(value)).sum())
        raise CheckpointError(
            f"{where}: tensor {name!r} has {count} values that are no finite numbers. Take an earlier checkpoint."
        )


def _check_belongs(folder: Path, name: str, record: Mapping[str, Any]) -> None:
    for key, what, mine in (
        ("vocabulary_sha256", "slots", vocabulary_hash()),
        ("features_sha256", "columns of scene tokens", feature_hash()),
    ):
        if record.get(key) != mine:
            raise CheckpointError(
                f"{folder / name}: the model was trained with other {what} ({str(record.get(key))[:12]}; this version "
                f"has {mine[:12]}). Use the version that trained it, or train again."
            )


def _kind(value: NDArray[Any]) -> dict[str, Any]:
    return {"shape": list(value.shape), "dtype": value.dtype.name}


def _hash(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()
