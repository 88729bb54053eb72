"""The scene encoder: one token an element of the scene, each kind by a small network of its own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .atoms import Linear, relu_squared


class KindEncoder(nn.Module):
    """down(relu(up(features))^2) of elements of one kind."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.up = Linear(features, width)
        self.down = Linear(width, width)

    def forward(self, x_NF: Tensor) -> Tensor:
        """Tokens [N, D]."""
        out: Tensor = self.down(relu_squared(self.up(x_NF)))
        return out


class SceneEncoder(nn.ModuleDict):
    """Kind by kind, in the order of ``features`` (name of a kind to how many columns it has)."""

    def __init__(self, width: int, features: Mapping[str, int]) -> None:
        super().__init__({kind: KindEncoder(columns, width) for kind, columns in features.items()})

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Tokens [N, D] of the elements of all kinds, kind after kind."""
        return torch.cat([encode(features[kind]) for kind, encode in self.items()])
