"""What a planner is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from waytrace.scenario import Plan

if TYPE_CHECKING:
    from waytrace.observe import Observation


@runtime_checkable
class Planner(Protocol):
    """Anything that drives: asked at 2 Hz (by default) for a plan of 8 s, for a batch of rows at once."""

    name: str
    privileged: ClassVar[bool]
    """Whether :meth:`reset` needs the world. Such a planner may know the future; labels refuse it."""

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        """Begin new episodes; row ``i`` of every observation to come belongs to scenario ``ids[i]``.

        ``world`` is the simulator's world for privileged planners and None for all others.
        """
        ...

    def plan(self, observation: Observation, state: Any) -> tuple[Plan, Any, Any]:
        """(plan [B rows], trace or None, next state).

        ``state`` is None at first and afterwards whatever the call before returned: hysteresis lives there, so that a
        forked world can go on from any state. Equal arguments give equal answers.
        """
        ...
