"""What a reader is, which there are, and the search for drives in folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from waytrace.scenario import Scenario, WaytraceError

from .untrusted import MAX_FILE_BYTES

EgoChoice = Literal["recorded", "initial-state"]


@dataclass(frozen=True)
class ReadOptions:
    """How drives become scenarios."""

    ego: EgoChoice = "recorded"
    """``recorded``: a recorded vehicle drives; ``initial-state``: the source's planning problem does (CommonRoad)."""
    egos_per_file: int = 1
    """Where the source has no ego log: how many recorded vehicles become an ego, one scenario each; 0: all that can."""
    max_file_bytes: int = MAX_FILE_BYTES


@dataclass(frozen=True)
class Source:
    """One drive: its main file and the files that belong to it."""

    reader: str
    path: Path
    companions: tuple[Path, ...] = ()


class Reader(Protocol):
    """One format. Readers are stateless; :func:`register` makes one known."""

    name: str

    def claims(self, path: Path) -> bool:
        """Whether a file is (or by its name purports to be) the main file of a drive in this format."""
        ...

    def companions(self, path: Path) -> tuple[Path, ...]:
        """Files beside main file ``path`` that belong to its drive."""
        ...

    def orphan(self, path: Path) -> str:
        """Why a file of this format that no drive has claimed is of no use alone; empty if it is not of this format."""
        ...

    def read(self, source: Source, options: ReadOptions) -> list[Scenario]:
        """The scenarios of one drive; :class:`~waytrace.scenario.BadFileError` if there can be none."""
        ...


@dataclass(frozen=True)
class Refused:
    """A file that was not imported, and why."""

    file: Path
    reason: str
    kind: Literal["damaged", "unknown", "document"] = "damaged"
    """``damaged``: a reader took it up and could not use it; ``unknown``: no reader for it; ``document``: no data."""


@dataclass
class Found:
    """What a search came upon: every file is in exactly one of the three."""

    sources: list[Source] = field(default_factory=list)
    companions: list[Path] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files were seen."""
        return len(self.sources) + len(self.companions) + len(self.refused)


_READERS: dict[str, Reader] = {}
DOCUMENT_SUFFIXES = {".md", ".rst", ".html", ".pdf", ".png", ".jpg", ".jpeg", ".svg", ".license"}
DOCUMENT_NAMES = {"readme", "readme.txt", "license", "license.txt", "licence", "copying", "authors"}


def register(reader: Reader) -> None:
    """Make a reader known under its name; later ones are asked after earlier ones."""
    _READERS[reader.name] = reader


def readers() -> tuple[Reader, ...]:
    """All known readers."""
    return tuple(_READERS.values())


def reader_named(name: str) -> Reader:
    """The reader of that name; raises :class:`WaytraceError` if there is none."""
    if name not in _READERS:
        raise WaytraceError(f"no reader is called {name!r}; there are {', '.join(sorted(_READERS))}")
    return _READERS[name]


def detect(path: Path | str) -> Reader | None:
    """The reader for a file, or for the first drive within a folder; None if no reader knows it."""
    path = Path(path)
    if path.is_dir():
        found = find_sources([path])
        return reader_named(found.sources[0].reader) if found.sources else None
    return next((r for r in readers() if r.claims(path)), None)


def _walk(path: Path) -> Iterable[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, names, files in os.walk(path):
        names.sort()
        yield from (Path(folder) / f for f in sorted(files))


def find_sources(paths: Sequence[Path | str]) -> Found:
    """Every file in ``paths`` (folders are walked, in sorted order): a drive's main file, its companion, or refused.

    Raises :class:`WaytraceError` for a path that does not exist.
    """
    files: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.exists():
            raise WaytraceError(f"{path}: no such file or folder")
        files.update(dict.fromkeys(_walk(path)))
    found = Found()
    used: set[Path] = set()
    main: set[Path] = set()
    for file in files:
        reader = next((r for r in readers() if r.claims(file)), None)
        if reader is not None:
            companions = reader.companions(file)
            found.sources.append(Source(reader.name, file, companions))
            main.add(file)
            used.update(companions)
    for file in files:
        if file in main:
            continue
        if file in used:
            found.companions.append(file)
        else:
            found.refused.append(_unclaimed(file))
    return found


def _unclaimed(file: Path) -> Refused:
    name = file.name.lower()
    if file.suffix.lower() in DOCUMENT_SUFFIXES or name in DOCUMENT_NAMES or name.startswith("."):
        return Refused(file, "a document, not a drive", "document")
    for reader in readers():
        reason = reader.orphan(file)
        if reason:
            return Refused(file, reason)
    try:
        empty = file.stat().st_size == 0
    except OSError as error:
        return Refused(file, f"cannot be read ({error.strerror or error})")
    if empty:
        return Refused(file, "the file is empty")
    return Refused(file, f"no reader for this kind of file; there are readers for {', '.join(_READERS)}", "unknown")
