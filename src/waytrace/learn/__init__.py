"""Learning: samples, and what is trained on them. What needs PyTorch is imported from its module."""

from .config import ConfigError, SftConfig

__all__ = ["ConfigError", "SftConfig"]
