"""What a controlled agent perceives: arrays for learned planners, a typed scene for all others."""

from .arrays import (
    NEVER,
    NearestCache,
    ObservationArrays,
    ObserveScratch,
    VisibilityMemory,
    copied,
    forget_nearest,
    forget_seen,
    fork_memory,
    make_arrays,
    make_memory,
    make_nearest_cache,
    make_observe_scratch,
)
from .elements import ElementTable, pack_elements
from .features import REFERENCE_KIND, ROWS, ReferenceKind, column
from .history import history_rows
from .kernel import fill_worlds, observe_worlds
from .observation import Observation
from .references import Reference
from .scene import Scene, SceneAgents, SceneEgo, SceneRecord, SceneSource
from .visibility import see_worlds

__all__ = [
    "NEVER",
    "REFERENCE_KIND",
    "ROWS",
    "ElementTable",
    "NearestCache",
    "Observation",
    "ObservationArrays",
    "ObserveScratch",
    "Reference",
    "ReferenceKind",
    "Scene",
    "SceneAgents",
    "SceneEgo",
    "SceneRecord",
    "SceneSource",
    "VisibilityMemory",
    "column",
    "copied",
    "fill_worlds",
    "forget_nearest",
    "forget_seen",
    "fork_memory",
    "history_rows",
    "make_arrays",
    "make_memory",
    "make_nearest_cache",
    "make_observe_scratch",
    "observe_worlds",
    "pack_elements",
    "see_worlds",
]
