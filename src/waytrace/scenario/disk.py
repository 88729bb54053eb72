"""Folders that appear on disk whole or not at all, and what is said where the disk refuses."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from .errors import StoreError

MANIFEST = "manifest.json"

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REFUSED = (*FULL, errno.EROFS, errno.EACCES, errno.EPERM)
"""Why a disk takes nothing: it is full, or not to be written to."""


def sha256_of(path: Path) -> str:
    """sha256 (hex) of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def explained(path: Path, now: str = "Nothing was left there") -> Iterator[None]:
    """Turn an :class:`OSError` while writing into a :class:`StoreError`; ``now`` says what became of ``path``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"{path} could not be written: {reason}. {now}. {remedy(error)}") from error


def remedy(error: OSError) -> str:
    """What to do where the disk refuses, as a sentence."""
    see_to = "Make room" if error.errno in FULL else "See that it can be written to"
    return f"{see_to} and repeat the command, or choose another folder."


def write_file(path: Path, data: bytes | memoryview) -> None:
    """Write a new file and wait until the disk has it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view[: 1 << 24]) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Wait until the disk has a folder's list of names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_folder(path: Path) -> None:
    """Take a folder away. Its name is gone at once: what bears a name is whole, even if this is cut off."""
    aside = path.with_name(f"{path.name}.removed-{uuid.uuid4().hex[:12]}")
    path.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def check_target(path: Path, overwrite: bool) -> None:
    """Refuse a place that holds something, unless it is a store and ``overwrite`` is asked for.

    Raises :class:`StoreError`.
    """
    if not os.path.lexists(path):
        return
    if not path.is_dir():
        raise StoreError(f"{path} is a file; a store is a folder. Choose another place.")
    if not any(path.iterdir()):
        return
    if not (path / MANIFEST).is_file():
        raise StoreError(f"{path} holds files that are not a store's. Choose another folder.")
    if not overwrite:
        raise StoreError(f"{path} holds a store already. Ask for it to be overwritten, or choose another folder.")


def begin(path: Path) -> Path:
    """A new folder beside ``path`` to write into; its name tells what it is, should the process be killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.unfinished-{uuid.uuid4().hex[:12]}")
    temporary.mkdir()
    return temporary


def publish(temporary: Path, path: Path, overwrite: bool) -> None:
    """Give a finished folder its name. What was at ``path`` is put aside first and comes back should that fail."""
    sync_folder(temporary)
    check_target(path, overwrite)
    aside = None
    if path.exists():
        aside = path.with_name(f"{path.name}.replaced-{uuid.uuid4().hex[:12]}")
        path.rename(aside)
    try:
        temporary.rename(path)
        sync_folder(path.parent)
    except BaseException:
        if path.exists():
            path.rename(temporary)
        if aside is not None:
            aside.rename(path)
        raise
    if aside is not None:
        shutil.rmtree(aside, ignore_errors=True)
