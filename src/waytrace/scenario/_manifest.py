"""The manifest of a folder of shards: what files there are, where each item lies, and a seal over all of it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from .disk import MANIFEST
from .errors import StoreError

MAX_MANIFEST_BYTES = 1 << 30
WAY_OUT = "Restore the folder from a copy, or write it again."
_HEAD = re.compile(rb'\{"sha256": "([0-9a-f]{64})",\n')
_FILE = re.compile(r"[a-z]+-[0-9]{5,}\.(safetensors|jsonl)")

M = TypeVar("M", bound=BaseModel)
_Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Stem = Annotated[str, StringConstraints(pattern=r"^[a-z]+-[0-9]{5,}$")]


class FileEntry(BaseModel):
    """What a file must be."""

    model_config = ConfigDict(extra="forbid")
    bytes: Annotated[int, Field(ge=0)]
    sha256: _Hash


class Place(BaseModel):
    """Where an item lies: its shard, its arrays' prefix, its record's span in the ``.jsonl`` file."""

    model_config = ConfigDict(extra="forbid")
    shard: _Stem
    key: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]
    offset: Annotated[int, Field(ge=0)]
    length: Annotated[int, Field(ge=0)]


class Item(BaseModel):
    """One entry of the manifest: an item's place and what is worth knowing without reading it."""

    model_config = ConfigDict(extra="forbid")
    place: Place
    summary: dict[str, str | int | float | bool | None]


class Manifest(BaseModel):
    """The manifest below its first line."""

    model_config = ConfigDict(extra="forbid")
    format: str
    version: str
    files: dict[str, FileEntry]
    items: dict[str, Item]
    shared: dict[str, Place]


def sealed(manifest: Manifest) -> bytes:
    """The manifest as it is written: JSON whose first line is the sha256 of all that follows."""
    body = manifest.model_dump_json(indent=1).encode()[1:] + b"\n"
    return b'{"sha256": "%s",\n' % hashlib.sha256(body).hexdigest().encode() + body


def parse_record(model: type[M], data: bytes, where: str) -> M:
    """A record checked against its model. Raises :class:`StoreError`; ``where`` names it."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise StoreError(f"{where}: {_first(error)}. {WAY_OUT}") from error


def _first(error: ValidationError) -> str:
    detail = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in detail["loc"])
    return f"{place}: {detail['msg']}" if place else detail["msg"]


def read_manifest(folder: Path, format: str) -> tuple[Manifest, str]:
    path = folder / MANIFEST
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise StoreError(f"{path} is larger than {MAX_MANIFEST_BYTES} bytes and will not be read. {WAY_OUT}")
        data = path.read_bytes()
    except FileNotFoundError as error:
        what = (
            "has no manifest.json: it is no store, or one whose writing never ended"
            if folder.is_dir()
            else "does not exist"
        )
        raise StoreError(f"{folder} {what}. Check the path, or write the store again.") from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror or error}. Check the path.") from error
    head = _HEAD.match(data)
    if head is None or hashlib.sha256(data[head.end() :]).hexdigest().encode() != head[1]:
        raise StoreError(f"{path} is damaged or not a store's: its first line is not the sha256 of the rest. {WAY_OUT}")
    body = b"{" + data[head.end() :]
    found = re.match(rb'\{\s*"format":\s*"([^"]*)"', body)
    if found is not None and found[1].decode(errors="replace") != format:
        raise StoreError(
            f"{path} is a {found[1].decode(errors='replace')}, where {format} was expected. Choose the right folder."
        )
    manifest = parse_record(Manifest, body, str(path))
    for name in manifest.files:
        if not _FILE.fullmatch(name):
            raise StoreError(f"{path} names a file {name!r}, which is none of a store's. {WAY_OUT}")
    return manifest, head[1].decode()
