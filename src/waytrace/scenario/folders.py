"""Folders that long work is written to, claimed by their settings so that repeating a command goes on with it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import WaytraceError

RUN = "run.json"
"""The file in which a folder's settings stand."""


def claim(
    folder: Path, settings: Mapping[str, Any], *, holds: str, again: str, error: type[WaytraceError] = WaytraceError
) -> None:
    """Make a folder and note in its ``run.json`` what it is for; nothing where it is for that already.

    ``holds`` says what such a folder has in it ("labels"), ``again`` the way to start afresh. Raises ``error`` as
    :func:`claimed` does, and where the folder holds something else.
    """
    if claimed(folder, settings, holds=holds, again=again, error=error):
        return
    if folder.exists() and {p.name for p in folder.iterdir()} - {unfinished(folder / RUN).name}:
        raise error(f"{folder} holds something that is no collection of {holds}. Give another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / RUN, settings)


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


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write JSON so that the file is there whole or as it was."""
    write_text(path, json.dumps(record, indent=1, allow_nan=False))


def write_text(path: Path, text: str) -> None:
    """Write text so that the file is there whole or as it was, and on the disk once this returns."""
    temporary = unfinished(path)
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def unfinished(path: Path) -> Path:
    """Where a file is written before it gets its name; what a crash leaves there is written over."""
    return path.with_name(f".{path.name}.part")
