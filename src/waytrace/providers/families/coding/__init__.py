"""The coding family."""

from .family import Coding

__all__ = ["Coding"]
