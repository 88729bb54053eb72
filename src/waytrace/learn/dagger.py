"""From nothing to a planner that drives: samples of the expert, training, and rounds on what the learner does wrong.

DAgger (Ross, Gordon and Bagnell 2011, https://arxiv.org/abs/1011.0686): the learner drives, the expert says at every
decision what it would do there, and all samples so far are learned from again. Unlike in the paper the learner drives
alone from the first round on, and a round goes on from the weights of the one before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from waytrace.catalogue import generate_many
from waytrace.scenario.splits import Purpose

from .collect import collect
from .config import ConfigError, SftConfig
from .launch import train_together
from .samples import SampleStore
from .stages import OutOfTimeError, Stages


@dataclass(frozen=True)
class Drives:
    """Generated scenes, their families in turn, and who drives in them; each gives about 33 samples."""

    name: str
    driver: str
    """``expert``, ``perturbed`` or ``policy``."""
    count: int
    first_seed: int
    split: str = "train"
    families: tuple[str, ...] = ()
    """Empty for all."""

    @property
    def settings(self) -> dict[str, Any]:
        """What the samples depend on; families where they are not all."""
        return {name: value for name, value in asdict(self).items() if name != "families" or value}

    def __post_init__(self) -> None:
        if self.count <= 0 or self.first_seed < 0:
            raise ConfigError(f"Drives {self.name}: count must be positive, first_seed not negative.")


@dataclass(frozen=True)
class Round:
    """The learner drives, and learns on from what it did there."""

    drives: Drives
    steps: int
    lr: float
    lr_end: float
    """Learning rate at the end, as a share of ``lr``."""
    own_words: float = 0.0
    """As in :class:`SftConfig`."""


@dataclass(frozen=True)
class Dagger:
    """An experiment."""

    sft: SftConfig
    """Of the first training; its samples, ``select`` and ``init`` are filled in."""
    train: tuple[Drives, ...]
    """What the first training learns from."""
    select: tuple[Drives, ...]
    """What checkpoints are chosen by."""
    rounds: tuple[Round, ...]
    """After the first training."""
    processes: int = 1
    """That train together."""

    def __post_init__(self) -> None:
        drives = (*self.train, *self.select, *(turn.drives for turn in self.rounds))
        names = [one.name for one in drives]
        if len(set(names)) < len(names):
            raise ConfigError(f"Two sets of drives have one name: {', '.join(names)}.")

    @property
    def trainings(self) -> tuple[SftConfig, ...]:
        """The first training, before the learner has driven, and that of each round."""
        of_rounds = (
            replace(self.sft, steps=turn.steps, lr=turn.lr, lr_end=turn.lr_end, own_words=turn.own_words)
            for turn in self.rounds
        )
        return self.sft, *of_rounds


def run_dagger(plan: Dagger, stages: Stages, *, workers: int = 1) -> Path:
    """The checkpoint of the last round that is best on select. Raises :class:`OutOfTimeError` where time is over.

    Repeating the call goes on: collections shard by shard, trainings from their last checkpoint.
    """
    select = [collected(stages, drives, workers) for drives in plan.select]
    samples = [collected(stages, drives, workers) for drives in plan.train]
    best: Path | None = None
    for number, config in enumerate(plan.trainings):
        if best is not None:
            samples.append(collected(stages, plan.rounds[number - 1].drives, workers, planner=str(best)))
        config = replace(config, samples=tuple(samples), select=tuple(select), init=str(best or ""))
        best = _trained(config, stages, f"round-{number}", plan.processes)
    assert best is not None, "there is a first training"
    return best


def collected(stages: Stages, drives: Drives, workers: int, planner: str = "") -> str:
    """Samples of some drives. Their scenes are generated once more before, by themselves, to know what that takes.

    A learner that drives has no second thoughts: it is to get into all that its first ones lead to.
    """
    settings, families = drives.settings, drives.families or None
    out = stages.folder / "samples" / drives.name

    def generated() -> Mapping[str, Any]:
        count = sum(1 for _ in generate_many(drives.count, families, drives.split, drives.first_seed))
        return {"scenes": count}

    def labelled() -> Mapping[str, Any]:
        drives_once = f"{planner}:once" if planner else ""
        found = (out / "manifest.json").exists()
        purpose = Purpose.TRAIN if drives.split == "train" else Purpose.TUNE
        store = collect(
            out, driver=drives.driver, planner=drives_once, count=drives.count, first_seed=drives.first_seed,
            families=families, split=drives.split, purpose=purpose, workers=workers, progress=stages.advance,
        )  # fmt: skip
        return {"samples": len(store), "failed": len(store.manifests[0].get("failed", {})), "found": found}

    stages.run(f"scenes-{drives.name}", settings, generated)
    stages.run(f"samples-{drives.name}", settings | {"planner": planner}, labelled)
    return str(out)


def _trained(config: SftConfig, stages: Stages, name: str, processes: int) -> Path:
    """The best checkpoint of one training, by its loss on select."""
    run = stages.folder / "runs" / name

    def trained() -> Mapping[str, Any]:
        done = train_together(replace(config, minutes=stages.minutes_left), run, processes, stages.note)
        if not done.finished:
            raise OutOfTimeError(f"{name}: {done.ended}")
        best = done.best or done.checkpoint
        return {"checkpoint": str(best), "step": done.step, "ended": done.ended, "samples": _count(config.samples)}

    settings = config.identity() | {"processes": processes}
    return Path(stages.run(f"train-{name}", settings, trained)["checkpoint"])


def _count(stores: Sequence[str]) -> int:
    return sum(len(SampleStore.open(path, mapped=True, verify=False)) for path in stores)
