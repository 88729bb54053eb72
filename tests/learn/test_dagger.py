"""From nothing to a planner that has driven and been corrected, in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from waytrace.learn.config import ConfigError, SftConfig
from waytrace.learn.dagger import Dagger, Drives, Round, run_dagger
from waytrace.learn.stages import OutOfTimeError, Stages
from waytrace.microgpt.checkpoint import read_checkpoint


def _plan() -> Dagger:
    first = SftConfig(samples=("filled in",), size="nano", steps=4, batch=8, warmup=1, eval_every=2, eval_samples=16)
    turn = Round(Drives("policy", "policy", 2, 440_000), steps=3, lr=1e-3, lr_end=0.5)
    train = (Drives("expert", "expert", 2, 400_000), Drives("perturbed", "perturbed", 2, 410_000))
    return Dagger(sft=first, train=train, select=(Drives("select", "expert", 1, 900, "select"),), rounds=(turn,))


def test_each_round_has_its_own_learning_rate() -> None:
    first, second = _plan().trainings
    assert (first.steps, second.steps) == (4, 3)
    assert (second.lr, second.lr_end) == (1e-3, 0.5)
    assert second.batch == first.batch


def test_sets_of_drives_have_names_of_their_own() -> None:
    plan = _plan()
    with pytest.raises(ConfigError, match="one name"):
        Dagger(sft=plan.sft, train=plan.train, select=plan.select, rounds=(*plan.rounds, *plan.rounds))


@pytest.mark.slow
def test_a_round_learns_from_what_the_learner_drove(tmp_path: Path) -> None:
    plan = _plan()
    best = run_dagger(plan, Stages(tmp_path))
    assert read_checkpoint(best).config.depth == 2
    stamps = Stages(tmp_path).stamps()
    drove = stamps["samples-policy"]["settings"]["planner"]
    assert drove == stamps["train-round-0"]["figures"]["checkpoint"]
    first, second = (stamps[f"train-round-{k}"]["figures"]["samples"] for k in (0, 1))
    assert second == first + stamps["samples-policy"]["figures"]["samples"]
    assert run_dagger(plan, Stages(tmp_path)) == best, "what is done is not done again"


@pytest.mark.slow
def test_time_that_is_over_ends_a_piece(tmp_path: Path) -> None:
    ticks = iter(range(10_000))
    hurried = Stages(tmp_path, minutes=0.5, clock=lambda: 20.0 * next(ticks))
    with pytest.raises(OutOfTimeError):
        run_dagger(_plan(), hurried)
