"""Tokens a second of a training step, beside a Hugging Face Llama of the same width, depth and number of weights.

    python benchmarks/training.py [--samples STORE] [--size micro] [--batch 64] [--steps 8] [--threads 2]

Both arms make whole steps (forward, backward, clipping, AdamW) on the same number of real tokens and take turns, in
float32 and in bfloat16; neither is compiled. Ours has the scene encoder, all heads, plans, padding and packing in it;
Llama's input is a full rectangle of ids without any padding, its loss that of the next id. Without ``--samples`` scenes
and traces are drawn at random. The last line is a JSON object; ``ratio_hf_training`` is ours / theirs in float32. Needs
``waytrace[hf]``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from waytrace.microgpt import GPTConfig
from waytrace.microgpt.vocabulary import VALUES
from waytrace.model import PRECISIONS, Batch, Branches, Packed, Waytrace, autocast, pack
from waytrace.model.drawn import samples

Step = Callable[[str], float]


def optimiser(model: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)


def stepped(model: torch.nn.Module, adam: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    adam.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    adam.step()


def ours(config: GPTConfig, batch: Batch) -> tuple[Step, Packed, int]:
    """A step that gives its seconds, the batch as it is packed, and how many weights there are."""
    model = Waytrace(config)
    adam = optimiser(model)

    def step(precision: str) -> float:
        begin = time.perf_counter()
        packed = pack(batch, Branches(), np.random.default_rng(0))
        with autocast(model.device, precision):
            loss, _ = model.loss(packed)
        stepped(model, adam, loss)
        return time.perf_counter() - begin

    return step, pack(batch, Branches(), np.random.default_rng(0)), _weights(model.backbone)


def theirs(config: GPTConfig, rows: int, length: int) -> tuple[Step, int]:
    """The same of Llama: its gated MLP has three matrices where ours has two, so they are narrower by a third."""
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VALUES + 153, hidden_size=config.width, intermediate_size=round(config.hidden * 2 / 3),
            num_hidden_layers=config.depth, num_attention_heads=config.heads, num_key_value_heads=config.heads,
            max_position_embeddings=1024, attn_implementation="sdpa", use_cache=False,
        )
    )  # fmt: skip
    model.train()
    adam = optimiser(model)
    ids = torch.randint(0, VALUES + 153, (rows, length), generator=torch.Generator().manual_seed(0))

    def step(precision: str) -> float:
        begin = time.perf_counter()
        with autocast(torch.device("cpu"), precision):
            loss = model(input_ids=ids, labels=ids).loss
        stepped(model, adam, loss)
        return time.perf_counter() - begin

    return step, _weights(model.model.layers)


def _weights(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def apart(packed: Packed) -> int:
    """Tokens that the same branches would take as sequences of their own, each with its scene before it."""
    first = packed.query_at[:, 0]
    sample = packed.real[first] // packed.position.shape[1]
    scene = packed.scene_valid.sum(1)[sample].sum()
    before = np.take(packed.position.reshape(-1), packed.real[np.maximum(first - 1, 0)])
    own = np.where(packed.query_branch == 4, 0, before)
    return int(scene + own.sum() + packed.query_at.size)


def drawn(path: Path | None, batch: int) -> Batch:
    if path is None:
        return samples(batch, most=2)
    from waytrace.learn.samples import SampleStore

    store = SampleStore.open(path)
    chosen: Batch = store.batch(np.random.default_rng(0).permutation(len(store))[:batch])
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--size", default="micro")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    config = GPTConfig.of(given.size)
    mine, packed, weights = ours(config, drawn(given.samples, given.batch))
    length = round(packed.tokens / given.batch)
    llama, llama_weights = theirs(config, given.batch, length)
    figures: dict[str, Any] = {
        "size": given.size, "batch": given.batch, "threads": given.threads, "tokens": packed.tokens,
        "llama_tokens": given.batch * length, "layer_weights": weights, "llama_layer_weights": llama_weights,
        "tokens_if_apart": apart(packed), "samples": str(given.samples.name) if given.samples else "random",
    }  # fmt: skip
    for precision in PRECISIONS:
        pairs = []
        for turn in range(given.steps + 1):
            pair = mine(precision), llama(precision)
            if turn:  # the first one warms up
                pairs.append(pair)
                print(f"{precision}: ours {pair[0]:.3f} s, Llama {pair[1]:.3f} s", file=sys.stderr, flush=True)
        ratios = [(packed.tokens / a) / (given.batch * length / b) for a, b in pairs]
        seconds = statistics.median(a for a, _ in pairs)
        figures |= {
            f"tokens_per_s_{precision}": round(packed.tokens / seconds),
            f"samples_per_s_{precision}": round(given.batch / seconds, 1),
            f"llama_tokens_per_s_{precision}": round(given.batch * length / statistics.median(b for _, b in pairs)),
            f"ratio_{precision}": round(statistics.median(ratios), 3),
            f"ratios_{precision}": [round(r, 2) for r in ratios],
        }
    print(
        json.dumps(
            figures | {"ratio_hf_training": figures["ratio_fp32"], "ratio_hf_training_bf16": figures["ratio_bf16"]}
        )
    )


if __name__ == "__main__":
    main()
