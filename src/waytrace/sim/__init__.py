"""The closed-loop simulator: dynamics, tracker, traffic, and worlds that can be snapshotted and forked."""

from .build import STYLES, TRAFFIC, Style
from .dynamics import integrate, integrate_dense, invert
from .world import Snapshot, World

__all__ = ["STYLES", "TRAFFIC", "Snapshot", "Style", "World", "integrate", "integrate_dense", "invert"]
