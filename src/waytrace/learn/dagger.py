"""From nothing to a planner that drives: samples of the expert, training, and rounds on what the learner does wrong.

DAgger (Ross, Gordon and Bagnell 2011, https://arxiv.org/abs/1011.0686): the learner drives, the expert says at every
decision what it would do there, and all samples so far are learned from again. Unlike in the paper the learner drives
alone from the first round on, and a round goes on from the weights of the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from waytrace.catalogue import generate_many
from waytrace.scenario.splits import Purpose
from waytrace.scenario.store import ScenarioWriter

from .collect import collect
from .config import ConfigError, SftConfig
from .samples import SampleStore
from .sft import train_sft
from .stages import OutOfTimeError, Stages

SEEDS = {"expert": 400_000, "perturbed": 410_000, "policy": 440_000, "select": 900}
"""First seeds of the scenes that are driven: of split train, and of split select."""
ROUND_SEEDS = 5_000
"""Seeds from one round to the next."""


@dataclass(frozen=True)
class Dagger:
    """An experiment. Numbers of drives are numbers of generated scenes, each of which gives about 33 samples."""

    sft: SftConfig
    """Of the first training; its samples, ``select`` and ``init`` are filled in."""
    expert: int
    """Drives of the expert."""
    perturbed: int
    """Drives of the expert taken off its course."""
    select: int
    """Drives of each of the two in split select."""
    rounds: int
    """Rounds in which the learner drives."""
    policy: int
    """Its drives in each."""
    round_steps: int
    """Steps of training in each."""
    round_lr: float

    def __post_init__(self) -> None:
        for name in ("expert", "select", "policy", "round_steps", "round_lr"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} = {getattr(self, name)!r} must be positive.")
        if self.rounds < 0 or self.perturbed < 0:
            raise ConfigError("rounds and perturbed must not be negative.")

    def of_round(self, number: int) -> SftConfig:
        """The training of a round; 0 is the first, before the learner has driven."""
        return self.sft if number == 0 else replace(self.sft, steps=self.round_steps, lr=self.round_lr)


def run_dagger(plan: Dagger, stages: Stages, *, workers: int = 1) -> Path:
    """The checkpoint of the last round that is best on select. Raises :class:`OutOfTimeError` where time is over.

    Repeating the call goes on: collections shard by shard, trainings from their last checkpoint.
    """
    select = [
        _collected(
            stages, f"select-{driver}", driver, plan.select, SEEDS["select"] + k * ROUND_SEEDS, workers, "select"
        )
        for k, driver in enumerate(("expert", "perturbed"))
    ]
    samples = [_collected(stages, "expert", "expert", plan.expert, SEEDS["expert"], workers)]
    if plan.perturbed:
        samples.append(_collected(stages, "perturbed", "perturbed", plan.perturbed, SEEDS["perturbed"], workers))
    best = _trained(plan.of_round(0), stages, "round-0", samples, select, "")
    for number in range(1, plan.rounds + 1):
        first_seed = SEEDS["policy"] + (number - 1) * ROUND_SEEDS
        samples.append(
            _collected(stages, f"policy-{number}", "policy", plan.policy, first_seed, workers, planner=str(best))
        )
        best = _trained(plan.of_round(number), stages, f"round-{number}", samples, select, str(best))
    return best


def _collected(
    stages: Stages, name: str, driver: str, count: int, first_seed: int, workers: int, split: str = "train",
    planner: str = "",
) -> str:  # fmt: skip
    """Samples of one driver: scenes first, then what is said and driven in them, so that each has its own time."""
    settings = {"count": count, "split": split, "first_seed": first_seed}
    scenes = stages.folder / "scenes" / name

    def generated() -> Mapping[str, Any]:
        with ScenarioWriter(scenes, overwrite=True) as writer:
            for scenario in generate_many(count, None, split, first_seed):
                writer.add(scenario)
        return {"scenes": count}

    stages.run(f"scenes-{name}", settings, generated)
    out = stages.folder / "samples" / name
    purpose = Purpose.TRAIN if split == "train" else Purpose.TUNE

    def labelled() -> Mapping[str, Any]:
        store = collect(
            out, driver=driver, planner=planner, scenarios=scenes, split=split, purpose=purpose, workers=workers,
            progress=stages.advance,
        )  # fmt: skip
        return {"samples": len(store), "failed": len(store.manifests[0].get("failed", {}))}

    stages.run(f"samples-{name}", {"driver": driver, "planner": planner, "scenes": str(scenes)}, labelled)
    return str(out)


def _trained(
    config: SftConfig, stages: Stages, name: str, samples: list[str], select: list[str], init: str
) -> Path:  # fmt: skip
    """The best checkpoint of one training, by its loss on select."""
    config = replace(config, samples=tuple(samples), select=tuple(select), init=init)
    run = stages.folder / "runs" / name

    def trained() -> Mapping[str, Any]:
        done = train_sft(replace(config, minutes=stages.minutes_left), run, note=stages.note)
        if not done.finished:
            raise OutOfTimeError(f"{name}: {done.ended}")
        best = done.best or done.checkpoint
        return {"checkpoint": str(best), "step": done.step, "ended": done.ended, "samples": _count(samples)}

    return Path(stages.run(f"train-{name}", config.identity(), trained)["checkpoint"])


def _count(stores: list[str]) -> int:
    return sum(len(SampleStore.open(path, mapped=True, verify=False)) for path in stores)
