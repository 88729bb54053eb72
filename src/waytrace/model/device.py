"""Where a model is trained, and in which precision its matrices are multiplied."""

from __future__ import annotations

import torch

from waytrace.scenario import WaytraceError

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("fp32", "bf16")


def choose_device(name: str = "auto") -> torch.device:
    """A device by name; ``auto`` is the first there is of a CUDA card, Apple's GPU, the CPU.

    Raises :class:`WaytraceError` for a name that there is not, or a device that this machine or this PyTorch has not.
    """
    able = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    kind = name.partition(":")[0]
    if kind == "auto":
        return torch.device(next(device for device, there in able.items() if there))
    if kind not in able:
        raise WaytraceError(f"there is no device {name!r}; there are {', '.join(DEVICES)}, and cuda:1 and so on")
    if not able[kind]:
        there = ", ".join(device for device, has in able.items() if has)
        raise WaytraceError(
            f"device {name!r} cannot be used: PyTorch {torch.__version__} finds none here. It finds: {there}."
        )
    return torch.device(name)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context under which the loss is computed: ``fp32`` as it is, ``bf16`` with products in half precision.

    Weights, residual stream, softmax over values, plans and losses stay float32 in either. Raises
    :class:`WaytraceError` for another precision.
    """
    if precision not in PRECISIONS:
        raise WaytraceError(f"there is no precision {precision!r}; there are {', '.join(PRECISIONS)}")
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
