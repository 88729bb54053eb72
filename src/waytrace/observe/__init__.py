"""What a controlled agent perceives: arrays for learned planners, a typed scene for all others."""

from .arrays import (
    NEVER,
    NearestCache,
    ObservationArrays,
    VisibilityMemory,
    copied,
    forget_nearest,
    forget_seen,
    make_arrays,
    make_memory,
    make_nearest_cache,
)
from .elements import ElementTable, pack_elements
from .features import REFERENCE_KIND, ReferenceKind, column
from .kernel import fill_worlds, observe_worlds
from .visibility import see_worlds

__all__ = [
    "NEVER",
    "REFERENCE_KIND",
    "ElementTable",
    "NearestCache",
    "ObservationArrays",
    "ReferenceKind",
    "VisibilityMemory",
    "column",
    "copied",
    "fill_worlds",
    "forget_nearest",
    "forget_seen",
    "make_arrays",
    "make_memory",
    "make_nearest_cache",
    "observe_worlds",
    "pack_elements",
    "see_worlds",
]
