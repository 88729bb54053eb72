"""A batch that is learned in parts: the loss, the gradient and the figures of the batch in one."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch

from waytrace.learn.accumulate import descend
from waytrace.learn.config import ConfigError, SftConfig
from waytrace.learn.distributed import Crew
from waytrace.learn.run_folder import read_metrics
from waytrace.learn.sampler import Sampler
from waytrace.learn.samples import SampleStore
from waytrace.learn.sft import train_sft
from waytrace.learn.steps import Steps, fair, split
from waytrace.microgpt import GPTConfig
from waytrace.microgpt.parameters import drawn
from waytrace.model import Branches, Figures, Packed, Waytrace, pack
from waytrace.model.drawn import samples

PLAN_WEIGHT = 0.1


def _descended(parts: list[Packed]) -> tuple[dict[str, torch.Tensor], float, Figures]:
    model = Waytrace(GPTConfig.of("nano"))
    model.set(drawn(GPTConfig.of("nano"), 7))
    loss, figures = descend(Crew().learner(model), parts, fair(parts, Crew(), PLAN_WEIGHT), model.device, "fp32")
    return {n: p.grad for n, p in model.named_parameters() if p.grad is not None}, loss, figures


@pytest.mark.parametrize("parts", [2, 3, 6])
def test_the_gradient_of_parts_is_that_of_the_whole(parts: int) -> None:
    batch = samples(6, 1, most=2)
    batch.curvature[1], batch.speed[1] = 0.2, 20.0  # a plan that is left out, so that parts count unequally many
    apart = [
        pack(p, Branches(), random) for random in [np.random.default_rng(3)] for p in split(cast(Any, batch), parts)
    ]
    whole, loss, seen = _descended([pack(batch, Branches(), np.random.default_rng(3))])
    gradient, summed, figures = _descended(apart)
    assert summed == pytest.approx(loss, rel=1e-6)
    norm = torch.stack([g.norm() for g in whole.values()]).norm()
    for name, value in whole.items():
        assert float((gradient[name] - value).abs().max() / norm) < 1e-6, name
    torch.testing.assert_close(figures.slots, seen.slots)
    assert figures.to_json()["loss"] == pytest.approx(seen.to_json()["loss"], rel=1e-6)


def test_parts_draw_what_the_whole_draws(stores: dict[str, str]) -> None:
    store = SampleStore.open(stores["train"])
    steps = Steps(store, Sampler(store.tokens, 8, 3), Branches(decision_only=0.5), Crew(), 0.5, accumulate=4)
    whole, parts = steps.at(5), steps.parts(5)
    for name in ("accel", "start", "closed_value"):
        np.testing.assert_array_equal(np.concatenate([getattr(p, name) for p in parts]), getattr(whole, name))
    np.testing.assert_array_equal(np.concatenate([p.features["ego"] for p in parts]), whole.features["ego"])


def test_a_run_in_parts_is_the_run_in_one(stores: dict[str, str], tmp_path: Any) -> None:
    losses = []
    for parts in (1, 4):
        config = SftConfig((stores["train"],), size="nano", steps=6, batch=8, warmup=2, log_every=1, accumulate=parts)
        run = train_sft(config, tmp_path / str(parts)).run
        losses.append([r["loss"] for r in read_metrics(run / "metrics.jsonl") if r["kind"] == "train"])
    assert len(losses[0]) == 6
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_what_cannot_be_divided_is_refused(stores: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="accumulate = 3 does not divide batch"):
        SftConfig(("a",), batch=8, accumulate=3)
    store = SampleStore.open(stores["train"])
    steps = Steps(store, Sampler(store.tokens, 8, 3), Branches(), Crew(0, 2), accumulate=8)
    with pytest.raises(ConfigError, match="4 samples a process cannot be divided"):
        steps.parts(0)


def test_a_run_in_one_goes_by_the_name_it_had_before_there_was_a_choice() -> None:
    assert "accumulate" not in SftConfig(("a",)).identity()
    assert SftConfig(("a",), accumulate=2).sha256 != SftConfig(("a",)).sha256
