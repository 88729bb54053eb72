"""Shards: many small sets of arrays in a few safetensors files, with records as JSON lines and a manifest.

A folder holds ``manifest.json``, and for each stream of items (``scenarios``, ``maps``, ...) numbered pairs of
``<stream>-00000.safetensors`` (arrays, named ``<item>/<array>``) and ``<stream>-00000.jsonl`` (one record a line).
The manifest gives bytes and sha256 of every file and the place of every item; its own first line is the sha256 of
all that follows. No pickle; a reader touches the arrays of the item asked for and no others.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ._layout import Arrays, Layout, mismatches
from ._manifest import WAY_OUT, FileEntry, Item, Manifest, Place, read_manifest, sealed
from .disk import MANIFEST, begin, check_target, explained, publish, sha256_of, write_file
from .errors import StoreError
from .hashing import canonical_json

_SUFFIXES = (".safetensors", ".jsonl")
_OPEN_SHARDS = 16

Verify = Literal["lazy", "full"]


class _Stream:
    """Items of one kind on their way to disk."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.shards = 0
        self.items = 0
        self.clear()

    def clear(self) -> None:
        self.arrays: Arrays = {}
        self.lines: list[bytes] = []
        self.offset = 0
        self.bytes = 0


class ShardWriter:
    """Writes a folder of shards that appears whole at :meth:`close`, or not at all.

    At most one shard per stream (``shard_bytes`` or ``shard_items``, whichever is reached first) is held in memory.
    """

    def __init__(
        self, path: Path, format: str, *, version: str, overwrite: bool, shard_bytes: int, shard_items: int
    ) -> None:
        self.path = Path(path).resolve()
        self.items: dict[str, Item] = {}
        self.shared: dict[str, Place] = {}
        self._format, self._version, self._overwrite = format, version, overwrite
        self._shard_bytes, self._shard_items = shard_bytes, shard_items
        self._files: dict[str, FileEntry] = {}
        self._streams: dict[str, _Stream] = {}
        self._temporary: Path | None = None
        with explained(self.path):
            check_target(self.path, overwrite)
            self._temporary = begin(self.path)

    def put(
        self, stream_name: str, what: str, arrays: Arrays, layout: Layout, record: dict[str, Any], **sizes: int
    ) -> Place:
        """Take in one item; its place. ``what`` names it in errors. Raises :class:`StoreError`."""
        if self._temporary is None:
            raise StoreError(f"{self.path}: this writer is closed.")
        wrong = mismatches(arrays, layout, **sizes)
        if wrong:
            raise StoreError(f"{what} cannot be stored: {'; '.join(wrong)}.")
        try:
            line = canonical_json(record).encode() + b"\n"
        except (ValueError, TypeError) as error:
            raise StoreError(f"{what} cannot be stored: its record is not plain JSON ({error}).") from error
        stream = self._streams.setdefault(stream_name, _Stream(stream_name))
        size = sum(array.nbytes for array in arrays.values()) + len(line)
        if stream.lines and (stream.bytes + size > self._shard_bytes or len(stream.lines) >= self._shard_items):
            self._flush(stream)
        place = Place(
            shard=f"{stream.name}-{stream.shards:05d}", key=str(stream.items), offset=stream.offset, length=len(line)
        )
        # A copy: the caller may change its arrays before the shard is written; safetensors wants them contiguous.
        stream.arrays |= {f"{place.key}/{name}": np.array(array, order="C") for name, array in arrays.items()}
        stream.lines.append(line)
        stream.items += 1
        stream.offset += len(line)
        stream.bytes += size
        return place

    def _flush(self, stream: _Stream) -> None:
        stem = f"{stream.name}-{stream.shards:05d}"
        self._write(f"{stem}.safetensors", save(stream.arrays))
        self._write(f"{stem}.jsonl", b"".join(stream.lines))
        stream.shards += 1
        stream.clear()

    def _write(self, name: str, data: bytes) -> None:
        assert self._temporary is not None
        with explained(self.path):
            write_file(self._temporary / name, data)
        self._files[name] = FileEntry(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())

    def close(self) -> None:
        """Write what is left and the manifest, and give the folder its name."""
        if self._temporary is None:
            return
        try:
            for stream in self._streams.values():
                if stream.lines:
                    self._flush(stream)
            manifest = Manifest(
                format=self._format, version=self._version, files=self._files, items=self.items, shared=self.shared
            )
            with explained(self.path):
                write_file(self._temporary / MANIFEST, sealed(manifest))
                publish(self._temporary, self.path, self._overwrite)
        except BaseException:
            self.abort()
            raise
        self._temporary = None

    def abort(self) -> None:
        """Throw away what was written."""
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None
        self._streams.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


class ShardReader:
    """Reads items of a folder of shards, checking each file against the manifest at first touch.

    ``verify="full"`` checks all files at once at opening. Missing, truncated and extra files are found at opening in
    either case, from their sizes.
    """

    def __init__(self, path: Path, format: str, *, verify: Verify = "lazy") -> None:
        self.path = Path(path)
        self.manifest, self.manifest_hash = read_manifest(self.path, format)
        self._checked: set[str] = set()
        self._open: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.RLock()
        problems = self._misfits()
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise StoreError(f"{problems[0]}{more}. {WAY_OUT}")
        if verify == "full":
            for name in self.manifest.files:
                self._check(name)

    def _misfits(self) -> list[str]:
        files = self.manifest.files
        found = []
        for name, entry in files.items():
            path = self.path / name
            if not path.is_file():
                found.append(f"{path} is missing")
            elif path.stat().st_size != entry.bytes:
                found.append(f"{path} holds {path.stat().st_size} bytes where {MANIFEST} says {entry.bytes}")
        strangers = (p for p in sorted(self.path.iterdir()) if p.suffix in _SUFFIXES and p.name not in files)
        return [*found, *(f"{path} does not belong to this store (not in {MANIFEST})" for path in strangers)]

    def _check(self, name: str) -> Path:
        path = self.path / name
        if name not in self._checked:
            entry = self.manifest.files.get(name)
            if entry is None:
                raise StoreError(f"{self.path / MANIFEST} names no file {name}. {WAY_OUT}")
            try:
                actual = sha256_of(path)
            except OSError as error:
                raise StoreError(f"{path} cannot be read: {error.strerror or error}. {WAY_OUT}") from error
            if actual != entry.sha256:
                raise StoreError(f"{path} is damaged: its sha256 is not the one in {MANIFEST}. {WAY_OUT}")
            self._checked.add(name)
        return path

    def problems(self) -> list[str]:
        """Every file that is not what the manifest says, all read; empty where all is well."""
        found = self._misfits()
        for name in self.manifest.files:
            self._checked.discard(name)
            with contextlib.suppress(StoreError):
                self._check(name)
            if name not in self._checked and not any(str(self.path / name) in problem for problem in found):
                found.append(f"{self.path / name} is damaged: its sha256 is not the one in {MANIFEST}")
        return found

    def record(self, place: Place) -> bytes:
        """The record of an item, as JSON."""
        with self._lock:
            path = self._check(f"{place.shard}.jsonl")
            with path.open("rb") as file:
                file.seek(place.offset)
                return file.read(place.length)

    def arrays(self, place: Place, layout: Layout, **sizes: int) -> Arrays:
        """The arrays of an item, in the dtypes and shapes of ``layout``; nothing else is read.

        Raises :class:`StoreError` where they do not fit it.
        """
        name = f"{place.shard}.safetensors"
        with self._lock:
            try:
                handle = self._handle(name)
                arrays = {key: handle.get_tensor(f"{place.key}/{key}") for key in layout}
            except SafetensorError as error:
                raise StoreError(f"{self.path / name} does not hold item {place.key}: {error}. {WAY_OUT}") from error
        wrong = mismatches(arrays, layout, **sizes)
        if wrong:
            raise StoreError(f"{self.path / name}, item {place.key}: {'; '.join(wrong)}. {WAY_OUT}")
        return arrays

    def _handle(self, name: str) -> Any:
        handle = self._open.pop(name, None)
        if handle is None:
            handle = safe_open(self._check(name), framework="numpy")
            while len(self._open) >= _OPEN_SHARDS:
                self._open.popitem(last=False)
        self._open[name] = handle
        return handle

    def close(self) -> None:
        """Let go of the open shards."""
        with self._lock:
            self._open.clear()
