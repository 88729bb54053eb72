"""Several processes that learn as one: started by torchrun, spoken to over gloo (CUDA cards: NCCL)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from waytrace.model import Figures, Packed, Waytrace, Weights

PATIENCE = timedelta(hours=6)
"""How long processes wait for the one that looks at select and drives."""


@dataclass(frozen=True)
class Crew:
    """The processes of a run. One alone is a crew of one and speaks to nobody."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks to the person."""
        return self.rank == 0

    def total(self, *values: float) -> list[float]:
        """The sums of values over all processes."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(tensor)
        return [float(v) for v in tensor]

    def agree(self, value: float) -> float:
        """The leader's value, on every process: clocks differ, decisions must not."""
        return self.total(value if self.leads else 0.0)[0]

    def wait(self) -> None:
        """Until all processes have come here."""
        if self.size > 1:
            distributed.barrier()

    def learner(self, model: Waytrace) -> nn.Module:
        """The model's loss as a module whose gradients are the mean over all processes."""
        loss = _Loss(model)
        if self.size == 1:
            return loss
        # What lies in pieces (:mod:`.sharding`) is frozen, and no process's own to send to the others.
        pieces = [name for name, parameter in loss.named_parameters() if isinstance(parameter, DTensor)]
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(loss, pieces)
        return DistributedDataParallel(loss)


class _Loss(nn.Module):
    """The loss as ``forward``, which is what DistributedDataParallel looks after."""

    def __init__(self, model: Waytrace) -> None:
        super().__init__()
        self.model = model

    def forward(self, packed: Packed, weights: Weights) -> tuple[Tensor, Figures]:
        """See :meth:`Waytrace.loss`."""
        return self.model.loss(packed, weights)


@contextmanager
def crew() -> Iterator[Crew]:
    """The processes that torchrun started, or this one alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Crew()
        return
    distributed.init_process_group(_backend(), timeout=PATIENCE)
    try:
        yield Crew(distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()


def _backend() -> str:
    """gloo; for tensors on CUDA cards NCCL, where every process of this machine has a card, which is made its own."""
    local, size = (int(os.environ.get(name, "0")) for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE"))
    if not 0 < size <= torch.cuda.device_count():
        return "gloo"
    torch.cuda.set_device(local)
    return "cpu:gloo,cuda:nccl"
