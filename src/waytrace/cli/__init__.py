"""The command line. Importing this room costs nothing: the top-level help comes from a static table."""

from .main import main

__all__ = ["main"]
