"""The forward pass in plain NumPy: the reference that every faster form is compared with.

One function, :func:`extend`, is the whole transformer: it takes embeddings of new tokens, lets them see what a cache
holds and each other, appends them to the cache and returns their hidden states. A scene goes in as one block that sees
itself both ways, a trace token by token or as a block in which each sees those before it, control queries as a block
that sees itself both ways again. Training uses the same function on the same cache.

Legend: T new tokens, S tokens seen (those of the cache, then the new ones), D width, H heads, E = 32 width of a head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import HEAD_WIDTH, GPTConfig
from .parameters import Parameters
from .tokens import FEATURES, PLACES, SceneTokens

Array = NDArray[Any]
"""float32 in use; the gradients' test runs the same code in float64."""


@dataclass
class Cache:
    """Keys and values of every token so far. Keys lie as columns: a query times them gives its scores."""

    keys: Array
    """[layers, H, E, capacity]."""
    values: Array
    """[layers, H, capacity, E]."""
    length: int = 0

    @classmethod
    def empty(cls, config: GPTConfig, capacity: int, dtype: Any = np.float32) -> Cache:
        """A cache with room for ``capacity`` tokens."""
        shape = (config.depth, config.heads)
        return cls(np.zeros((*shape, HEAD_WIDTH, capacity), dtype), np.zeros((*shape, capacity, HEAD_WIDTH), dtype))

    @property
    def capacity(self) -> int:
        """Tokens that there is room for."""
        return int(self.values.shape[2])

    def fork(self) -> Cache:
        """A copy that goes its own way."""
        other = Cache(np.empty_like(self.keys), np.empty_like(self.values), self.length)
        other.keys[..., : self.length] = self.keys[..., : self.length]
        other.values[:, :, : self.length] = self.values[:, :, : self.length]
        return other


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """``x`` [..., in] times a weight [out, in], and a bias [out]."""
    out: Array = x @ weight.T
    return out if bias is None else out + bias


def rmsnorm(x: Array, eps: float) -> Array:
    """``x`` [..., D] at root mean square 1; no weights."""
    out: Array = x / np.sqrt(np.mean(np.square(x), axis=-1, keepdims=True) + x.dtype.type(eps))
    return out


def relu2(x: Array) -> Array:
    """The square of what is positive."""
    out: Array = np.square(np.maximum(x, 0))
    return out


def softmax(x: Array) -> Array:
    """Over the last axis; -inf gives 0."""
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    out: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return out


def rotary(x: Array, position: Array, base: float) -> Array:
    """``x`` [..., T, E] turned by ``position`` [T]: dimension i < E/2 with i + E/2, by position * base^(-2i/E).

    A score between two tokens then depends on the difference of their positions alone; position 0 leaves ``x`` as it
    is. Source: arXiv 2104.09864, in the halves' order that Llama uses.
    """
    half = x.shape[-1] // 2
    angle = position[:, None].astype(np.float64) * float(base) ** (-np.arange(half) / half)
    cos, sin = np.cos(angle).astype(x.dtype), np.sin(angle).astype(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def heads(x: Array) -> Array:
    """[T, D] as [H, T, E]."""
    return x.reshape(len(x), -1, HEAD_WIDTH).swapaxes(0, 1)


def joined(x: Array) -> Array:
    """[H, T, E] as [T, D]."""
    return x.swapaxes(0, 1).reshape(x.shape[1], -1)


def attention(query: Array, keys: Array, values: Array, sees: NDArray[np.bool_]) -> tuple[Array, Array]:
    """What queries [H, T, E] read of keys [H, E, S] and values [H, S, E], and their weights [H, T, S].

    ``sees`` [T, S] says which token sees which.
    """
    scores = query @ keys * query.dtype.type(HEAD_WIDTH**-0.5)
    weights = softmax(np.where(sees, scores, -np.inf))
    return weights @ values, weights


def visible(length: int, new: int, mutual: int) -> NDArray[np.bool_]:
    """[T, S] what ``new`` tokens see after ``length`` cached ones: all of those, themselves and the new ones before.

    The last ``mutual`` of them see each other both ways.
    """
    sees = np.tril(np.ones((new, length + new), np.bool_), length)
    sees[new - mutual :] = True
    return sees


def extend(
    parameters: Parameters, config: GPTConfig, x: Array, position: Array, cache: Cache, *,
    mutual: int = 0, tape: list[dict[str, Array]] | None = None,
) -> Array:  # fmt: skip
    """Hidden states [T, D] (after the final norm) of tokens with embeddings ``x`` [T, D], appended to ``cache``.

    ``position`` [T] is 0 for scene tokens and control queries and i + 1 for the trace's token i. The last ``mutual``
    tokens see each other both ways, all others what comes before them. With a ``tape`` what the gradients need is
    written to it, a layer a dictionary.

    Raises ``ValueError`` where the cache has no room.
    """
    first, last = cache.length, cache.length + len(x)
    if last > cache.capacity:
        raise ValueError(f"{last} tokens do not fit a cache made for {cache.capacity}")
    sees = visible(first, len(x), mutual)
    for i in range(config.depth):
        w = {name: parameters[f"backbone.layers.{i}.{name}.weight"] for name in LAYER}
        a = rmsnorm(x, config.norm_eps)
        query = rotary(heads(linear(a, w["attn.q_proj"])), position, config.rotary_base)
        key = rotary(heads(linear(a, w["attn.k_proj"])), position, config.rotary_base)
        cache.keys[i, :, :, first:last] = key.swapaxes(1, 2)
        cache.values[i, :, first:last] = heads(linear(a, w["attn.v_proj"]))
        read, weights = attention(query, cache.keys[i, :, :, :last], cache.values[i, :, :last], sees)
        middle = x + linear(joined(read), w["attn.o_proj"])
        b = rmsnorm(middle, config.norm_eps)
        up = linear(b, w["mlp.up_proj"])
        after = middle + linear(relu2(up), w["mlp.down_proj"])
        if tape is not None:
            tape.append({"x": x, "a": a, "query": query, "weights": weights, "read": read, "middle": middle,
                         "b": b, "up": up})  # fmt: skip
        x = after
    if tape is not None:
        tape.append({"x": x})
    cache.length = last
    return rmsnorm(x, config.norm_eps)


LAYER = ("attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.o_proj", "mlp.up_proj", "mlp.down_proj")
"""The linear maps of a layer."""


def embed_scene(parameters: Parameters, tokens: SceneTokens, b: int = 0) -> Array:
    """Embeddings [S, D] of the valid scene tokens of row ``b``, in the order of their places."""
    parts = []
    at = 0
    for kind in FEATURES:
        valid = tokens.valid[b, at : at + PLACES[kind]]
        at += PLACES[kind]
        if valid.any():
            up, down = f"scene.{kind}.up", f"scene.{kind}.down"
            x = getattr(tokens, kind)[b, valid].astype(parameters[f"{up}.weight"].dtype)
            inner = relu2(linear(x, parameters[f"{up}.weight"], parameters[f"{up}.bias"]))
            parts.append(linear(inner, parameters[f"{down}.weight"], parameters[f"{down}.bias"]))
    return np.concatenate(parts)
