"""Learning: samples, and what is trained on them. Importing the room does not import torch.

How samples are made is in :mod:`waytrace.learn.collect`, how they are learned from in :mod:`waytrace.learn.sft`.
"""

from .config import ConfigError, SftConfig
from .samples import BRANCHES, DRIVERS, GATES, Branch, Sample, SampleBatch, SampleStore, branch_of

__all__ = [
    "BRANCHES",
    "DRIVERS",
    "GATES",
    "Branch",
    "ConfigError",
    "Sample",
    "SampleBatch",
    "SampleStore",
    "SftConfig",
    "branch_of",
]
