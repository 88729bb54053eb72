"""Sequences of like length together: padding is neither multiplied nor attended to.

A batch of padded sequences becomes one list of real tokens, which every matrix is multiplied with, and a few groups of
sequences, each padded to its own longest, for attention alone.

Shape suffixes: B sequences, T tokens, S tokens cached before them, N real tokens of all; G sequences of a group, t and
s its own lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SEQUENCES = 16
"""Of a group on a CPU: enough for one call's work to outweigh its cost, few enough to stay in its cache."""


@dataclass(frozen=True)
class Group:
    """Sequences that are attended in one call."""

    low: int
    high: int
    """Their tokens among N."""
    length: int
    """t."""
    seen: int
    """s."""
    sequences: Tensor | None
    """[G] which of the B; None for all."""
    places: Tensor | None
    """[their tokens] places among G * t; None where all are real."""
    bias: Tensor
    """[G, 1, t or 1, s + t] 0 where a token may look, else minus infinity."""

    def pad(self, x_N: Tensor) -> Tensor:
        """Their part of [N, ...] as [G, t, ...], 0 where there is padding."""
        x = x_N[self.low : self.high]
        if self.places is not None:
            blank = x.new_zeros((len(self.bias) * self.length, *x.shape[1:]))
            x = blank.index_copy(0, self.places, x)
        return x.view(-1, self.length, *x.shape[1:])

    def strip(self, x_Gt: Tensor) -> Tensor:
        """[G, t, ...] as a list of tokens."""
        x = x_Gt.flatten(0, 1)
        return x if self.places is None else x.index_select(0, self.places)

    def cached(self, x_BHSE: Tensor) -> Tensor:
        """Their part of cached keys or values: [G, H, s, E]."""
        x = x_BHSE[:, :, : self.seen]
        return x if self.sequences is None else x.index_select(0, self.sequences)


@dataclass(frozen=True)
class Grouping:
    """All groups, and the way from padded sequences to the list of tokens and back."""

    shape: tuple[int, int]
    """B and T."""
    tokens: Tensor | None
    """[N] places among B * T in the order of the groups; None for all."""
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

    def joined(self, parts: list[Tensor]) -> Tensor:
        """Keys or values of the groups [G, H, t, E] as one [B, H, T, E]."""
        if self.tokens is None:
            return parts[0]
        out = parts[0].new_zeros((self.shape[0], parts[0].shape[1], self.shape[1], parts[0].shape[3]))
        for group, part in zip(self.groups, parts, strict=True):
            wide = torch.nn.functional.pad(part, (0, 0, 0, self.shape[1] - group.length))
            out = wide if group.sequences is None else out.index_copy(0, group.sequences, wide)
        return out


def grouping(shape: tuple[int, int], mask_BTS: Tensor, real_N: Tensor | None, precision: torch.dtype) -> Grouping:
    """How to compute sequences of shape (B, T) under a mask [B, T or 1, S + T]; ``real_N`` as :class:`.Backbone` says."""
    B, T = shape
    before = mask_BTS.shape[2] - T
    if real_N is None:
        return Grouping(shape, None, (Group(0, B * T, T, before, None, None, _bias(mask_BTS, precision)),))
    lengths = torch.bincount(real_N // T, minlength=B)
    seen = _last(mask_BTS[:, :, :before].any(1))
    order = torch.argsort(lengths * (seen + lengths), stable=True)
    size = SEQUENCES if mask_BTS.device.type == "cpu" else B
    groups, tokens, low = [], [], 0
    first = torch.cumsum(lengths, 0) - lengths
    for sequences in order.split(size):
        t, s = int(lengths[sequences].max()), int(seen[sequences].max())
        inside = torch.arange(t, device=real_N.device) < lengths[sequences, None]
        places = inside.flatten().nonzero()[:, 0]
        tokens.append(real_N[(first[sequences, None] + torch.arange(t, device=real_N.device))[inside]])
        mask = mask_BTS[sequences, : t if mask_BTS.shape[1] > 1 else 1]
        mask = torch.cat([mask[:, :, :s], mask[:, :, before : before + t]], 2)
        whole = len(places) == inside.numel()
        groups.append(Group(low, low + len(places), t, s, sequences, None if whole else places, _bias(mask, precision)))
        low += len(places)
    return Grouping(shape, torch.cat(tokens), tuple(groups))


def _last(seen_BS: Tensor) -> Tensor:
    """[B] one more than the last place that is true."""
    places = torch.arange(1, seen_BS.shape[1] + 1, device=seen_BS.device)
    return (seen_BS * places).amax(1) if seen_BS.shape[1] else seen_BS.new_zeros(len(seen_BS), dtype=torch.int64)


def _bias(mask: Tensor, precision: torch.dtype) -> Tensor:
    return torch.zeros_like(mask, dtype=precision).masked_fill_(~mask, -torch.inf)[:, None]
