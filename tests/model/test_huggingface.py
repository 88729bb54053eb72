"""Any causal language model as the backbone: the same heads, losses and session; nothing is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from waytrace.catalogue import generate
from waytrace.microgpt import Learned, scene_tokens
from waytrace.model import Branches, Waytrace, pack
from waytrace.model.branches import EVERY
from waytrace.model.drawn import samples
from waytrace.model.huggingface import HuggingFace
from waytrace.model.running import Running
from waytrace.model.waytrace import Inputs
from waytrace.scenario import WaytraceError
from waytrace.sim import World

transformers = pytest.importorskip("transformers", reason="transformers is not installed (pip install 'waytrace[hf]')")

SHAPE = {
    "vocab_size": 64, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 1024,
}  # fmt: skip
KINDS = ("llama", "qwen3")


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights, saved."""
    torch.manual_seed(0)
    more: dict[str, Any] = {"head_dim": 16} if request.param == "qwen3" else {}
    config = transformers.AutoConfig.for_model(request.param, **SHAPE, **more)
    out = tmp_path_factory.mktemp(request.param)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(out)
    return out


@pytest.fixture
def model(folder: Path) -> Waytrace:
    made = Waytrace.over(HuggingFace.load(folder), seed=2)
    drawn = torch.Generator().manual_seed(3)
    for name, parameter in made.named_parameters():
        if name.startswith("head."):  # outputs begin at zero, where nothing could differ
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=drawn)
    return made


def test_it_learns(model: Waytrace) -> None:
    packed = pack(samples(6), Branches(), np.random.default_rng(0))
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        optimiser.zero_grad()
        loss, _ = model.loss(packed)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert all(
        p.grad is not None for n, p in model.named_parameters() if n.startswith("backbone.") and "embed" not in n
    )


def test_a_batch_says_of_each_sample_what_it_says_of_it_alone(model: Waytrace) -> None:
    batch = samples(3)
    together = model.answers(Inputs.of(pack(batch, EVERY, np.random.default_rng(0)), model.device))
    queries = 0
    for b in range(3):
        alone = pack(_one(batch, b), EVERY, np.random.default_rng(0))
        out = model.answers(Inputs.of(alone, model.device)).controls
        torch.testing.assert_close(out, together.controls[queries : queries + len(out)], atol=1e-4, rtol=1e-4)
        queries += len(out)
    assert queries == len(together.controls)


def test_branches_do_not_see_each_other(model: Waytrace) -> None:
    batch = samples(2)
    every = pack(batch, EVERY, np.random.default_rng(0))
    fast = pack(batch, Branches(choice=0.0, runner_up=0.0, decision_only=0.0), np.random.default_rng(0))
    controls = model.answers(Inputs.of(every, model.device)).controls[every.query_branch == 4]
    alone = model.answers(Inputs.of(fast, model.device)).controls
    torch.testing.assert_close(controls, alone, atol=1e-4, rtol=1e-4)


def test_a_session_token_by_token_is_the_block(model: Waytrace) -> None:
    running = Running(model)
    tokens = scene_tokens(World([generate("merge", 3)]).observe(), np.full((1, 2), -1, np.int8))
    random = np.random.default_rng(1)
    x = random.normal(size=(6, model.config.width)).astype(np.float32)
    position = np.arange(6) + 1
    _, whole = running.prefill(tokens, 0, 16)
    block = running.extend(x, position, whole)
    _, cut = running.prefill(tokens, 0, 16)
    single = np.concatenate([running.extend(x[i : i + 1], position[i : i + 1], cut) for i in range(6)])
    np.testing.assert_allclose(single, block, atol=1e-5)
    cut.length -= 3  # cut back, and written over
    np.testing.assert_allclose(running.extend(x[3:], position[3:], cut), block[3:], atol=1e-5)


@pytest.mark.parametrize("mode", ["trace", "fast"])
def test_it_drives(model: Waytrace, mode: str) -> None:
    seen = World([generate("red-light", 5)]).observe()
    plan, traces, _ = Learned(Running(model), mode).plan(seen, None)
    assert np.isfinite(plan.waypoints).all()
    assert (traces is not None) == (mode == "trace")
    again, _, _ = Learned(Running(model), mode).plan(seen, None)
    assert np.array_equal(plan.waypoints, again.waypoints)


def test_a_folder_without_a_model_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(WaytraceError, match="no causal language model"):
        HuggingFace.load(tmp_path)


def _one(batch: Any, b: int) -> Any:
    """Sample ``b`` of a batch alone."""
    rows = {name: getattr(batch, name)[b : b + 1] for name in batch._fields if name != "tokens"}
    return batch._replace(tokens=type(batch.tokens)(*(part[b : b + 1] for part in batch.tokens)), **rows)
