"""The model in PyTorch: encoder, backbone, heads, what they are trained on, and checkpoints. For training only."""

from .backbone import Backbone, Cache, MicroGPT
from .branches import EVERY, Batch, Branches
from .checkpoint import load_checkpoint, load_trainer, save_checkpoint
from .device import DEVICES, PRECISIONS, autocast, choose_device
from .layout import Packed, pack
from .losses import Figures, Weights
from .waytrace import Waytrace

__all__ = [
    "DEVICES",
    "EVERY",
    "PRECISIONS",
    "Backbone",
    "Batch",
    "Branches",
    "Cache",
    "Figures",
    "MicroGPT",
    "Packed",
    "Waytrace",
    "Weights",
    "autocast",
    "choose_device",
    "load_checkpoint",
    "load_trainer",
    "pack",
    "save_checkpoint",
]
