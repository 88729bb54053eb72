"""The driving-trace family."""

from .family import DrivingTrace

__all__ = ["DrivingTrace"]
