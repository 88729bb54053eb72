"""Settings of a run: wrong ones are refused with the reason, and those that leave the weights alone may change."""

from __future__ import annotations

import pytest

from waytrace.learn.config import FREE, ConfigError, SftConfig, with_settings
from waytrace.learn.stopping import Best
from waytrace.model import Weights

BASE = {"samples": ("a",)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": ()}, "samples = .* empty"),
        ({"size": "huge"}, "none of nano, micro, small"),
        ({"precision": "fp8"}, "none of fp32, bf16"),
        ({"steps": 0}, "steps = 0 must be positive"),
        ({"warmup": 500, "steps": 500}, "warmup = 500 must be below steps"),
        ({"drive_every": 150, "eval_every": 100}, "multiple of eval_every"),
        ({"beta2": 1.0}, "beta2 = 1.0 must lie within"),
        ({"patience": 3}, "needs samples of split select"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SftConfig(**(BASE | settings))


def test_the_hash_covers_what_the_weights_depend_on() -> None:
    base = SftConfig(**BASE)
    free = {
        "device": "cpu",
        "minutes": 5.0,
        "workers": 2,
        "log_every": 3,
        "sinks": ("wandb",),
        "gradient_checkpointing": True,
        "sharded": True,
    }
    assert set(free) == set(FREE)
    over = {"backbone": "b", "lora_rank": 1}
    assert SftConfig(**(BASE | over | free)).sha256 == SftConfig(**(BASE | over)).sha256
    assert SftConfig(**(BASE | {"seed": 1})).sha256 != base.sha256


def test_settings_are_read_by_their_type() -> None:
    config = with_settings(BASE, ("clip=0.5", "patience=2", "select=x,y", "size=nano"))
    assert (config.clip, config.patience, config.select, config.size) == (0.5, 2, ("x", "y"), "nano")


@pytest.mark.parametrize("setting", ["clip", "nothing=3", "patience=soon"])
def test_settings_that_do_not_exist_are_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match=setting.partition("=")[0]):
        with_settings(BASE, (setting,))


def test_a_run_is_spent_after_so_many_looks_without_a_better_loss() -> None:
    best = Best()
    for step, loss in enumerate([3.0, 2.0, 2.5, float("nan"), 1.9, 1.9, 2.0], start=1):
        best = best.after(loss, step)
        assert not best.spent(3)
    assert (best.loss, best.step, best.worse) == (1.9, 5, 2)
    assert best.after(5.0, 8).spent(3)
    assert not best.after(5.0, 8).spent(0)


def test_the_plan_counts_as_the_model_has_it() -> None:
    assert SftConfig(**BASE).plan_weight == Weights().control
