"""Learning: samples, and what is trained on them. Importing the room does not import torch."""

from .collect import CollectError, collect
from .samples import BRANCHES, DRIVERS, GATES, Branch, Sample, SampleBatch, SampleStore, branch_of

__all__ = [
    "BRANCHES",
    "DRIVERS",
    "GATES",
    "Branch",
    "CollectError",
    "Sample",
    "SampleBatch",
    "SampleStore",
    "branch_of",
    "collect",
]
