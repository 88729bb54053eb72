"""Layers that keep nothing for the backward pass but what goes into them (gradient checkpointing, arXiv 1604.06174).

What a layer would have kept is computed again when its gradient is due: a third more arithmetic, memory for one layer
at a time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def recompute(layer: nn.Module) -> None:
    """Let a layer's ``forward`` be computed again in the backward pass; without gradients it runs as it did.

    It has to be a function of its arguments: whatever it writes to must come out the same the second time.
    """
    layer.forward = functools.partial(_again, layer.forward)


def _again(forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if not torch.is_grad_enabled():
        return forward(*args, **kwargs)
    return checkpoint(forward, *args, use_reentrant=False, **kwargs)
