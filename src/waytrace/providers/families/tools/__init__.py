"""The tools family."""

from .family import Tools

__all__ = ["Tools"]
