"""Milliseconds of processor time that the provider benchmark takes for one sample, everything but the scorer included.

A run is put to a stand-in server in a process of its own; counted is the time of this process over all its threads,
imports and the first run (which fills caches) left out. What is bounded is 30 ms a sample.
Usage: ``python benchmarks/provider_overhead.py [--quick]``; the last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from waytrace.providers import Settings, Target, endpoint_of, load_book, model_of, run_target
from waytrace.providers.families import Item, Message, Outcome, Reply, Skill, Verdict
from waytrace.providers.stand_in import scripted, serving

BOUND_MS = 30.0


class Echo:
    """Items that cost nothing to score, with prompts of about a thousand tokens."""

    name = "tools"
    version = "echo"

    def __init__(self, count: int) -> None:
        padding = "road " * 800
        self._items = [Item(f"tools/{n:04}", self.name, (Message("user", f"{n:04} {padding}"),)) for n in range(count)]

    def items(self) -> Sequence[Item]:
        """All of them."""
        return self._items

    def score(self, item: Item, reply: Reply) -> Verdict:
        """Whether the item's number came back."""
        right = reply.text == item.id
        return Verdict(Outcome.PASS if right else Outcome.FAIL, float(right))

    def scripted(self, item: Item, skill: Skill) -> Reply:
        """The item's number."""
        return Reply(item.id)


def serve(count: int, pipe: Connection) -> None:
    """Answer until told to end."""
    family = Echo(count)
    with serving(scripted({family.name: family}, "perfect")) as url:
        pipe.send(url)
        pipe.recv()


def measure(url: str, count: int, folder: Path) -> float:
    """Milliseconds of processor time a sample."""
    book = load_book()
    provider = book.provider("glm")
    family = Echo(count)
    settings = Settings(epochs=1, probes=0)
    target = Target(provider, model_of(provider, None), endpoint_of(provider, url), {family.name: family}, settings)
    began = time.process_time()
    end = run_target(target, book, folder, 1.0)
    spent = time.process_time() - began
    if (end.samples, end.stopped) != (count, ""):
        sys.exit(f"The run ended after {end.samples} of {count} samples: {end.stopped}")
    return 1e3 * spent / count


def main() -> None:
    """Measure a few times; print the median."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="30 samples, two runs, to see that it works")
    quick = parser.parse_args().quick
    count, runs = (30, 2) if quick else (200, 6)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(count, theirs), daemon=True)
    server.start()
    url = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(url, count, Path(folder) / str(n)) for n in range(runs)][1:]
    ours.send("end")
    server.join()
    median = sorted(found)[len(found) // 2]
    print(f"{median:.1f} ms of processor time a sample (runs: {', '.join(f'{ms:.1f}' for ms in found)})")
    print(json.dumps({"cpu_ms_per_sample": median, "runs": found, "samples": count, "bound_ms": BOUND_MS}))


if __name__ == "__main__":
    main()
