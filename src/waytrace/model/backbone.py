"""The backbone: embeddings in, hidden states out, with an explicit cache. Here the micro GPT.

A token sees what a mask lets it see of the cache and of its own batch, and is rotated by the position it is given:
nothing about scenes, traces or order is known here. A Hugging Face model is the other implementation.

Shape suffixes: B sequences, T tokens, N real tokens of all sequences (padding dropped), S cached tokens before them,
D width, H attention heads, E width of a head.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from waytrace.microgpt.config import HEAD_WIDTH, GPTConfig


class Cache(NamedTuple):
    """What a layer remembers of the tokens it has seen, layer by layer."""

    keys: tuple[Tensor, ...]
    """[B, H, S, E], rotated."""
    values: tuple[Tensor, ...]
    """[B, H, S, E]."""

    def __len__(self) -> int:
        return self.keys[0].shape[2]

    def fork(self, rows: Tensor) -> Cache:
        """The caches of the sequences ``rows`` [R]: what goes on from one copy is not seen by another."""
        return Cache(*(tuple(x.index_select(0, rows) for x in kept) for kept in self))

    def truncate(self, length: int) -> Cache:
        """The cache as it was after ``length`` tokens."""
        return Cache(*(tuple(x[:, :, :length] for x in kept) for kept in self))


class Backbone(Protocol):
    """Turns embeddings into hidden states, given what came before."""

    def __call__(
        self,
        x_BTD: Tensor,
        cache: Cache | None,
        positions_BT: Tensor | None,
        mask_BTS: Tensor,
        real_N: Tensor | None = None,
    ) -> tuple[Tensor, Cache]:
        """Hidden states [B, T, D] and the cache with these tokens in it.

        ``positions_BT`` are the tokens' places in their branch; None is 0 for all. ``mask_BTS`` [B, T or 1, S + T] is
        true where a token may look; each sees at least one. ``real_N`` are the places among B * T that are no padding:
        the hidden states of all others are 0.
        """
        ...


class Attention(nn.Module):
    """Multi-head attention without biases."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.q_proj = nn.Linear(config.width, config.width, bias=False)
        self.k_proj = nn.Linear(config.width, config.width, bias=False)
        self.v_proj = nn.Linear(config.width, config.width, bias=False)
        self.o_proj = nn.Linear(config.width, config.width, bias=False)

    def forward(
        self, x_ND: Tensor, before: tuple[Tensor, Tensor] | None, rotary: Rotary | None, mask: Tensor, places: Places
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What attention adds to the residual stream, and this layer's keys and values, the cached ones included."""
        weight = torch.cat([self.q_proj.weight, self.k_proj.weight, self.v_proj.weight])
        qkv = functional.linear(x_ND, weight).view(-1, 3, self.heads, HEAD_WIDTH)
        if rotary is not None:
            qkv = torch.cat([rotary(qkv[:, :2]), qkv[:, 2:]], 1)
        q, k, v = places.pad(qkv).permute(2, 0, 3, 1, 4).unbind(0)
        if before is not None:
            k, v = torch.cat([before[0], k], 2), torch.cat([before[1], v], 2)
        seen_BHTE = functional.scaled_dot_product_attention(q, k, v, mask)
        return self.o_proj(places.strip(seen_BHTE.transpose(1, 2)).flatten(1)), (k, v)


class MLP(nn.Module):
    """down(relu(up(x))^2), without biases."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.up_proj = nn.Linear(config.width, config.hidden, bias=False)
        self.down_proj = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """What the MLP adds to the residual stream."""
        out: Tensor = self.down_proj(functional.relu(self.up_proj(x)).square())
        return out


class Layer(nn.Module):
    """Attention and MLP, each on the normed residual stream."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.eps = config.norm_eps
        self.attn = Attention(config)
        self.mlp = MLP(config)

    def forward(
        self, x_ND: Tensor, before: tuple[Tensor, Tensor] | None, rotary: Rotary | None, mask: Tensor, places: Places
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The residual stream after this layer, and its keys and values."""
        added, kept = self.attn(rms_norm(x_ND, self.eps), before, rotary, mask, places)
        x_ND = x_ND + added
        return x_ND + self.mlp(rms_norm(x_ND, self.eps)), kept


class MicroGPT(nn.Module):
    """The micro GPT."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.depth))

    def forward(
        self,
        x_BTD: Tensor,
        cache: Cache | None,
        positions_BT: Tensor | None,
        mask_BTS: Tensor,
        real_N: Tensor | None = None,
    ) -> tuple[Tensor, Cache]:
        """See :class:`Backbone`."""
        places = Places(x_BTD.shape[0], x_BTD.shape[1], real_N)
        x_ND = places.strip(x_BTD)
        rotary = None
        if positions_BT is not None:
            rotary = Rotary(places.strip(positions_BT), self.config.rotary_base)
        mask = mask_BTS[:, None]
        keys, values = [], []
        for i, layer in enumerate(self.layers):
            before = None if cache is None else (cache.keys[i], cache.values[i])
            x_ND, (k, v) = layer(x_ND, before, rotary, mask, places)
            keys.append(k)
            values.append(v)
        return places.pad(rms_norm(x_ND, self.config.norm_eps)), Cache(tuple(keys), tuple(values))


class Places(NamedTuple):
    """Where the real tokens of B sequences of T lie: matrices are multiplied for those alone."""

    sequences: int
    length: int
    real: Tensor | None
    """[N] places of those tokens among B * T; None for all."""

    def strip(self, x_BT: Tensor) -> Tensor:
        """[B, T, ...] to [N, ...]."""
        flat = x_BT.flatten(0, 1)
        return flat if self.real is None else flat.index_select(0, self.real)

    def pad(self, x_N: Tensor) -> Tensor:
        """[N, ...] to [B, T, ...], 0 where there is padding."""
        if self.real is not None:
            blank = x_N.new_zeros((self.sequences * self.length, *x_N.shape[1:]))
            x_N = blank.index_copy(0, self.real, x_N)
        return x_N.view(self.sequences, self.length, *x_N.shape[1:])


class Rotary:
    """Rotates queries and keys by their positions: the first half of a head with the second (arXiv 2104.09864)."""

    def __init__(self, positions_N: Tensor, base: float) -> None:
        half = HEAD_WIDTH // 2
        wave = base ** (-torch.arange(half, device=positions_N.device, dtype=torch.float32) / half)
        angle = positions_N.to(torch.float32)[:, None] * wave
        self.cos = angle.cos().repeat(1, 2)[:, None, None]
        self.sin = torch.cat([-angle.sin(), angle.sin()], -1)[:, None, None]

    def __call__(self, x_NHE: Tensor) -> Tensor:
        """Rotated [N, ..., E]."""
        first, second = x_NHE.chunk(2, -1)
        return x_NHE * self.cos.to(x_NHE.dtype) + torch.cat([second, first], -1) * self.sin.to(x_NHE.dtype)


def rms_norm(x: Tensor, eps: float) -> Tensor:
    """Each vector divided by its root mean square; no weights."""
    return functional.rms_norm(x, (x.shape[-1],), eps=eps)
