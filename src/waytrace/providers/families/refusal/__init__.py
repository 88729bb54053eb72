"""The refusal family."""

from .family import Refusal

__all__ = ["Refusal"]
