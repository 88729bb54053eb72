"""A run's folder: what it is (``run.json``), how it went (``metrics.jsonl``), where it stands (``checkpoints/``)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from waytrace.evaluate.digest import canonical, environment, plain
from waytrace.scenario.disk import explained, remove_folder
from waytrace.scenario.folders import RUN, differences, make_folder, taken, write_json, write_text
from waytrace.scenario.revision import code_digest

from .config import ConfigError

SCHEMA = "waytrace.run/1"
METRICS, CHECKPOINTS, LATEST, BEST = "metrics.jsonl", "checkpoints", "latest", "best"
KEEP = 2
"""Checkpoints kept besides the best one."""
_STEP = re.compile(r"step_\d+")


class RunFolder:
    """A run on disk, claimed for one identity: settings and hashes of the data that its weights depend on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.metrics = Metrics(path / METRICS)

    @classmethod
    def claim(cls, path: Path | str, kind: str, config: Mapping[str, Any], identity: Mapping[str, Any]) -> RunFolder:
        """The folder at ``path``, made if it is not there.

        Raises :class:`ConfigError` where it holds a run of another ``identity``, with a line for every field that
        differs, or something that is no run; ``StoreError`` where the disk refuses.
        """
        folder = Path(path).absolute()
        file = folder / RUN
        identity = json.loads(canonical({"kind": kind, **identity}))
        if file.exists():
            _same(folder, read_run(folder)["identity"], identity)
        elif taken(folder):
            raise ConfigError(f"{folder} holds something that is no run. Give another folder.")
        else:
            make_folder(folder)
            sha256 = hashlib.sha256(canonical(identity)).hexdigest()
            record = {"schema": SCHEMA, "kind": kind, "identity": identity, "identity_sha256": sha256}
            write_json(file, record | {"config": plain(dict(config)), **provenance()})
        make_folder(folder / CHECKPOINTS)
        return cls(folder)

    def checkpoint(self, step: int) -> Path:
        """Where the checkpoint of a step lies."""
        return self.path / CHECKPOINTS / f"step_{step:07d}"

    def latest(self) -> Path | None:
        """The newest finished checkpoint; None before the first.

        Raises :class:`ConfigError` where it is gone, or ``latest`` is damaged.
        """
        checkpoint = self._named(LATEST)
        if checkpoint is not None and not checkpoint.is_dir():
            raise ConfigError(
                f"{self.path / CHECKPOINTS / LATEST} names {checkpoint.name}, which is gone. Put it back, or give "
                "another folder."
            )
        return checkpoint

    def best(self) -> Path | None:
        """The checkpoint with the least loss on ``select``; None where nothing was looked at.

        None too where it is gone: a crash may have come just as it was to be written anew.
        """
        checkpoint = self._named(BEST)
        return checkpoint if checkpoint is not None and checkpoint.is_dir() else None

    def point(self, name: str, checkpoint: Path) -> None:
        """Let ``latest`` or ``best`` be this checkpoint. The pointer is replaced in one move, so it is never torn."""
        write_text(self.path / CHECKPOINTS / name, f"{checkpoint.name}\n")

    def tidy(self) -> None:
        """Remove all checkpoints but the newest :data:`KEEP` and the best; and unfinished ones."""
        folder = self.path / CHECKPOINTS
        finished = sorted(p for p in folder.iterdir() if p.is_dir() and p.name[5:].isdigit())
        kept = {p.name for p in finished[-KEEP:]}
        kept |= {p.name for p in (self.latest(), self.best()) if p is not None}
        for entry in folder.iterdir():
            if entry.is_dir() and entry.name not in kept:
                with contextlib.suppress(OSError):  # one more that stays does no harm, and the save is complete
                    remove_folder(entry)

    def _named(self, name: str) -> Path | None:
        file = self.path / CHECKPOINTS / name
        if not file.exists():
            return None
        found = file.read_text(errors="replace").removesuffix("\n")
        if not _STEP.fullmatch(found):
            raise ConfigError(
                f"{file} is damaged: it names no checkpoint. Write the name of the newest folder beside it into it."
            )
        return file.with_name(found)


class Metrics:
    """Lines of JSON, each with its ``step`` and its ``kind``: appended whole, in order, never changed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, kind: str, step: int, figures: Mapping[str, Any]) -> dict[str, Any]:
        """Append a line; the record as written. Raises ``StoreError`` where the disk does not take all of it."""
        record: dict[str, Any] = {"kind": kind, "step": step, **plain(dict(figures))}
        line = json.dumps(record, separators=(",", ":"), allow_nan=False) + "\n"
        with explained(self.path, now="The lines before this one are whole"):
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                left = memoryview(line.encode())
                while left:  # one write, so that a reader never sees half of it, but on a disk that is all but full
                    left = left[os.write(handle, left) :]
            finally:
                os.close(handle)
        return record

    def has(self, kind: str) -> bool:
        """Whether there is a line of a kind."""
        return any(record["kind"] == kind for record in read_metrics(self.path))

    def sync(self) -> None:
        """Wait until the disk has every line; called before a checkpoint that stands for them."""
        if self.path.exists():
            with explained(self.path, now="The run goes on from the checkpoint before"):
                handle = os.open(self.path, os.O_RDONLY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)

    def rewind(self, step: int) -> None:
        """Drop what was written after the checkpoint of ``step``, and a line torn by a crash: it will come again."""
        if self.path.exists():
            kept = [json.dumps(r, separators=(",", ":")) + "\n" for r in read_metrics(self.path) if r["step"] <= step]
            write_text(self.path, "".join(kept))


def read_run(folder: Path | str) -> dict[str, Any]:
    """``run.json`` of a run's folder. Raises :class:`ConfigError` where there is none, or a damaged one."""
    file = Path(folder) / RUN
    try:
        record: dict[str, Any] = json.loads(file.read_text())
        if record["schema"] != SCHEMA:
            raise ValueError(f"its schema is {record['schema']!r}, not {SCHEMA!r}")
        record["identity"], record["config"]
    except FileNotFoundError as error:
        raise ConfigError(f"{folder} holds no run: there is no {RUN}. `waytrace train sft` makes one.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{file} is damaged or of another kind: {error}. Give another folder.") from error
    return record


def read_metrics(path: Path | str) -> Iterator[dict[str, Any]]:
    """The lines of ``metrics.jsonl`` in order; a last line without an end is left out.

    Raises :class:`ConfigError` for any other line that is not as it was written.
    """
    file = Path(path)
    if not file.exists():
        return
    for number, line in enumerate(file.read_bytes().splitlines(keepends=True), 1):
        if line.endswith(b"\n"):
            try:
                record: dict[str, Any] = json.loads(line)
                record["kind"], record["step"] + 0
            except (ValueError, KeyError, TypeError) as error:
                raise ConfigError(f"{file}, line {number} is damaged: {error}. Remove the line.") from error
            yield record


def provenance() -> dict[str, Any]:
    """With what code, where and when something was made."""
    import torch

    around = {**environment(), "torch": torch.__version__, "processor": platform.processor()}
    return {"code": code_digest(), "revision": _revision(), "environment": around, "begun": _now()}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _revision() -> str:
    """The commit of the source, ``+`` behind it where files differ from it; empty outside a checkout."""
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _same(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    changed = differences(before, now)
    if changed:
        way_out = "Give another folder, or repeat the command that it was begun with."
        raise ConfigError(f"{folder} holds a run with other settings:\n" + "\n".join([*changed, way_out]))
