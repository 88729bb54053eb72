"""A checkpoint's folder as files: which there may be, their manifest, and how they get there whole or not at all.

``manifest.json`` names every other file with its size and sha256 and every tensor with its shape; its own first line is
the sha256 of the rest. So whatever is flipped, cut, missing or added is found and named before a number is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray

from waytrace.scenario import WaytraceError
from waytrace.scenario.disk import begin, explained, publish, sync_folder, write_file
from waytrace.scenario.revision import code_digest

SCHEMA = "waytrace-checkpoint/1.0.0"
MANIFEST = "manifest.json"

BASE_JSON, BASE = "base.json", "base/model.safetensors"
ADAPTER_JSON, ADAPTER = "adapter/adapter_config.json", "adapter/adapter_model.safetensors"
HEAD_JSON, HEAD = "head/head_config.json", "head/head.safetensors"
VOCABULARY_JSON = "vocabulary.json"
TRAINER_JSON, TRAINER = "trainer.json", "trainer.safetensors"

REQUIRED = (BASE_JSON, HEAD_JSON, HEAD, VOCABULARY_JSON)
KNOWN = (*REQUIRED, BASE, ADAPTER_JSON, ADAPTER, TRAINER_JSON, TRAINER)

MOST_MANIFEST_BYTES = 1 << 26
WAY_OUT = "Copy the checkpoint again from where it was made, or choose another."
_FIRST_LINE = re.compile(rb'\{"sha256": "([0-9a-f]{64})",\n')

Array = NDArray[np.float32]


class CheckpointError(WaytraceError):
    """A checkpoint that is not whole, or not of this package's models: which file, which tensor, what to do."""


@dataclass(frozen=True)
class Files:
    """The files of a checkpoint, read and found as the manifest says."""

    folder: Path
    content: Mapping[str, bytes]
    """By the path within the folder."""
    digest: str
    """sha256 of the manifest below its first line: it stands for all of the checkpoint."""

    def json(self, name: str) -> dict[str, Any]:
        """A JSON file that holds an object. Raises :class:`CheckpointError`."""
        try:
            found = json.loads(self.content[name])
        except ValueError as error:
            raise CheckpointError(f"{self.folder / name} is no JSON: {error}. {WAY_OUT}") from error
        if not isinstance(found, dict):
            raise CheckpointError(f"{self.folder / name} holds no JSON object. {WAY_OUT}")
        return found

    def tensors(self, name: str) -> dict[str, Array]:
        """The float32 tensors of a file, all finite. Raises :class:`CheckpointError` naming the tensor."""
        return tensors_of(self.content[name], str(self.folder / name))

    def adapter(self) -> tuple[dict[str, Array], dict[str, Any]] | None:
        """An adapter's tensors by PEFT's names and its configuration; None where there is none.

        Raises :class:`CheckpointError` where there is one without the other.
        """
        if ADAPTER not in self.content and ADAPTER_JSON not in self.content:
            return None
        for name in (ADAPTER, ADAPTER_JSON):
            if name not in self.content:
                raise CheckpointError(f"{self.folder / name} is missing: an adapter has both files. {WAY_OUT}")
        return self.tensors(ADAPTER), self.json(ADAPTER_JSON)


def tensors_of(data: bytes, where: str) -> dict[str, Array]:
    """The tensors in the bytes of a safetensors file. Raises :class:`CheckpointError`; ``where`` names the file."""
    try:
        parts = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
    except Exception as error:  # the reader's own error type is not public in all versions
        raise CheckpointError(f"{where} is no safetensors file: {error}. {WAY_OUT}") from error
    out = {}
    for name, part in sorted(parts):
        if part["dtype"] != "F32":
            raise CheckpointError(f"{where}: tensor {name!r} is {part['dtype']} where F32 is due. {WAY_OUT}")
        value = np.frombuffer(part["data"], "<f4").reshape(part["shape"]).astype(np.float32)
        if not np.isfinite(value).all():
            raise CheckpointError(f"{where}: tensor {name!r} holds a number that is not finite. {WAY_OUT}")
        out[name] = value
    return out


def weights_hash(tensors: Mapping[str, Array]) -> str:
    """sha256 over names, shapes and float32 values in the order of the names: what an adapter's base must have."""
    out = hashlib.sha256()
    for name in sorted(tensors):
        value = np.ascontiguousarray(tensors[name], "<f4")
        out.update(f"{name}:{list(value.shape)}\n".encode())
        out.update(value.tobytes())
    return out.hexdigest()


def manifest_of(content: Mapping[str, bytes]) -> bytes:
    """The manifest of files, as it is written."""
    record = {
        "schema": SCHEMA,
        "code": code_digest(),
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(content.items())
        },
        "tensors": {name: _shapes(data) for name, data in sorted(content.items()) if name.endswith(".safetensors")},
    }
    body = json.dumps(record, indent=1).encode()[1:] + b"\n"
    return b'{"sha256": "%s",\n' % hashlib.sha256(body).hexdigest().encode() + body


def write_files(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write a checkpoint that appears whole or not at all; ``content`` by path within the folder.

    Raises :class:`CheckpointError` where something is there already, ``StoreError`` where the disk refuses.
    """
    odd = sorted(set(content) - set(KNOWN)) or sorted(set(REQUIRED) - set(content))
    if odd:
        raise ValueError(f"a checkpoint cannot do with or without {odd[0]}")
    if os.path.lexists(folder):
        raise CheckpointError(f"{folder} exists already. Choose another place, or remove it.")
    with explained(folder):
        temporary = begin(folder)
        try:
            for name, data in (*content.items(), (MANIFEST, manifest_of(content))):
                (temporary / name).parent.mkdir(exist_ok=True)
                write_file(temporary / name, data)
            for inner in (p for p in temporary.iterdir() if p.is_dir()):
                sync_folder(inner)
            publish(temporary, folder, overwrite=False)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def read_files(folder: Path) -> Files:
    """Every file of a checkpoint, compared with the manifest. Raises :class:`CheckpointError`."""
    path = folder / MANIFEST
    if not path.is_file():
        raise CheckpointError(_no_manifest(folder))
    data = _bytes(path, MOST_MANIFEST_BYTES)
    head = _FIRST_LINE.match(data)
    body = data[head.end() :] if head else b""
    if head is None or hashlib.sha256(body).hexdigest().encode() != head[1]:
        raise CheckpointError(f"{path} is damaged: its first line is not the sha256 of the rest. {WAY_OUT}")
    try:
        record = json.loads(b"{" + body)
        schema, wanted = (
            record["schema"],
            {str(k): (int(v["bytes"]), str(v["sha256"])) for k, v in record["files"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{path} is no manifest of a checkpoint: {error!r}. {WAY_OUT}") from error
    if schema != SCHEMA:
        raise CheckpointError(f"{path} is of schema {schema!r}; this version reads {SCHEMA!r}. Convert or retrain it.")
    _check_names(folder, set(wanted))
    content = {}
    for name, (size, digest) in wanted.items():
        found = _bytes(folder / name, size)
        if len(found) != size or hashlib.sha256(found).hexdigest() != digest:
            raise CheckpointError(f"{folder / name} is not the file of the manifest: its sha256 differs. {WAY_OUT}")
        content[name] = found
    return Files(folder, content, head[1].decode())


def _check_names(folder: Path, wanted: set[str]) -> None:
    """Exactly the manifest's files must be there, and only such as a checkpoint has."""
    unknown = sorted(wanted - set(KNOWN))
    if unknown:
        raise CheckpointError(f"{folder / MANIFEST} names {unknown[0]!r}, which no checkpoint has. {WAY_OUT}")
    missing = sorted(set(REQUIRED) - wanted)
    if missing:
        raise CheckpointError(f"{folder} has no {missing[0]}, without which it is no checkpoint. {WAY_OUT}")
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()} - {MANIFEST}
    gone, more = sorted(wanted - there), sorted(there - wanted)
    if gone:
        raise CheckpointError(f"{folder / gone[0]} is missing. {WAY_OUT}")
    if more:
        raise CheckpointError(f"{folder / more[0]} is not in the manifest. Remove it, or choose another checkpoint.")


def _no_manifest(folder: Path) -> str:
    if not folder.exists():
        return f"{folder} does not exist. Check the path."
    for run in (folder, folder / "checkpoints"):
        for name in ("best", "latest"):
            if (run / name).is_file():
                return f"{folder} is a training run, no checkpoint. Its {name} one: {run / _line(run / name)}"
    return f"{folder} has no {MANIFEST}: it is no checkpoint, or one whose writing never ended. Choose another."


def _line(path: Path) -> str:
    return path.read_text(errors="replace").strip()[:200]


def _bytes(path: Path, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            raise CheckpointError(f"{path} is larger than the {most} bytes it may have. {WAY_OUT}")
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}. Check the path.") from error


def _shapes(data: bytes) -> dict[str, dict[str, Any]]:
    """Shape and type of the tensors of a safetensors file, from its header."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    return {
        name: {"shape": entry["shape"], "dtype": entry["dtype"]}
        for name, entry in sorted(header.items())
        if name != "__metadata__"
    }
