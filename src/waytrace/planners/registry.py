"""The built-in planners by name."""

from __future__ import annotations

from collections.abc import Callable

from waytrace.scenario.errors import WaytraceError

from .constant_velocity import ConstantVelocity
from .expert import Expert
from .idm import Idm
from .oracle import Oracle
from .protocol import Planner
from .replay import Replay

_BUILT_IN: dict[str, Callable[[], Planner]] = {
    "constant-velocity": ConstantVelocity,
    "replay": Replay,
    "idm": Idm,
    "expert": Expert,
    "oracle": Oracle,
}

NAMES = tuple(_BUILT_IN)


def names() -> tuple[str, ...]:
    """Names of the built-in planners."""
    return NAMES


def make(name: str) -> Planner:
    """A new built-in planner. Raises :class:`WaytraceError` for an unknown name."""
    if name not in _BUILT_IN:
        raise WaytraceError(f"there is no planner {name!r}; built in are {', '.join(NAMES)}")
    return _BUILT_IN[name]()
