"""The closed-loop simulator: dynamics, tracker, traffic, and worlds that can be snapshotted and forked."""

from .dynamics import integrate, integrate_dense, invert

__all__ = ["integrate", "integrate_dense", "invert"]
