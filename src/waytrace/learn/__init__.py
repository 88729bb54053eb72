"""Learning (PyTorch): supervised training, its run folder, its samples."""

from .config import ConfigError, SftConfig

__all__ = ["ConfigError", "SftConfig"]
