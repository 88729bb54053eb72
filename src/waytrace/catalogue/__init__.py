"""Procedural scenarios: families of scenes with versioned ranges, three disjoint splits, bit-reproducible."""

from .generate import SPLITS, CatalogueError, families, generate, generate_many, layout_count, splits

__all__ = ["SPLITS", "CatalogueError", "families", "generate", "generate_many", "layout_count", "splits"]
