"""The card of the planner that comes with the package: what it learned from, how long it took, how it drives."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import waytrace
from waytrace.learn.dagger import Dagger
from waytrace.learn.progress import duration
from waytrace.microgpt.checkpoint import checkpoint_hash, read_checkpoint
from waytrace.microgpt.parameters import count
from waytrace.scenario.revision import code_digest

Stamps = Mapping[str, Mapping[str, Any]]

KINDS = {
    "scenes": "scenes generated, by themselves", "samples": "scenes generated, driven and labelled", "train": "trained",
    "score": "scored",
}  # fmt: skip
"""First word of a stage's name to what was done in it."""


def card(plan: Dagger, stamps: Stamps, exported: Path) -> str:
    """The page, from the stamps of the stages; figures that were not measured are not on it."""
    read = read_checkpoint(exported)
    size = sum(p.stat().st_size for p in exported.rglob("*") if p.is_file())
    made = f"Waytrace {waytrace.__version__}, code `{code_digest()[:12]}`, {time.strftime('%Y-%m-%d')}"
    shape = f"depth {read.config.depth} and width {read.config.width}, {count(read.parameters):,} parameters"
    lines = [
        "# The shipped planner",
        "",
        f"Made by `make train-shipped`; not edited by hand. {made}, {os.cpu_count()} cores.",
        "",
        f"A micro GPT of {shape}, {size / 1e6:.1f} MB, checkpoint `{checkpoint_hash(exported)[:12]}`. It has seen "
        "generated scenes of split train alone; its checkpoint was chosen by the loss on split select. It is a planner "
        "for experiments in simulation, not one to drive a car with.",
        "",
        "## Data",
        "",
        "| samples | who drove | scenes | samples | failed |",
        "| --- | --- | ---: | ---: | ---: |",
        *_data(stamps),
        "",
        "Whoever drove, the expert says at every decision what it would do there. Failed scenes are in no sample.",
        "",
        "## Training",
        "",
        f"{plan.sft.precision}, batch {plan.sft.batch}, {plan.sft.optimiser}, {plan.processes} processes. Round 0 "
        "learns from drives of the expert; in each later one the planner of the round before drives, the expert says "
        "what it would have done there, and training goes on with all samples so far.",
        "",
        "| training | steps | learning rate | samples | ended |",
        "| --- | ---: | --- | ---: | --- |",
        *_trainings(stamps),
        "",
        "## Time",
        "",
        "| what | time |",
        "| --- | ---: |",
        *_times(stamps),
        "",
        *_found(stamps),
        "## Scores",
        "",
        "Closed loop, means over the scenes that the oracle admits. `pr` is of split select, which checkpoints were "
        "chosen on: a figure to develop by. Where a mode ends in `once` the first thought is driven; without it the "
        "planner looks at its plan and, where that does harm, [thinks again](microgpt.md#second-thoughts).",
        "",
        "| suite | mode | score [95 %] | oracle | at fault | off road | scenes | failed | result hash |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
        *_scores(stamps),
        "",
        *_families(stamps),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _of(stamps: Stamps, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, stamp in stamps.items():
        first, _, rest = name.partition("-")
        if first == kind and "figures" in stamp:
            yield rest, stamp


def _data(stamps: Stamps) -> Iterator[str]:
    scenes = {name: stamp["figures"]["scenes"] for name, stamp in _of(stamps, "scenes")}
    for name, stamp in _of(stamps, "samples"):
        figures = stamp["figures"]
        driver = stamp["settings"]["driver"]
        yield f"| {name} | {driver} | {scenes[name]:,} | {figures['samples']:,} | {figures['failed']} |"


def _trainings(stamps: Stamps) -> Iterator[str]:
    for name, stamp in _of(stamps, "train"):
        figures = stamp["figures"]
        lr, end = stamp["settings"]["lr"], stamp["settings"]["lr_end"]
        yield (
            f"| {name} | {figures['step']:,} | {lr:g} to {lr * end:.2g} | {figures['samples']:,} | {figures['ended']} |"
        )


def _times(stamps: Stamps) -> Iterator[str]:
    for kind, what in KINDS.items():
        yield f"| {what} | {duration(sum(stamp['seconds'] for _, stamp in _of(stamps, kind)))} |"


def _found(stamps: Stamps) -> Iterator[str]:
    found = [name for name, stamp in _of(stamps, "samples") if stamp["figures"]["found"]]
    if found:
        yield f"Samples that were there already are not in these times: {', '.join(found)}."
        yield ""


def _scores(stamps: Stamps) -> Iterator[str]:
    for name, stamp in _of(stamps, "score"):
        f = stamp["figures"]
        suite, _, mode = name.partition("-")
        interval = "" if f["score_interval"] is None else " [{:.2f}, {:.2f}]".format(*f["score_interval"])
        yield (
            f"| {suite} | {mode} | {_figure(f['score'])}{interval} | {_figure(f['oracle_score'])} | "
            f"{_share(f['at_fault_collision_rate'])} | {_share(f['off_road_rate'])} | {f['count']} | {f['failed']} | "
            f"`{f['result_hash'][:12]}` |"
        )


def _families(stamps: Stamps) -> Iterator[str]:
    scored = {name: stamp["figures"]["families"] for name, stamp in _of(stamps, "score")}
    names = list(dict.fromkeys(family for families in scored.values() for family in families))
    yield f"| family | {' | '.join(scored)} |"
    yield f"| --- |{' ---: |' * len(scored)}"
    for family in names:
        yield f"| {family} | {' | '.join(_figure(families.get(family)) for families in scored.values())} |"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
