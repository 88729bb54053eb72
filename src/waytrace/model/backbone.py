"""The backbone: embeddings in, hidden states out, with an explicit cache. Here the micro GPT.

A token sees what a mask lets it see of the cache and of its own batch, and is rotated by the position it is given:
nothing about scenes, traces or order is known here. A Hugging Face model behind the same protocol will do as well.

Shape suffixes: B sequences, T tokens, N real tokens of all sequences (padding dropped), S cached tokens before them,
D width, H attention heads, E width of a head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from waytrace.microgpt.config import HEAD_WIDTH, GPTConfig

from .atoms import Linear, attend, linear, mlp, precision, rms_norm, rotate
from .grouping import Grouping, grouping
from .recompute import recompute


@dataclass(frozen=True)
class Cache:
    """What a layer remembers of the tokens it has seen, layer by layer."""

    keys: tuple[Tensor, ...]
    """[B, H, S, E], rotated."""
    values: tuple[Tensor, ...]
    """[B, H, S, E]."""
    scene: Tensor | None = None
    """[B] how many of the tokens are the scene's, where a backbone counts positions from there."""

    def __len__(self) -> int:
        return self.keys[0].shape[2]

    def fork(self, rows: Tensor) -> Cache:
        """The caches of the sequences ``rows`` [R]: what goes on from one copy is not seen by another."""
        scene = None if self.scene is None else self.scene.index_select(0, rows)
        return Cache(
            tuple(x.index_select(0, rows) for x in self.keys),
            tuple(x.index_select(0, rows) for x in self.values),
            scene,
        )

    def truncate(self, length: int) -> Cache:
        """The cache as it was after ``length`` tokens."""
        return Cache(
            tuple(x[:, :, :length] for x in self.keys), tuple(x[:, :, :length] for x in self.values), self.scene
        )


KeysValues = tuple[Tensor, Tensor]
"""Of one layer."""


class Backbone(Protocol):
    """Turns embeddings into hidden states, given what came before."""

    def __call__(
        self, x_BTD: Tensor, cache: Cache | None, positions_BT: Tensor | None, mask_BTS: Tensor,
        real_N: Tensor | None = None, keep: bool = True,
    ) -> tuple[Tensor, Cache | None]:  # fmt: skip
        """Hidden states [B, T, D], and the cache with these tokens in it where it is to be kept.

        ``positions_BT`` are the tokens' places in their branch; None is 0 for all. ``mask_BTS`` [B, T or 1, S + T] is
        true where a token may look; each sees at least one. ``real_N`` are the places among B * T that are no padding,
        in order, the real tokens of a sequence being its first ones; the hidden states of all others are 0.
        """
        ...


class Attention(nn.Module):
    """Multi-head attention without biases."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.q_proj = Linear(config.width, config.width, bias=False)
        self.k_proj = Linear(config.width, config.width, bias=False)
        self.v_proj = Linear(config.width, config.width, bias=False)
        self.o_proj = Linear(config.width, config.width, bias=False)

    def forward(
        self, x_ND: Tensor, before: KeysValues | None, rotary: Rotary | None, grouping: Grouping, keep: bool
    ) -> tuple[Tensor, KeysValues | None]:
        """What attention adds to the residual stream, and the keys and values of all tokens so far where asked for."""
        weight = torch.cat([self.q_proj.weight, self.k_proj.weight, self.v_proj.weight])
        qkv_N3HE = linear(x_ND, weight).view(-1, 3, self.heads, HEAD_WIDTH)
        if rotary is not None:
            qkv_N3HE = rotate(qkv_N3HE, rotary.cos, rotary.sin)
        old = None if before is None else [grouping.cached(part) for part in before]
        seen, keys, values = [], [], []
        for i, (group, padded) in enumerate(zip(grouping.groups, grouping.split(qkv_N3HE), strict=True)):
            q, k, v = padded.permute(2, 0, 3, 1, 4).unbind(0)
            keys.append(k)
            values.append(v)
            if old is not None:
                k, v = torch.cat([old[0][i], k], 2), torch.cat([old[1][i], v], 2)
            seen.append(group.strip(attend(q, k, v, group.bias).transpose(1, 2)).flatten(1))
        kept = None
        if keep:
            kept = grouping.joined(keys), grouping.joined(values)
            if before is not None:
                kept = torch.cat([before[0], kept[0]], 2), torch.cat([before[1], kept[1]], 2)
        return self.o_proj(seen[0] if len(seen) == 1 else torch.cat(seen)), kept


class MLP(nn.Module):
    """down(relu(up(x))^2), without biases."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.up_proj = Linear(config.width, config.hidden, bias=False)
        self.down_proj = Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """What the MLP adds to the residual stream."""
        return mlp(x, self.up_proj.weight, self.down_proj.weight)


class Layer(nn.Module):
    """Attention and MLP, each on the normed residual stream."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.eps = config.norm_eps
        self.attn = Attention(config)
        self.mlp = MLP(config)

    def forward(
        self, x_ND: Tensor, before: KeysValues | None, rotary: Rotary | None, grouping: Grouping, keep: bool
    ) -> tuple[Tensor, KeysValues | None]:
        """The residual stream after this layer, and its keys and values where asked for."""
        added, kept = self.attn(rms_norm(x_ND, self.eps), before, rotary, grouping, keep)
        x_ND = x_ND + added
        return x_ND + self.mlp(rms_norm(x_ND, self.eps)), kept


class MicroGPT(nn.Module):
    """The micro GPT."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.depth))

    def recompute(self) -> None:
        """Keep no activations of the layers, compute them again in the backward pass (:mod:`.recompute`)."""
        for layer in self.layers:
            recompute(layer)

    def forward(
        self, x_BTD: Tensor, cache: Cache | None, positions_BT: Tensor | None, mask_BTS: Tensor,
        real_N: Tensor | None = None, keep: bool = True,
    ) -> tuple[Tensor, Cache | None]:  # fmt: skip
        """See :class:`Backbone`."""
        together = grouping((x_BTD.shape[0], x_BTD.shape[1]), mask_BTS, real_N, precision(x_BTD))
        x_ND = together.strip(x_BTD)
        rotary = None
        if positions_BT is not None:
            rotary = Rotary(together.strip(positions_BT), self.config)
        layers: list[KeysValues] = []
        for i, layer in enumerate(self.layers):
            before = None if cache is None else (cache.keys[i], cache.values[i])
            x_ND, kept = layer(x_ND, before, rotary, together, keep)
            if kept is not None:
                layers.append(kept)
        hidden_BTD = together.pad(rms_norm(x_ND, self.config.norm_eps))
        kept = Cache(tuple(k for k, _ in layers), tuple(v for _, v in layers)) if layers else None
        return hidden_BTD, kept


class Rotary:
    """The turn of each token's position, for :func:`.atoms.rotate`: [N, 1, H, E]."""

    def __init__(self, positions_N: Tensor, config: GPTConfig) -> None:
        half = HEAD_WIDTH // 2
        wave = config.rotary_base ** (-torch.arange(half, device=positions_N.device, dtype=torch.float32) / half)
        angle = positions_N.to(torch.float32)[:, None] * wave
        shape = (len(angle), 1, config.heads, HEAD_WIDTH)
        dtype = precision(angle)
        cos, sin = angle.cos().to(dtype), angle.sin().to(dtype)
        self.cos = torch.cat([cos, cos], -1)[:, None, None].expand(shape).contiguous()
        self.sin = torch.cat([-sin, sin], -1)[:, None, None].expand(shape).contiguous()
