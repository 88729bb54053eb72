"""A package with a planner in it. Once it is installed (`pip install .`): `waytrace eval steady --scenarios STORE`."""

from .steady import Steady

__all__ = ["Steady"]
