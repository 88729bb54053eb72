"""The long-context family."""

from .family import LongContext

__all__ = ["LongContext"]
