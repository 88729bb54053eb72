"""Sequences of like length together: padding is neither multiplied nor attended to.

A batch of padded sequences becomes one list of real tokens, which every matrix is multiplied with, and a few groups of
sequences, each padded to its own longest, for attention alone.

Shape suffixes: B sequences, T tokens, S tokens cached before them, N real tokens of all; G sequences of a group, t and
s its own lengths, n its tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

SEQUENCES = 16
"""Of a group on a CPU: enough for one call's work to outweigh its cost, few enough to stay in its cache."""


@dataclass(frozen=True)
class Group:
    """Sequences that are attended in one call."""

    tokens: int
    """n."""
    length: int
    """t."""
    seen: int
    """s."""
    places: Tensor | None
    """[n] places among G * t; None where all are real."""
    bias: Tensor
    """[G, 1, t or 1, s + t] 0 where a token may look, else minus infinity."""

    def pad(self, x_n: Tensor) -> Tensor:
        """[n, ...] as [G, t, ...], 0 where there is padding."""
        if self.places is not None:
            blank = x_n.new_zeros((len(self.bias) * self.length, *x_n.shape[1:]))
            x_n = blank.index_copy(0, self.places, x_n)
        return x_n.view(-1, self.length, *x_n.shape[1:])

    def strip(self, x_Gt: Tensor) -> Tensor:
        """[G, t, ...] as [n, ...]."""
        x = x_Gt.flatten(0, 1)
        return x if self.places is None else x.index_select(0, self.places)


@dataclass(frozen=True)
class Grouping:
    """All groups, and the way from padded sequences to the list of tokens and back."""

    shape: tuple[int, int]
    """B and T."""
    tokens: Tensor | None
    """[N] places among B * T in the order of the groups; None for all as they are."""
    order: Tensor | None
    """[B] the sequences in the order of the groups; None for their own."""
    groups: tuple[Group, ...]

    def strip(self, x_BT: Tensor) -> Tensor:
        """[B, T, ...] as [N, ...]."""
        x = x_BT.flatten(0, 1)
        return x if self.tokens is None else x.index_select(0, self.tokens)

    def pad(self, x_N: Tensor) -> Tensor:
        """[N, ...] as [B, T, ...], 0 where there is padding."""
        if self.tokens is not None:
            x_N = x_N.new_zeros((self.shape[0] * self.shape[1], *x_N.shape[1:])).index_copy(0, self.tokens, x_N)
        return x_N.view(*self.shape, *x_N.shape[1:])

    def split(self, x_N: Tensor) -> list[Tensor]:
        """[N, ...] as [G, t, ...] of every group."""
        parts = x_N.split([group.tokens for group in self.groups])
        return [group.pad(part) for group, part in zip(self.groups, parts, strict=True)]

    def cached(self, x_BHSE: Tensor) -> list[Tensor]:
        """Keys or values of a cache as [G, H, s, E] of every group."""
        x = x_BHSE if self.order is None else x_BHSE.index_select(0, self.order)
        parts = x.split([len(group.bias) for group in self.groups])
        return [part[:, :, : group.seen] for group, part in zip(self.groups, parts, strict=True)]

    def joined(self, parts: list[Tensor]) -> Tensor:
        """Keys or values [G, H, t, E] of every group as [B, H, T, E]."""
        wide = torch.cat([functional.pad(part, (0, 0, 0, self.shape[1] - part.shape[2])) for part in parts])
        return wide if self.order is None else wide.index_select(0, torch.argsort(self.order))


def grouping(shape: tuple[int, int], mask_BTS: Tensor, real_N: Tensor | None, precision: torch.dtype) -> Grouping:
    """How to compute sequences of shape (B, T) under a mask [B, T or 1, S + T].

    ``real_N`` is as :class:`.backbone.Backbone` has it; biases are made in ``precision``.
    """
    B, T = shape
    S = mask_BTS.shape[2] - T
    if real_N is None:
        return Grouping(shape, None, None, (Group(B * T, T, S, None, _bias(mask_BTS, precision)),))
    lengths = torch.bincount(real_N // T, minlength=B)
    seen = _after_last(mask_BTS[:, :, :S].any(1))
    order = torch.argsort(lengths * (seen + lengths), stable=True)
    first = torch.cumsum(lengths, 0) - lengths
    groups, tokens = [], []
    for sequences in order.split(SEQUENCES if real_N.device.type == "cpu" else B):
        t, s = int(lengths[sequences].max()), int(seen[sequences].max())
        steps = torch.arange(t, device=real_N.device)
        real = steps < lengths[sequences, None]
        places = real.flatten().nonzero()[:, 0]
        tokens.append(real_N[(first[sequences, None] + steps)[real]])
        mask = mask_BTS[sequences, :t]
        mask = torch.cat([mask[:, :, :s], mask[:, :, S : S + t]], 2)
        groups.append(Group(len(places), t, s, None if real.all() else places, _bias(mask, precision)))
    return Grouping(shape, torch.cat(tokens), order, tuple(groups))


def _after_last(seen_BS: Tensor) -> Tensor:
    """[B] one more than the last place that is true; 0 where none is."""
    if not seen_BS.shape[1]:
        return seen_BS.new_zeros(len(seen_BS), dtype=torch.int64)
    return (seen_BS * torch.arange(1, seen_BS.shape[1] + 1, device=seen_BS.device)).amax(1)


def _bias(mask: Tensor, precision: torch.dtype) -> Tensor:
    return torch.zeros_like(mask, dtype=precision).masked_fill_(~mask, -torch.inf)[:, None]
