"""Checkpoints that are damaged, killed while they are written, and written to disks that refuse.

    python benchmarks/checkpoint_torture.py [--flips 500] [--kills 200] [--page docs/checkpoint-torture.md]

Two trainings of size nano on samples of a few drives, which save at every step: one of everything (with an average over
its weights), one of adapters over the first. Of each: bits flipped and files cut (``torture_damage``), SIGKILL at
random moments and every n-th write, fsync, rename, open and mkdir of a command failing (``torture_runs``), disks that
are full or read-only and folders that are not there (``torture_disk``); and each row of the table of bad input. Prints
what did not hold, a short table, and as its last line a JSON object; exits with 1 where anything did not hold. POSIX
only.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torture_damage
import torture_disk
import torture_page
from torture_children import start, warm
from torture_page import Found
from torture_runs import Reference, Subject, failing, killed

STEPS = 24
SETTINGS = ("--size", "nano", "--batch", "4", "--eval-every", "1", "--set", "log_every=1", "warmup=2", "eval_samples=8")


def samples(work: Path) -> tuple[str, str]:
    """A store of samples to learn from, and one of split select. Made in children, as all that computes."""
    command = ("train", "collect", "--count", "2", "--families", "ccrm", "cut-in", "--workers", "1")
    for split, more in (("train", ()), ("select", ("--split", "select", "--purpose", "tune", "--first-seed", "900"))):
        child = start([*command, *more, str(work / split)], work / f"{split}.said")
        if child.wait():
            raise RuntimeError(child.printed.read_text())
    return str(work / "train"), str(work / "select")


def subjects(work: Path, stores: Sequence[str], steps: int) -> list[tuple[Subject, Reference]]:
    """The two trainings, each with the run that nobody touches."""
    common = ("train", "sft", stores[0], "--select", stores[1], "--steps", str(steps))
    for name in ("whole", "adapters"):
        (work / name).mkdir()
    whole = Subject("whole", (*common, *SETTINGS, "ema=0.9"), work / "whole")
    first = whole.whole()
    base = first.folder / "checkpoints" / f"step_{steps:07d}"
    adapters = Subject("adapters", (*common, "--init", str(base), "--lora-rank", "4", *SETTINGS), work / "adapters")
    return [(whole, first), (adapters, adapters.whole())]


def tortured(
    pairs: list[tuple[Subject, Reference]], *, flips: int, kills: int, every: int = 1, disks: bool = True, seed: int = 0
) -> Found:
    """All of it on both trainings; ``flips`` and ``kills`` over both together.

    Of the first every ``every``-th call fails, 0 for none; of the second, which writes by the same lines, a third of
    these.
    """
    found = Found(every=every)
    bases = [newest(reference) for _, reference in pairs]
    for k, (subject, reference) in enumerate(pairs):
        if kills:
            found.kills[subject.name] = killed(subject, reference, len(range(kills)[k :: len(pairs)]), seed + k)
            note(f"{subject.name}, kills", found.kills[subject.name])
    for k, (subject, reference) in enumerate(pairs):
        if every:
            found.faults[subject.name] = failing(subject, reference, every * (1, 3)[k])
            note(f"{subject.name}, calls that fail", found.faults[subject.name])
        if disks:
            found.cases[subject.name] = torture_disk.cases(subject, reference)
            held = sum(c.told and c.survived for c in found.cases[subject.name])
            note(f"{subject.name}, disks and folders", f"{held} of {len(found.cases[subject.name])}")
    # PyTorch computes here from now on: no child is forked any more.
    for k, (subject, _) in enumerate(pairs):
        if flips:
            base = bases[0] if k else None
            count = len(range(flips)[k :: len(pairs)])
            found.damage[subject.name] = torture_damage.damaged(bases[k], base, count, seed + k)
            note(f"{subject.name}, damage", found.damage[subject.name])
    if len(pairs) > 1:
        found.table = torture_damage.table(*bases, pairs[1][0].work)
    return found


def newest(reference: Reference) -> Path:
    """The last checkpoint of a run that nobody touched."""
    return reference.folder / "checkpoints" / f"step_{reference.steps:07d}"


def note(what: str, found: object = "") -> None:
    """Say how far it is, and what a part found."""
    print(f"{time.strftime('%H:%M:%S')} {what} {found}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flips", type=int, default=500, help="bits flipped, and as many files cut")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--every", type=int, default=1, help="let every so-manieth call fail; 0 for none")
    parser.add_argument("--no-disks", action="store_true", help="leave out disks and folders")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", nargs=2, metavar=("TRAIN", "SELECT"), help="stores, in place of a few drives")
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="waytrace-torture-") as folder:
        work = Path(folder)
        warm()
        note("samples, and the runs that nobody touches")
        pairs = subjects(work, given.samples or samples(work), given.steps)
        found = tortured(
            pairs, flips=given.flips, kills=given.kills, every=given.every, disks=not given.no_disks, seed=given.seed
        )
    command = shlex.join(["python", "benchmarks/checkpoint_torture.py", *sys.argv[1:]])
    print("\n".join(f"WRONG {line}" for line in found.wrong()))
    print(torture_page.tables(found))
    if given.page:
        given.page.write_text(torture_page.page(found, command), encoding="utf-8")
    print(json.dumps(found.figures()))
    return 1 if found.wrong() else 0


if __name__ == "__main__":
    sys.exit(main())
