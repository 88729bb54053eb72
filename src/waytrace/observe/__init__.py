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
from .eyes import LOOK_BACK_S, SEEN_BY_ROW, Eyes, Seen, look_back_ticks, recorded_speed
from .features import REFERENCE_KIND, ROWS, ReferenceKind, column
from .history import history_rows
from .kernel import fill_worlds, observe_worlds
from .observation import Observation
from .rebuilt import Drive, scene_at, scenes_of
from .references import Reference
from .scene import Scene, SceneAgents, SceneEgo, SceneRecord, SceneSource
from .visibility import see_worlds

__all__ = [
    "LOOK_BACK_S",
    "NEVER",
    "REFERENCE_KIND",
    "ROWS",
    "SEEN_BY_ROW",
    "Drive",
    "ElementTable",
    "Eyes",
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
    "Seen",
    "VisibilityMemory",
    "column",
    "copied",
    "fill_worlds",
    "forget_nearest",
    "forget_seen",
    "fork_memory",
    "history_rows",
    "look_back_ticks",
    "make_arrays",
    "make_memory",
    "make_nearest_cache",
    "make_observe_scratch",
    "observe_worlds",
    "pack_elements",
    "recorded_speed",
    "scene_at",
    "scenes_of",
    "see_worlds",
]
