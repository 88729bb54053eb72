"""A supervised run in processes of its own, by torchrun: what ``torchrun -m waytrace train sft`` does, from Python."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waytrace.scenario import WaytraceError
from waytrace.scenario.folders import write_json

from .config import ConfigError, SftConfig
from .progress import Note, quiet
from .sft import train_sft

ASKED, ANSWERED = "asked.json", "answered.json"


@dataclass(frozen=True)
class Outcome:
    """Where a run stands, as :class:`waytrace.learn.sft.Trained` has it."""

    checkpoint: Path
    best: Path | None
    step: int
    ended: str
    finished: bool


def train_together(config: SftConfig, out: Path, processes: int, note: Note = quiet) -> Outcome:
    """Train with so many processes on this machine, or in this one; repeating the call goes on.

    Raises :class:`ConfigError` for what the run cannot be begun with, and where its processes ended early.
    """
    if processes == 1:
        done = train_sft(config, out, note=note)
        return Outcome(done.checkpoint, done.best, done.step, done.ended, done.finished)
    with tempfile.TemporaryDirectory(prefix="waytrace-") as folder:
        mail = Path(folder)
        write_json(mail / ASKED, config.to_json() | {"out": str(out.absolute())})
        command = [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes),
            "-m", "waytrace.learn.launch", folder,
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as crew:
            assert crew.stdout is not None
            for line in crew.stdout:
                note(line.rstrip())
        answer = json.loads((mail / ANSWERED).read_text()) if (mail / ANSWERED).exists() else {}
    if "error" in answer:
        raise ConfigError(answer["error"])
    if crew.returncode or not answer:
        raise ConfigError(f"The processes that train {out} ended with {crew.returncode}; what they said is above.")
    best = Path(answer["best"]) if answer["best"] else None
    return Outcome(Path(answer["checkpoint"]), best, answer["step"], answer["ended"], answer["finished"])


def main(mail: Path) -> int:
    """What every process runs: the run that is asked for in a folder, where the answer goes too."""
    asked: dict[str, Any] = json.loads((mail / ASKED).read_text())
    out = asked.pop("out")
    given: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in asked.items()}
    try:
        done = train_sft(SftConfig(**given), out, note=lambda text: print(text, flush=True))
    except WaytraceError as error:
        write_json(mail / ANSWERED, {"error": str(error)})
        return 2
    if done.leads:
        answer = {
            "checkpoint": str(done.checkpoint), "best": str(done.best) if done.best else "", "step": done.step,
            "ended": done.ended, "finished": done.finished,
        }  # fmt: skip
        write_json(mail / ANSWERED, answer)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
