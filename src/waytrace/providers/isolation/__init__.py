"""Isolation: code that a model wrote is run behind walls, or it is not run."""

from .means import IsolationError
from .sandbox import Limits, Ran, available, run

__all__ = ["IsolationError", "Limits", "Ran", "available", "run"]
