"""The folder of a run: every call, before and after it was sent, and every score. A line is on disk at once."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waytrace.scenario.disk import explained
from waytrace.scenario.folders import RUN, claim, write_json

from .book import ProviderError
from .secrets import Scrubber

CALLS, SCORES, REQUESTS, MANIFEST = "calls.jsonl", "scores.jsonl", "requests.jsonl", "manifest.json"
SCHEMA = "waytrace.providers/1"

Sample = tuple[str, int]
"""Item and epoch."""


@dataclass
class Found:
    """What a folder holds: events by call number, scores by sample."""

    calls: dict[int, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """Call to ``sent`` and, where it ended, ``answered`` or ``trouble``."""
    scores: dict[Sample, dict[str, Any]] = field(default_factory=dict)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def spent(self) -> float:
        """What all calls cost; one that never ended counts in full."""
        costs = (_end(events).get("cost", events["sent"]["reserved"]) for events in self.calls.values())
        return float(sum(costs))

    def answered(self) -> dict[Sample, int]:
        """Sample to the number of the call that answered it."""
        found = {}
        for number, events in self.calls.items():
            sent = events["sent"]
            if sent["kind"] == "sample" and "answered" in events:
                found[sent["item"], sent["epoch"]] = number
        return found

    def attempts(self) -> dict[Sample, int]:
        """Sample to how often it was asked and there was an end to it."""
        found: dict[Sample, int] = {}
        for events in self.calls.values():
            sent = events["sent"]
            if sent["kind"] == "sample" and _end(events):
                sample = (sent["item"], sent["epoch"])
                found[sample] = max(found.get(sample, 0), sent["attempt"])
        return found


class Journal:
    """Appends to a run's folder, every string scrubbed of keys first."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], scrub: Scrubber) -> None:
        """Claim the folder, or go on with it.

        Raises :class:`ProviderError` where it was begun with other settings, with every difference.
        """
        self.folder = folder
        self.scrub = scrub
        again = "Give another folder with --out, or repeat the command as it was."
        claim(folder, scrub.json(settings), holds="a provider's run", again=again, error=ProviderError)
        self._lock = _locked(folder)
        for name in (CALLS, SCORES, REQUESTS):
            _mend(folder / name)
        self.found = read_folder(folder)
        self.number = max(self.found.calls, default=0)
        self._known = set(self.found.requests)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def sent(self, request: Mapping[str, Any], **facts: Any) -> int:
        """Note a call that is about to be sent; its number."""
        sha = digest(request)
        if sha not in self._known:
            self._known.add(sha)
            self._append(REQUESTS, {"sha256": sha, "request": request})
        self.number += 1
        self._append(CALLS, {"call": self.number, "event": "sent", "request": sha, **facts})
        return self.number

    def ended(self, call: int, event: str, **facts: Any) -> None:
        """Note how a call ended: ``answered`` or ``trouble``."""
        self._append(CALLS, {"call": call, "event": event, **facts})

    def score(self, **facts: Any) -> None:
        """Note how a sample ended."""
        self._append(SCORES, facts)

    def close(self, **facts: Any) -> None:
        """Write the manifest: what the files hold, by sha256, and what is true of this run."""
        hashes = {name: file_hash(self.folder / name) for name in (RUN, CALLS, SCORES, REQUESTS)}
        record = {"schema": SCHEMA, **self.scrub.json(facts), "files": hashes}
        write_json(self.folder / MANIFEST, record)

    def _append(self, name: str, record: Mapping[str, Any]) -> None:
        path = self.folder / name
        line = json.dumps(self.scrub.json(record), allow_nan=False, separators=(",", ":")) + "\n"
        with explained(path, now="What was written before stands"), path.open("ab") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())


def read_folder(folder: Path) -> Found:
    """What the files of a run hold. Raises :class:`ProviderError` where one is damaged."""
    found = Found()
    for line in _lines(folder / CALLS):
        found.calls.setdefault(line["call"], {})[line["event"]] = line
    for line in _lines(folder / SCORES):
        found.scores[line["item"], line["epoch"]] = line
    for line in _lines(folder / REQUESTS):
        found.requests[line["sha256"]] = line["request"]
    if lone := [number for number, events in found.calls.items() if "sent" not in events]:
        raise ProviderError(f"{folder / CALLS}: call {lone[0]} has an end and no beginning. The file was edited.")
    return found


def digest(value: object) -> str:
    """sha256 (hex) over a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """sha256 (hex) of a file; of nothing where there is none."""
    return hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("no object")
        except ValueError as error:
            raise ProviderError(f"{path}, line {number} is no JSON object: {error}.") from error
        yield record


def _mend(path: Path) -> None:
    """Take off a last line that was cut short as the process or the machine died."""
    if path.exists() and (data := path.read_bytes()) and not data.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(data.rfind(b"\n") + 1)


def _locked(folder: Path) -> int:
    """A lock on the folder, given up with the process: two runs into one folder would both pay."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise ProviderError(
            f"{folder} is being written to by another run. Wait for it, or give another folder."
        ) from error
    return handle


def _end(events: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return events.get("answered") or events.get("trouble") or {}
