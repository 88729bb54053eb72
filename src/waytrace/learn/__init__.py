"""Learning: samples, and what is trained on them. Importing the room does not import torch.

How samples are learned from is in :mod:`waytrace.learn.sft`.
"""

from .collect import CollectError, collect
from .config import ConfigError, SftConfig
from .samples import BRANCHES, DRIVERS, GATES, Branch, Sample, SampleBatch, SampleStore, branch_of

__all__ = [
    "BRANCHES",
    "DRIVERS",
    "GATES",
    "Branch",
    "CollectError",
    "ConfigError",
    "Sample",
    "SampleBatch",
    "SampleStore",
    "SftConfig",
    "branch_of",
    "collect",
]
