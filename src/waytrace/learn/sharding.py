"""A large backbone in pieces, one in each process: FSDP2 (PyTorch's ``fully_shard``) over what is frozen.

Each process keeps its piece of every frozen weight; a layer is put together when its turn comes, forward and backward,
and taken apart again. What is trained over a language model (adapters, scene encoder, heads) is small: it stays whole
in every process and its gradients are averaged as without sharding, so the optimiser, the average over weights,
checkpoints and going on know nothing of it.
"""

from __future__ import annotations

from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from waytrace.model import Waytrace
from waytrace.model.huggingface import HuggingFace

from .config import ConfigError
from .distributed import Crew


def shard(model: Waytrace, group: Crew) -> tuple[int, int]:
    """Spread a Hugging Face backbone's frozen weights over the processes; how many lie here, and how many in all.

    From then on all processes run the model together. Raises :class:`ConfigError` for a process alone and for a micro
    GPT.
    """
    backbone = model.backbone
    if not isinstance(backbone, HuggingFace):
        raise ConfigError("A micro GPT is not sharded: its weights fit anywhere.")
    if group.size == 1:
        raise ConfigError("sharded spreads the backbone over several processes: start them by torchrun.")
    backbone.sha256()  # of the whole, which checkpoints refer to
    trained = {parameter for parameter in model.parameters() if parameter.requires_grad}
    mesh = init_device_mesh(model.device.type, (group.size,))
    # Apart again after every pass, the outermost too: a checkpoint, which one process writes alone, takes what it reads
    # apart, and would leave that process alone in having to put it together.
    for part in (*backbone.layers, backbone.model):
        fully_shard(part, mesh=mesh, reshard_after_forward=True, ignored_params=trained)
    pieces = [parameter for parameter in model.parameters() if isinstance(parameter, DTensor)]
    return sum(piece.to_local().numel() for piece in pieces), sum(piece.numel() for piece in pieces)
