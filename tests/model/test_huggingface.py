"""Any causal language model as the backbone: the same heads, losses and session; nothing is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from waytrace.catalogue import generate
from waytrace.microgpt import Learned, scene_tokens
from waytrace.microgpt import checkpoint_files as files
from waytrace.microgpt.checkpoint_files import CheckpointError
from waytrace.model import Branches, Waytrace, load_checkpoint, pack, save_checkpoint
from waytrace.model.branches import EVERY
from waytrace.model.drawn import samples
from waytrace.model.huggingface import HuggingFace
from waytrace.model.lora import Lora
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


LORAS = {
    "plain": Lora(4, 8.0, ("q_proj", "v_proj", "up_proj", "gate_proj")), "dora": Lora(2, 4.0, ("q_proj",), dora=True),
    "none": None,
}  # fmt: skip


def _trained(model: Waytrace, lora: Lora | None) -> Waytrace:
    cast(HuggingFace, model.backbone).freeze()
    if lora:
        model.adapt(lora, seed=1)
    packed = pack(samples(4), Branches(), np.random.default_rng(0))
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(3):
        optimiser.zero_grad()
        model.loss(packed)[0].backward()
        optimiser.step()
    return model


@pytest.mark.parametrize("kind", LORAS)
def test_it_comes_back_with_heads_and_adapters_over_the_same_model(
    model: Waytrace, folder: Path, tmp_path: Path, kind: str
) -> None:
    before = {name: value.clone() for name, value in cast(HuggingFace, model.backbone).own().items()}
    _trained(model, LORAS[kind])
    assert all(torch.equal(v, before[n]) for n, v in cast(HuggingFace, model.backbone).own().items())
    saved = save_checkpoint(tmp_path / "step", model)
    assert sum(p.stat().st_size for p in saved.rglob("*.safetensors")) < 3e6, "the model itself is not in it"
    again = load_checkpoint(saved)
    assert again.lora == model.lora
    assert {n: p.requires_grad for n, p in again.named_parameters()} == {
        n: p.requires_grad for n, p in model.named_parameters()
    }
    packed = pack(samples(2), EVERY, np.random.default_rng(0))
    with torch.no_grad():
        one, other = (m.eval().answers(Inputs.of(packed, m.device)).controls for m in (model, again))
    torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6)


def test_another_model_of_the_same_shapes_is_refused(model: Waytrace, folder: Path, tmp_path: Path) -> None:
    saved = save_checkpoint(tmp_path / "step", _trained(model, LORAS["plain"]))
    config = transformers.AutoConfig.from_pretrained(folder)
    torch.manual_seed(9)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "other")
    with pytest.raises(CheckpointError, match="even if its shapes are the same"):
        load_checkpoint(saved, base=tmp_path / "other")
    with pytest.raises(CheckpointError, match="was looked for at"):
        load_checkpoint(saved, base=tmp_path / "nowhere")


def test_a_flipped_bit_in_adapters_or_heads_is_refused(model: Waytrace, tmp_path: Path) -> None:
    saved = save_checkpoint(tmp_path / "step", _trained(model, LORAS["plain"]))
    for name in (files.ADAPTER, files.HEAD, files.BASE_JSON):
        whole = (saved / name).read_bytes()
        (saved / name).write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        with pytest.raises(CheckpointError, match=name):
            load_checkpoint(saved)
        (saved / name).write_bytes(whole)
    load_checkpoint(saved)


@pytest.mark.parametrize("kind", ["plain", "dora"])
def test_merged_it_says_the_same(model: Waytrace, folder: Path, kind: str) -> None:
    _trained(model, LORAS[kind])
    whole = Waytrace.over(HuggingFace.load(folder))
    head = {name: torch.from_numpy(value) for name, value in model.parameters_numpy().items()}
    whole.load_state_dict(head, strict=False)
    merged = cast(HuggingFace, model.backbone).merged()
    cast(HuggingFace, whole.backbone).model.load_state_dict(merged)
    packed = pack(samples(2), EVERY, np.random.default_rng(0))
    with torch.no_grad():
        one, other = (m.eval().answers(Inputs.of(packed, m.device)).controls for m in (model, whole))
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing.:FutureWarning")  # PEFT's use of transformers
def test_peft_reads_the_adapter_over_the_whole_language_model(model: Waytrace, folder: Path, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    saved = save_checkpoint(tmp_path / "step", _trained(model, LORAS["plain"]))
    language = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    theirs = peft.PeftModel.from_pretrained(language, str((saved / files.ADAPTER).parent)).merge_and_unload()
    mine = cast(HuggingFace, model.backbone).merged()
    found = theirs.get_decoder().state_dict()
    for name, value in mine.items():
        torch.testing.assert_close(found[name], value, atol=2e-6, rtol=1e-5, msg=name)


def test_a_folder_without_a_model_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(WaytraceError, match="no causal language model"):
        HuggingFace.load(tmp_path)


def _one(batch: Any, b: int) -> Any:
    """Sample ``b`` of a batch alone."""
    rows = {name: getattr(batch, name)[b : b + 1] for name in batch._fields if name != "tokens"}
    return batch._replace(tokens=type(batch.tokens)(*(part[b : b + 1] for part in batch.tokens)), **rows)
