"""Gradients of the loss, by hand: every step of the forward pass has its way back here, last step first.

microgpt keeps a graph of scalars and walks it backwards; with whole matrices the chain rule is short enough to write
down. A linear map ``y = x W^T`` sends ``dy`` back as ``dx = dy W`` and ``dW = dy^T x``; all else is a handful of lines.
Compared with finite differences in float64, which is a test.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.trace import SLOTS

from .branch import token_rows
from .columns import STEER_KNOTS
from .config import HEAD_WIDTH, MODES, QUERIES, GPTConfig
from .forward import Cache, heads, joined, linear, relu2, rmsnorm, rotary, softmax
from .heads import followed, moves_of
from .loss import BranchPass, Pass
from .parameters import Parameters, shapes
from .tokens import FEATURES, PLACES
from .vocabulary import CLOSING, is_pointer, rows_of

Array = NDArray[Any]
Gradients = dict[str, Array]


def gradients(parameters: Parameters, config: GPTConfig, made: Pass) -> dict[str, Array]:
    """The gradient of the loss of a pass by every parameter, in the parameters' shapes."""
    wide = made.hidden.dtype
    out: Gradients = {name: np.zeros(shape, wide) for name, shape in shapes(config).items()}
    scene = made.cache.length
    to_cache = _empty_like(made.cache)
    to_key, to_embedding = np.zeros_like(made.pointing.key), np.zeros_like(made.pointing.embedding)
    for branch in made.branches:
        inner = _branch(parameters, config, made, branch, len(made.branches), to_key, to_embedding, out)
        to_cache.keys[..., :scene] += inner.keys[..., :scene]
        to_cache.values[:, :, :scene] += inner.values[:, :, :scene]
    at = token_rows(made.tokens, made.b) >= 0
    to_hidden = np.zeros_like(made.hidden)
    to_hidden[at] += _linear(made.hidden[at], to_key[:-2], "head.trace.key", parameters, out)
    to_hidden[at] += _linear(made.hidden[at], to_embedding[:-2], "head.trace.point", parameters, out)
    out["head.trace.nowhere_key"] += to_key[-2:]
    out["head.trace.nowhere"] += to_embedding[-2:]
    position = np.zeros(scene)
    to_x = extend_back(parameters, config, made.tape, made.cache, position, to_hidden, to_cache, out)
    _scene(parameters, made, to_x, out)
    return out


def _branch(
    parameters: Parameters, config: GPTConfig, made: Pass, branch: BranchPass, of: int, to_key: Array,
    to_embedding: Array, out: Gradients,
) -> Cache:  # fmt: skip
    """One branch's way back to the cache that it started from; adds to all that it used."""
    to_hidden = np.zeros_like(branch.hidden)
    to_raw = (branch.raw - branch.wanted) / branch.raw.size / of
    asked = branch.hidden[-QUERIES:]
    to_hidden[-QUERIES:] = _linear(asked, to_raw.reshape(QUERIES, -1), "head.control.out", parameters, out)
    to_hidden[-QUERIES] += _followed(parameters, asked, to_raw, moves_of(made.tokens, made.b), out)
    for t, (number, logits) in enumerate(zip(branch.example.slot, branch.logits, strict=True)):
        to_logits = softmax(logits)
        to_logits[branch.target[t]] -= 1.0
        to_logits /= len(branch.logits) * of
        slot, hidden = SLOTS[number], branch.hidden[t]
        if is_pointer(slot):
            scale = hidden.shape[-1] ** -0.5
            query = linear(hidden, parameters["head.trace.query.weight"])
            to_key += np.outer(to_logits, query) * scale
            to_query = to_logits @ made.pointing.key * scale
            to_hidden[t] += _linear(hidden[None], to_query[None], "head.trace.query", parameters, out)[0]
        else:
            rows = rows_of(slot)
            out["head.trace.output.weight"][rows] += np.outer(to_logits, hidden)
            out["head.trace.output.bias"][rows] += to_logits
            to_hidden[t] += to_logits @ parameters["head.trace.output.weight"][rows]
    to_cache = _empty_like(branch.cache)
    to_x = extend_back(parameters, config, branch.tape, branch.cache, branch.position, to_hidden, to_cache, out)
    out["head.control.queries.weight"] += to_x[-QUERIES:]
    out["head.control.mode.weight"][MODES.index(branch.example.mode)] += to_x[-QUERIES:].sum(0)
    if branch.example.mode != "fast":
        np.add.at(out["head.trace.slot_embedding.weight"], [*branch.example.slot, CLOSING], to_x[:-QUERIES])
        out["head.trace.begin"] += to_x[0]
        for t, (number, value) in enumerate(zip(branch.example.slot, branch.example.value, strict=True)):
            if is_pointer(SLOTS[number]):
                to_embedding[branch.target[t]] += to_x[t + 1]
            else:
                out["head.trace.value_embedding.weight"][rows_of(SLOTS[number]).start + value] += to_x[t + 1]
    return to_cache


def _followed(parameters: Parameters, asked: Array, to_raw: Array, moves: Array, out: Gradients) -> Array:
    """The way back from the raw controls through the moves that the plan follows: to the first query's hidden state."""
    share = followed(parameters, asked)
    to_share = np.append(moves @ to_raw[:STEER_KNOTS, 1], 0.0)
    to_logits = share * (to_share - share @ to_share)
    to_first: Array = _linear(asked[:1], to_logits[None], "head.control.follow", parameters, out)[0]
    return to_first


def extend_back(
    parameters: Parameters, config: GPTConfig, tape: list[dict[str, Array]], cache: Cache, position: Array,
    to_hidden: Array, to_cache: Cache, out: Gradients,
) -> Array:  # fmt: skip
    """The way back through ``forward.extend``: from its hidden states [T, D] to its embeddings [T, D].

    ``to_cache`` holds what came back to the cache from later tokens, and what goes back to earlier ones is added to it.
    """
    last = cache.length
    first = last - len(to_hidden)
    to_x = rmsnorm_back(tape[-1]["x"], to_hidden, config.norm_eps)
    for i in reversed(range(config.depth)):
        kept, name = tape[i], f"backbone.layers.{i}"
        to_inner = _linear(relu2(kept["up"]), to_x, f"{name}.mlp.down_proj", parameters, out)
        to_up = to_inner * 2.0 * np.maximum(kept["up"], 0)
        to_b = _linear(kept["b"], to_up, f"{name}.mlp.up_proj", parameters, out)
        to_middle = to_x + rmsnorm_back(kept["middle"], to_b, config.norm_eps)
        to_read = heads(_linear(joined(kept["read"]), to_middle, f"{name}.attn.o_proj", parameters, out))
        keys, values = cache.keys[i, :, :, :last], cache.values[i, :, :last]
        weights = kept["weights"]
        to_cache.values[i, :, :last] += weights.swapaxes(1, 2) @ to_read
        to_weights = to_read @ values.swapaxes(1, 2)
        to_scores = weights * (to_weights - (weights * to_weights).sum(-1, keepdims=True)) * HEAD_WIDTH**-0.5
        to_cache.keys[i, :, :, :last] += kept["query"].swapaxes(1, 2) @ to_scores
        to_query = to_scores @ keys.swapaxes(1, 2)
        to_key = to_cache.keys[i, :, :, first:last].swapaxes(1, 2)
        to_value = to_cache.values[i, :, first:last]
        to_a = _linear(
            kept["a"], joined(rotary(to_query, -position, config.rotary_base)), f"{name}.attn.q_proj", parameters, out
        )
        to_a += _linear(
            kept["a"], joined(rotary(to_key, -position, config.rotary_base)), f"{name}.attn.k_proj", parameters, out
        )
        to_a += _linear(kept["a"], joined(to_value), f"{name}.attn.v_proj", parameters, out)
        to_x = to_middle + rmsnorm_back(kept["x"], to_a, config.norm_eps)
    return to_x


def rmsnorm_back(x: Array, to_y: Array, eps: float) -> Array:
    """The way back through ``forward.rmsnorm``."""
    size = np.sqrt(np.mean(np.square(x), axis=-1, keepdims=True) + eps)
    y = rmsnorm(x, eps)
    out: Array = (to_y - y * np.mean(y * to_y, axis=-1, keepdims=True)) / size
    return out.astype(x.dtype)


def _linear(x: Array, to_y: Array, name: str, parameters: Parameters, out: Gradients) -> Array:
    """The way back through a linear map: to its input, and to its weight and bias in ``out``."""
    out[f"{name}.weight"] += to_y.T @ x
    if f"{name}.bias" in parameters:
        out[f"{name}.bias"] += to_y.sum(0)
    back: Array = to_y @ parameters[f"{name}.weight"]
    return back


def _scene(parameters: Parameters, made: Pass, to_x: Array, out: Gradients) -> None:
    """The way back through ``forward.embed_scene``."""
    at = place = 0
    for kind in FEATURES:
        valid = made.tokens.valid[made.b, place : place + PLACES[kind]]
        place += PLACES[kind]
        if not valid.any():
            continue
        up, count = f"scene.{kind}.up", int(valid.sum())
        x = getattr(made.tokens, kind)[made.b, valid].astype(to_x.dtype)
        inner = linear(x, parameters[f"{up}.weight"], parameters[f"{up}.bias"])
        to_inner = _linear(relu2(inner), to_x[at : at + count], f"scene.{kind}.down", parameters, out)
        _linear(x, to_inner * 2.0 * np.maximum(inner, 0), up, parameters, out)
        at += count


def _empty_like(cache: Cache) -> Cache:
    return Cache(np.zeros_like(cache.keys), np.zeros_like(cache.values), cache.length)
