"""Folders that long work is written to, claimed by their settings so that repeating a command goes on with it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .disk import explained, sync_folder, write_file
from .errors import WaytraceError

RUN = "run.json"
"""The file in which a folder's settings stand."""


def claim(
    folder: Path, settings: Mapping[str, Any], *, holds: str, again: str, error: type[WaytraceError] = WaytraceError
) -> None:
    """Make a folder and note in its ``run.json`` what it is for; nothing where it is for that already.

    ``holds`` says what such a folder has in it ("labels"), ``again`` the way to start afresh. Raises ``error`` as
    :func:`claimed` does, and where the folder holds something else; ``StoreError`` where the disk refuses.
    """
    if claimed(folder, settings, holds=holds, again=again, error=error):
        return
    if taken(folder):
        raise error(f"{folder} holds something that is no collection of {holds}. Give another folder.")
    make_folder(folder)
    write_json(folder / RUN, settings)


def taken(folder: Path) -> bool:
    """Whether something is at a place already: a file, or a folder that more is in than what :func:`claim` left."""
    if not folder.is_dir():
        return folder.exists()
    return any(p.name != unfinished(folder / RUN).name for p in folder.iterdir())


def claimed(
    folder: Path, settings: Mapping[str, Any], *, holds: str, again: str, error: type[WaytraceError] = WaytraceError
) -> bool:
    """Whether a folder was begun with these settings; false where it was not begun at all.

    Raises ``error`` where it was begun with others, with a line for every difference, and where ``run.json`` is
    damaged.
    """
    file = folder / RUN
    if not file.exists():
        return False
    try:
        before = json.loads(file.read_text())
        if not isinstance(before, dict):
            raise ValueError("it is no JSON object")
    except ValueError as reason:
        raise error(f"{file} is damaged: {reason}. {again}") from reason
    changed = differences(before, settings)
    if changed:
        raise error(f"{folder} holds {holds} with other settings:\n" + "\n".join([*changed, again]))
    return True


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """A line for every setting that is not what it was, by name."""
    return [
        f"  {key}: {before.get(key)!r} -> {now.get(key)!r}"
        for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)
    ]  # fmt: skip


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it lies in, where they are not there. Raises ``StoreError``."""
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write JSON as :func:`write_text` writes text."""
    write_text(path, json.dumps(record, indent=1, allow_nan=False))


def write_text(path: Path, text: str) -> None:
    """Write text so that the file is there whole or as it was, and on the disk, name and all, once this returns.

    Raises ``StoreError`` where the disk refuses; what is there then is whole.
    """
    temporary = unfinished(path)
    with explained(path, now="Nothing that was there was harmed"):
        try:
            temporary.unlink(missing_ok=True)
            write_file(temporary, text.encode())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def unfinished(path: Path) -> Path:
    """Where a file is written before it gets its name; what a crash leaves there is written over."""
    return path.with_name(f".{path.name}.part")
