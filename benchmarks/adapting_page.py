"""The page of what adapters reach on a family that a planner has never seen; what was not run says so."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pays_counts import DRAWS, Driven, between
from waytrace.cli.tables import markdown

NOT_RUN = "not run"
ABOUT = {"base": "never saw the family", "full": "all weights", "lora": "adapters of rank 8, and the heads"}
Stamps = Mapping[str, Mapping[str, Any]]


class Share(NamedTuple):
    """The adapters' gain as a share of full fine-tuning's, with its interval (95 %)."""

    value: float
    low: float | None
    """None, with ``high``, where full fine-tuning gains nothing in some draws: a share of that means nothing."""
    high: float | None


def found(stamps: Stamps, way: str, where: str, seeds: int) -> Driven:
    """What a way drove; the base has one training, which stands beside every seed."""
    kept = {}
    for seed in range(seeds):
        name = "base" if way == "base" else f"{way}-{seed}"
        figures = stamps.get(f"drive-{name}-{where}", {}).get("figures")
        if figures is not None:
            kept[seed] = figures
    return Driven.of(kept)


def share(base: Driven, full: Driven, lora: Driven) -> Share | None:
    """Gain of the adapters over gain of full fine-tuning, over the scenes that all have driven, places drawn together.

    None where something was not run, or where full fine-tuning gains nothing.
    """
    seeds = sorted(set(base.seeds) & set(full.seeds) & set(lora.seeds))
    if not seeds:
        return None
    ids = sorted(set.intersection(*(set(d.seeds[s]) for d in (base, full, lora) for s in seeds)))
    score = np.array([[np.mean([d.seeds[s][id][0] for s in seeds]) for id in ids] for d in (base, full, lora)])
    names, member = np.unique([base.cluster[id] for id in ids], return_inverse=True)
    sums = np.array([np.bincount(member, weights=row, minlength=len(names)) for row in score])
    sizes = np.bincount(member, minlength=len(names))
    drawn = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=DRAWS)
    means = drawn @ sums.T / (drawn @ sizes)[:, None]
    gained = means[:, 1] - means[:, 0]
    whole = score.mean(1)
    if whole[1] <= whole[0]:
        return None
    value = float((whole[2] - whole[0]) / (whole[1] - whole[0]))
    if not (gained > 0.0).all():
        return Share(value, None, None)
    low, high = np.quantile((means[:, 2] - means[:, 0]) / gained, [0.025, 0.975])
    return Share(value, float(low), float(high))


def summary(stamps: Stamps, seeds: int) -> dict[str, Any]:
    """The figures as JSON; None for what was not run."""
    drove = {(way, where): found(stamps, way, where, seeds) for way in ABOUT for where in ("new", "old")}
    gained = share(drove["base", "new"], drove["full", "new"], drove["lora", "new"])
    return {
        "scores": {f"{way}-{where}": _mean(d.scores()) for (way, where), d in drove.items()},
        "gains": {way: between(drove[way, "new"], drove["base", "new"])._asdict() for way in ("full", "lora")},
        "share": gained._asdict() if gained else None,
        "kept": {way: _ratio(drove[way, "old"], drove["base", "old"]) for way in ("full", "lora")},
        "adapter_share_of_bytes": _bytes(stamps, seeds),
    }


def page(stamps: Stamps, family: str, seeds: int) -> str:
    """The page as Markdown."""
    told = summary(stamps, seeds)
    rows = []
    for way, about in ABOUT.items():
        new, old = found(stamps, way, "new", seeds), found(stamps, way, "old", seeds)
        gain = None if way == "base" else between(new, found(stamps, "base", "new", seeds))
        rows.append([
            f"`{way}`: {about}", _scores(new), "-" if gain is None else _interval(gain.value, gain.low, gain.high),
            _percent(new.at_fault()), _scores(old), "-" if way == "base" else _percent(told["kept"][way]),
            _percent(old.at_fault()),
        ])  # fmt: skip
    scenes = {where: _count(found(stamps, "base", where, seeds)) for where in ("new", "old")}
    samples = {name: stamp["figures"]["samples"] for name, stamp in stamps.items() if _ended(name, stamp, "samples-")}
    trainings = [
        [name.removeprefix("train-"), f"{stamp['settings']['steps']:,}", f"{stamp['settings']['lr']:g}",
         f"{stamp['seconds'] / 60.0:.0f} min"]
        for name, stamp in stamps.items() if _ended(name, stamp, "train-")
    ]  # fmt: skip
    gained = told["share"]
    lines = [
        "# Adapters beside full fine-tuning",
        "",
        f"Made by `python benchmarks/adapting.py --family {family}`; not edited by hand. {time.strftime('%Y-%m-%d')}, "
        f"{os.cpu_count()} cores, {seeds} training{'s' if seeds > 1 else ''} of each way.",
        "",
        f"The base learned from drives of every family but `{family}`; then the family is learned, beside drives of "
        f"the others as they were. {scenes['new']} scenes of the family (split select, seeds of their own) and "
        f"{scenes['old']} of the others (suite `pr`), closed loop, scenes that the oracle can drive.",
        "",
        markdown(
            ["planner", f"score on `{family}`", "gain [95 %]", "at fault", "score on the others", "of the base's",
             "at fault"],
            rows,
        ),
        "",
        f"Adapters gain {_times(gained)} what full fine-tuning gains. They hold "
        f"{_percent(told['adapter_share_of_bytes'])} of the bytes of the merged weights; the heads, which both train, "
        "come on top.",
        "",
        "Intervals draw places (scenes of one layout) with replacement; trainings differ by more than that.",
        "",
        markdown(["training", "steps", "learning rate", "took"], trainings or [[NOT_RUN] * 4]),
        "",
        "Samples: " + (", ".join(f"{n.removeprefix('samples-')} {c:,}" for n, c in samples.items()) or NOT_RUN) + ".",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _times(gained: Mapping[str, Any] | None) -> str:
    if gained is None:
        return f"({NOT_RUN})"
    if gained["low"] is None:
        return f"**{gained['value']:.2f}** times (no interval: in some draws full fine-tuning gains nothing)"
    return f"**{gained['value']:.2f}** [{gained['low']:.2f}, {gained['high']:.2f}] times"


def _ended(name: str, stamp: Mapping[str, Any], kind: str) -> bool:
    return name.startswith(kind) and "figures" in stamp


def _bytes(stamps: Stamps, seeds: int) -> float | None:
    sizes = [stamps[n]["figures"] for s in range(seeds) if "figures" in stamps.get(n := f"size-lora-{s}", {})]
    return float(np.mean([size["adapter"] / size["merged"] for size in sizes])) if sizes else None


def _ratio(one: Driven, other: Driven) -> float | None:
    mine, base = _mean(one.scores()), _mean(other.scores())
    return None if mine is None or not base else mine / base


def _count(driven: Driven) -> str:
    return str(len(next(iter(driven.seeds.values())))) if driven.seeds else NOT_RUN


def _scores(driven: Driven) -> str:
    return ", ".join(f"{score:.3f}" for score in dict.fromkeys(driven.scores())) or NOT_RUN


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _percent(value: float | None) -> str:
    return NOT_RUN if value is None else f"{100.0 * value:.1f} %"


def _interval(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return NOT_RUN
    return f"{value:+.3f}" + ("" if low is None or high is None else f" [{low:+.3f}, {high:+.3f}]")
