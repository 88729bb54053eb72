"""Runs that are tortured, what the same run leaves that nobody touched, and how the two are held against each other."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from torture_children import CALLS, HALF, ON, ONCE, Child, Fault, start
from waytrace.learn.config import ConfigError
from waytrace.learn.run_folder import METRICS, RunFolder, read_metrics
from waytrace.microgpt.checkpoint import checkpoint_hash, read_trainer
from waytrace.microgpt.checkpoint_files import CheckpointError

TIMED = ("samples_per_s", "begun")
BEFORE = 3
"""Saves before the one that is made to fail: from the third on, older checkpoints are removed."""
ONE_SAVE = ("minutes=1e-9",)
"""A setting with which a command saves once and ends."""


@dataclass(frozen=True)
class Subject:
    """A training that saves at every step: arguments of ``waytrace train sft``, settings (``--set``) last."""

    name: str
    arguments: tuple[str, ...]
    work: Path
    """Folder for what is made here."""

    def begin(self, out: Path, extra: Sequence[str] = (), **more: Any) -> Child:
        """A child that begins the run at ``out``, or goes on with it; ``extra`` are settings more."""
        return start(self.command(out, extra), self.work / f"{out.name}.said", **more)

    def command(self, out: Path, settings: Sequence[str] = ()) -> list[str]:
        """What is typed after ``waytrace``."""
        return [*self.arguments[:2], "--out", str(out), *self.arguments[2:], *settings]

    def changed(self, option: str, value: str) -> Subject:
        """The same with another option, or another store of samples (``samples``)."""
        given = list(self.arguments)
        if option == "samples":
            given[2] = value
        elif option in given:
            given[given.index(option) + 1] = value
        else:
            given[3:3] = [option, value]
        return replace(self, arguments=tuple(given))

    def ready(self) -> Path:
        """A run that has saved :data:`BEFORE` times; made once."""
        out = self.work / "ready"
        for _ in range(0 if out.exists() else BEFORE):
            if (child := self.begin(out, ONE_SAVE)).wait():
                raise RuntimeError(f"{child.code}: {child.printed.read_text()}")
        return out

    def whole(self) -> Reference:
        """The run that nobody touches."""
        out = self.work / "reference"
        child = self.begin(out, about=checkpoint_hash)
        if child.wait():
            raise RuntimeError(f"the reference run ended with {child.code}: {child.printed.read_text()}")
        saves = [s.at_s for s in child.said]
        return Reference(
            {s.step: s.more for s in child.said if s.what == "saved"}, lines(out), median(np.diff(saves)[::2]),
            median(np.diff(saves[::2])), out,
        )  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """What a run leaves that nobody touched."""

    digest: dict[int, str]
    """sha256 over the manifest by step: of weights, moments and generators, through the hashes of their files."""
    lines: list[dict[str, Any]]
    """Of ``metrics.jsonl``, without what depends on the clock."""
    save_s: float
    cycle_s: float
    """From one save to the next."""
    folder: Path

    @property
    def steps(self) -> int:
        """Steps in all."""
        return max(self.digest)


@dataclass
class Outcome:
    """What was found in a run's folder, over many trials."""

    trials: int = 0
    unreadable: int = 0
    older: int = 0
    """``latest`` was of before the last save that was complete."""
    exact: int = 0
    """``latest`` and all lines up to it were those of the run that nobody touched, bit for bit."""
    wrong: list[str] = field(default_factory=list)

    def look(self, out: Path, reference: Reference, completed: int, what: str) -> int:
        """Look at a folder after a trial; the step of its newest checkpoint, 0 for none."""
        self.trials += 1
        step = 0
        try:
            folder = RunFolder(out)
            for checkpoint in out.glob("checkpoints/step_*"):
                if checkpoint.name[5:].isdigit():
                    checkpoint_hash(checkpoint)
            newest = folder.latest()
            step = int(newest.name[5:]) if newest else 0
            found = checkpoint_hash(newest) if newest else ""
            if newest:
                read_trainer(newest)
            before = [r for r in reference.lines if r["step"] <= step]
            same = found == reference.digest.get(step, "") and (step == 0 or lines(out, step) == before)
        except (CheckpointError, ConfigError, OSError, ValueError) as error:
            self.unreadable += 1
            self.wrong.append(f"{what}: {error}")
            return step
        if step < completed:
            self.older += 1
            self.wrong.append(f"{what}: at step {step}, though step {completed} was complete")
        if same:
            self.exact += 1
        else:
            self.wrong.append(f"{what}: step {step} is not that of the run that nobody touched")
        return step


@dataclass
class Kills(Outcome):
    """Trials in which the child was killed."""

    in_a_save: int = 0
    runs: int = 0
    """Runs that came to their end over many kills."""
    runs_exact: int = 0


@dataclass
class Faults(Outcome):
    """Trials in which a call failed, by call and manner."""

    calls: dict[str, int] = field(default_factory=dict)
    """How many there are of each in a command that saves once."""
    told: int = 0
    """Ended with 2 and one line that says why, or ended well and lost nothing."""
    went_on: int = 0
    """Of these, how many ended well."""
    resumed: int = 0
    """The same command then went on, to the same bits."""


def lines(run: Path, upto: int | None = None) -> list[dict[str, Any]]:
    """What was measured, without what depends on the clock; up to a step."""
    kept = (r for r in read_metrics(run / METRICS) if r["kind"] in ("trained", "train", "select"))
    return [{k: v for k, v in r.items() if k not in TIMED} for r in kept if upto is None or r["step"] <= upto]


def killed(subject: Subject, reference: Reference, count: int, seed: int) -> Kills:
    """Kill a training ``count`` times at random moments, half of them in a save; begin another when one is through."""
    random, out, found, number, completed = np.random.default_rng(seed), subject.work / "killed", Kills(), 0, 0
    shutil.rmtree(out, ignore_errors=True)
    while True:
        child = subject.begin(out)
        alive = True
        if found.trials < count:
            if random.random() < 0.5:
                after = int(random.integers(1, 4))
                while alive and sum(s.what == "begin" for s in child.said) < after:
                    alive = child.hear(60.0)
                wait_s = random.uniform(0.0, reference.save_s)
            else:
                wait_s = random.uniform(0.0, 6.0 * reference.cycle_s)
            if alive and not _ended(child, wait_s):
                child.kill()
        if child.code is None:
            child.wait()
        completed = max(completed, child.saved)
        if child.code == -9:
            found.in_a_save += child.saving
            completed = max(completed, found.look(out, reference, completed, f"{subject.name}, kill {number}"))
            number += 1
            continue
        found.runs += 1
        same = child.code == 0 and completed == reference.steps and lines(out) == reference.lines
        found.runs_exact += same and _files(out) == _files(reference.folder)
        if not same:
            found.wrong.append(f"{subject.name}: a run that was killed ended with {child.code}: {_last(child)}")
        if found.trials >= count:
            return found
        shutil.rmtree(out)
        completed = 0


def _ended(child: Child, seconds: float) -> bool:
    """Whether the child ends by itself within so many seconds."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0.0:
        if not child.hear(left):
            return True
    return False


def failing(subject: Subject, reference: Reference, every: int = 1) -> Faults:
    """Let every n-th call of each kind fail in a command that saves once; ``every`` leaves some out."""
    ready, out, found = subject.ready(), subject.work / "failing", Faults()
    shutil.copytree(ready, out)
    counted = subject.begin(out, ONE_SAVE, fault=Fault("", 0))
    counted.wait()
    found.calls = counted.counts
    for call in CALLS:
        for manner in (ONCE, ON, HALF) if call == "write" else (ONCE, ON):
            for number in range(1, found.calls[call] + 1, every):
                shutil.rmtree(out)
                shutil.copytree(ready, out)
                child = subject.begin(out, ONE_SAVE, fault=Fault(call, number, manner))
                child.wait()
                what = f"{subject.name}, {call} {number} failing {manner}"
                step = found.look(out, reference, max(BEFORE, child.saved), what)
                found.went_on += child.code == 0
                if child.code == 0 or (child.code == 2 and one_line(child.printed.read_text())):
                    found.told += 1
                else:
                    found.wrong.append(f"{what}: ended with {child.code}: {child.printed.read_text()[-600:]}")
                again = subject.begin(out, ONE_SAVE)
                then = Outcome()
                if again.wait() == 0 and then.look(out, reference, step + 1, what) == step + 1 and then.exact:
                    found.resumed += 1
                else:
                    found.wrong.append(f"{what}: the same command then ended with {again.code}: {_last(again)}")
    return found


def one_line(said: str) -> bool:
    """Whether what was printed ends with one line that says why, and nothing of a traceback."""
    return "Traceback" not in said and said.rstrip("\n").rpartition("\n")[2].startswith("waytrace train sft: ")


def _last(child: Child) -> str:
    return child.printed.read_text()[-600:]


def _files(run: Path) -> dict[str, bytes]:
    """Every byte of the newest checkpoint."""
    newest = RunFolder(run).latest()
    assert newest is not None
    return {p.relative_to(newest).as_posix(): p.read_bytes() for p in newest.rglob("*") if p.is_file()}
