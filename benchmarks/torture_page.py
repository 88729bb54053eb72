"""What the torture of checkpoints found: figures, tables, the page."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import waytrace
from torture_children import CALLS
from torture_damage import Damage
from torture_disk import Case
from torture_runs import BEFORE, Faults, Kills
from waytrace.cli.tables import markdown


@dataclass
class Found:
    """Everything that was found, by the name of the training."""

    every: int = 1
    """Of the calls in a command, every so-manieth was made to fail."""
    damage: dict[str, Damage] = field(default_factory=dict)
    kills: dict[str, Kills] = field(default_factory=dict)
    faults: dict[str, Faults] = field(default_factory=dict)
    cases: dict[str, list[Case]] = field(default_factory=dict)
    table: dict[str, str] = field(default_factory=dict)
    """Rows of the table of bad input, each with what was said; empty for what is not as it should be."""

    def wrong(self) -> list[str]:
        """What did not hold, in words."""
        out = [
            line for part in (self.damage, self.kills, self.faults) for found in part.values() for line in found.wrong
        ]
        for name, cases in self.cases.items():
            out += [f"{name}, {c.name}: exit code {c.code}, {c.line!r}" for c in cases if not c.told]
            out += [f"{name}, {c.name}: the checkpoint of before did not survive" for c in cases if not c.survived]
        return out + [f"table: {row}" for row, text in self.table.items() if not text]

    def figures(self) -> dict[str, Any]:
        """Counts over both trainings."""
        damage, kills, faults = (list(part.values()) for part in (self.damage, self.kills, self.faults))
        cases = [c for some in self.cases.values() for c in some]
        return {
            "flips": sum(d.trials["flips"] for d in damage),
            "truncations": sum(d.trials["truncations"] for d in damage),
            "detected": sum(d.detected for d in damage), "named": sum(d.named for d in damage),
            "kills": sum(k.trials for k in kills), "kills_in_a_save": sum(k.in_a_save for k in kills),
            "unreadable": sum(k.unreadable for k in kills), "older_than_completed": sum(k.older for k in kills),
            "resumed_bit_exact": sum(k.exact for k in kills), "runs_to_the_end": sum(k.runs for k in kills),
            "runs_bit_exact": sum(k.runs_exact for k in kills),
            "calls": {call: sum(f.calls.get(call, 0) for f in faults) for call in CALLS},
            "failures": sum(f.trials for f in faults), "failures_unreadable": sum(f.unreadable for f in faults),
            "failures_older_than_completed": sum(f.older for f in faults),
            "failures_bit_exact": sum(f.exact for f in faults), "failures_told": sum(f.told for f in faults),
            "failures_resumed_bit_exact": sum(f.resumed for f in faults),
            "disk_cases": len(cases), "disk_told": sum(c.told for c in cases),
            "disk_survived": sum(c.survived for c in cases),
            "table_rows": len(self.table), "table_as_ours": sum(bool(text) for text in self.table.values()),
        }  # fmt: skip


def tables(found: Found) -> str:
    """The short table."""
    f = found.figures()
    damage, kills, failures = f["flips"] + f["truncations"], f["kills"], f["failures"]
    rows = [
        ["rows of the table of bad input that are as they should be", f["table_as_ours"], f["table_rows"]],
        ["bits flipped and files cut: refused by every reader before use", f["detected"], damage],
        ["of these, the file named", f["named"], damage],
        ["SIGKILL: every checkpoint that bears a name readable", kills - f["unreadable"], kills],
        ["`latest` not older than the last save that was complete", kills - f["older_than_completed"], kills],
        ["`latest`, and all metrics up to it, bit for bit those of the run nobody touched", f["resumed_bit_exact"],
         kills],
        ["runs killed again and again that ended with the same bits", f["runs_bit_exact"], f["runs_to_the_end"]],
        ["a call that fails: every checkpoint that bears a name readable", failures - f["failures_unreadable"],
         failures],
        ["`latest` not older than the last save that was complete", failures - f["failures_older_than_completed"],
         failures],
        ["exit code 2 and one line that says why, or nothing lost and 0", f["failures_told"], failures],
        ["the same command then goes on with the same bits", f["failures_resumed_bit_exact"], failures],
        ["disks and folders: exit code 2, and one line that names it", f["disk_told"], f["disk_cases"]],
        ["the checkpoint of before whole, and the run goes on from it", f["disk_survived"], f["disk_cases"]],
    ]  # fmt: skip
    return markdown(["", "holds", "of"], [[name, str(holds), str(of)] for name, holds, of in rows])


def page(found: Found, command: str) -> str:
    """The page as Markdown; ``command`` is what made it."""
    f = found.figures()
    faults = [[call, *(str(v.calls.get(call, 0)) for v in found.faults.values())] for call in CALLS]
    cases = [
        [c.name, str(c.code), f"`{_short(c.line)}`", "yes" if c.survived else "**no**"]
        for c in next(iter(found.cases.values()), [])
    ]
    rows = [[row, _short(text) or "**not as it should be**"] for row, text in found.table.items()]
    real = any("read-only" in row[0] for row in cases)
    disk = "file systems in memory" if real else "a limit on the size of files; none is read-only (no right to mount)"
    every = "every n" if found.every == 1 else f"one n in {found.every}"
    wrong = "\n".join(f"- {line}" for line in found.wrong()) or "Nothing."
    return f"""# Checkpoints under torture

Made by `{command}`; not edited by hand. Waytrace {waytrace.__version__}, {date.today().isoformat()}, Python
{platform.python_version()} on {platform.system()} ({platform.machine()}).

Two trainings of size nano that save at every step, on samples of a few drives: *whole* trains everything and drives
with an average over its weights; *adapters* trains adapters of rank 4 over the last checkpoint of *whole*, and the
heads. Each has a run that nobody touches. "The same bits" is the sha256 over a checkpoint's manifest, which has the
sha256 of every file: weights, moments, the generator's state, the best look; and every line of losses and figures up to
it.

{tables(found)}

What did not hold:

{wrong}

## What was done

**Damage.** {f["flips"]} times one bit of one file flipped, {f["truncations"]} times one file cut, of a checkpoint or
of the base it stands on; files and bytes drawn at random. Three readers are asked: the planner without PyTorch, the
model, and the state of training.

**Kills.** {f["kills"]} times SIGKILL to a process that trains, {f["kills_in_a_save"]} of them in a save: half wait for
a save to begin and then for a random part of the time that one takes, half come at a random moment of the first six
saves' time, the process's beginning included. Every next process goes on where the one before was killed. A save is
complete when `latest` names it. A kill loses nothing that the kernel has been given: what a power cut leaves is what
the syncs are for, and is not tested here.

**Calls that fail.** In a command that goes on after {BEFORE} saves and makes one more, the n-th call of each kind
fails, for {every}: once, or it and all that follow; of writes also so that half is taken and then nothing. Full disks
answer open, mkdir and write (ENOSPC), broken ones fsync and rename (EIO). Of *adapters* it is a third of these. Calls
in such a command:

{markdown(["", *found.faults], faults)}

**Disks and folders.** Listed is *whole*, *adapters* is in the figures above. Full and read-only disks are {disk}. The
last column: the checkpoint of before is whole, and once the cause is gone the same command goes on from it to the same
bits.

{_words(["what is wrong", "exit code", "said", "survived"], cases)}

## Bad input

{_words(["case", "what came of it"], rows)}
"""


def _words(columns: list[str], rows: list[list[str]]) -> str:
    """A table of words."""
    return markdown(columns, rows).replace(" ---: |", " --- |")


def _short(text: str) -> str:
    """A message without the folder that this was done in, for a table."""
    return re.sub(r"\S*waytrace-torture-[^/]*/", "", text).replace("|", "\\|")
