"""A folder of labels: read one decision at a time, every shard checked against its sha256 at first touch."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from waytrace.scenario import StoreError
from waytrace.trace import vocabulary_hash
from waytrace.trace.file import TraceLine, read_traces

FORMAT = "waytrace.labels/1"


class LabelStore:
    """What ``waytrace label`` left: a lazy, read-only sequence of decisions in the order of the scenarios."""

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path, self.manifest = path, manifest
        self._checked: set[str] = set()
        self._shard_of = {i: entry for entry in manifest["shards"] for i in entry["ids"]}

    @classmethod
    def open(cls, path: Path | str) -> LabelStore:
        """Open a folder. Raises :class:`StoreError` where there is none, a broken one, or one of other slots."""
        folder = Path(path)
        file = folder / "manifest.json"
        if not file.exists():
            begun = (folder / "run.json").exists()
            hint = "It was begun and not finished: repeat the command." if begun else "`waytrace label` makes one."
            raise StoreError(f"{folder} holds no finished labels. {hint}")
        try:
            manifest = json.loads(file.read_text())
            if manifest["format"] != FORMAT:
                raise ValueError(f"its format is {manifest['format']!r}, not {FORMAT!r}")
            vocabulary = manifest["vocabulary"]
            for entry in manifest["shards"]:
                entry["file"], entry["sha256"], entry["bytes"], entry["ids"]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} is damaged or of another kind: {error}. Label again.") from error
        if vocabulary != vocabulary_hash():
            raise StoreError(
                f"{folder} was labelled with other slots (vocabulary {str(vocabulary)[:12]}, this version has "
                f"{vocabulary_hash()[:12]}). Label again."
            )
        return cls(folder, manifest)

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Ids of the labelled scenarios, in order."""
        return tuple(self._shard_of)

    @property
    def families(self) -> dict[str, Counter[str]]:
        """Counts by family (by source for recorded drives): scenarios, decisions, gates, truncated_causes."""
        return {name: Counter(tally) for name, tally in self.manifest["families"].items()}

    def __len__(self) -> int:
        return sum(tally["decisions"] for tally in self.families.values())

    def __iter__(self) -> Iterator[TraceLine]:
        """Every decision in order, one in memory at a time."""
        for entry in self.manifest["shards"]:
            yield from self._read(entry)

    def of(self, scenario: str) -> list[TraceLine]:
        """The decisions of one scenario. Raises :class:`StoreError` for one that is not labelled here."""
        if scenario not in self._shard_of:
            raise StoreError(f"{self.path} has no labels of {scenario!r}; it holds {len(self._shard_of)} others.")
        return [one for one in self._read(self._shard_of[scenario]) if one.scenario == scenario]

    def _read(self, entry: dict[str, Any]) -> Iterator[TraceLine]:
        file = self.path / "shards" / entry["file"]
        if entry["file"] not in self._checked:
            _check(file, entry)
            self._checked.add(entry["file"])
        yield from read_traces(file)


def _check(file: Path, entry: dict[str, Any]) -> None:
    if not file.exists():
        raise StoreError(f"{file} is missing. Repeat the labelling command: it makes what is not there.")
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != entry["sha256"]:
        raise StoreError(f"{file} is not what the manifest says (sha256). Delete it and repeat the labelling command.")
