"""The scenes and moments that a planner's traces are judged on: options of a command, and the walk through them."""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from waytrace.catalogue import families, generate
from waytrace.scenario import Scenario

SPLIT = "select"
FIRST_SEED = 20_000
DECISIONS = 20
"""Moments are among the first so many decisions: 0 to 9.5 s."""
MOMENTS = 3


def options(parser: argparse.ArgumentParser, page: str) -> None:
    """The arguments that every such command has; ``page`` is where it writes by default."""
    parser.add_argument("checkpoint", type=Path, help="folder of a checkpoint, or the name `shipped`")
    parser.add_argument("--scenes", type=int, default=360)
    parser.add_argument("--moments", type=int, default=MOMENTS, help="decisions that are looked at in each scene")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="first seed of split select")
    parser.add_argument("--page", type=Path, default=Path(page))


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments; ends the command where the seeds are those of others."""
    arguments = parser.parse_args()
    if arguments.seed < 10_000:
        parser.error("seeds below 10000 are those of suites and of sample stores; give one from 10000 on")
    return arguments


def command(name: str, arguments: argparse.Namespace) -> str:
    """What was typed, for the page."""
    moments = f" --moments {arguments.moments}" if arguments.moments != MOMENTS else ""
    return f"python benchmarks/{name}.py {arguments.checkpoint.name} --scenes {arguments.scenes}{moments}"


def ticks(family: str, seed: int, count: int) -> list[int]:
    """The moments of a scene, drawn from its family and seed."""
    drawn = hashlib.sha256(f"figures/{family}/{seed}".encode()).digest()
    random = np.random.default_rng(int.from_bytes(drawn[:8], "big"))
    return sorted(5 * int(k) for k in random.choice(DECISIONS, min(count, DECISIONS), replace=False))


def each(arguments: argparse.Namespace, look: Callable[[Scenario, str, list[int]], None]) -> int:
    """Look at every scene (with its family and its moments' ticks), families in turn; how many were looked at whole.

    Ctrl-C ends it early.
    """
    names, done, began = families(SPLIT), 0, time.monotonic()
    try:
        for k in range(arguments.scenes):
            family, seed = names[k % len(names)], arguments.seed + k // len(names)
            look(generate(family, seed, split=SPLIT), family, ticks(family, seed, arguments.moments))
            done = k + 1
            if done % 10 == 0:
                print(f"\r{done}/{arguments.scenes}, {time.monotonic() - began:.0f} s", end="", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ninterrupted: the page is about what was counted until now", file=sys.stderr)
    return done
