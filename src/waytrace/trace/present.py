"""What a trace can point at: the reference table of one moment, each element once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import REFERENCE_KIND, Observation, Reference, ReferenceKind, Scene
from waytrace.scenario import AgentKind

from .slots import ROW_COUNT

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Present:
    """The elements of a scene at one moment. A lane lies in several pieces; it goes by its nearest one's row."""

    index: NDArray[np.int32]
    """[151] of each row the element's index in the scenario; -1 for padding."""
    agent_class: tuple[str, ...]
    """[31] class of each agent row; anything for padding."""

    @classmethod
    def of(cls, observation: Observation, row: int) -> Present:
        """What agent ``row`` of an observation perceives."""
        return cls.of_scene(observation.scenes[row])

    @classmethod
    def of_scene(cls, scene: Scene) -> Present:
        """What the ego of a scene perceives."""
        agents = zip(scene.agents.index, scene.agents.kind, strict=True)
        kinds = {int(i): AgentKind(kind).name.lower() for i, kind in agents}
        index = np.array(scene.reference, np.int32)
        return cls(index, tuple(kinds.get(int(i), "unknown") for i in index[REFERENCE_KIND == ReferenceKind.AGENT]))

    @cached_property
    def row_of(self) -> dict[Reference, int]:
        """The row by which each element goes: its first."""
        rows: dict[Reference, int] = {}
        for row in range(ROW_COUNT):
            if self.index[row] >= 0:
                rows.setdefault(self.reference(row), row)
        return rows

    @cached_property
    def rows(self) -> Mask:
        """[151] rows that an element goes by."""
        out = np.zeros(ROW_COUNT, np.bool_)
        held = np.flatnonzero(self.index >= 0)
        _, first = np.unique(REFERENCE_KIND[held] * (1 + self.index.max()) + self.index[held], return_index=True)
        out[held[first]] = True
        return out

    @cached_property
    def by_kind(self) -> dict[ReferenceKind, Mask]:
        """Of each kind the rows that an element goes by."""
        return {kind: self.rows & (kind == REFERENCE_KIND) for kind in ReferenceKind}

    def reference(self, row: int) -> Reference:
        """The element of a row."""
        return Reference(ReferenceKind(int(REFERENCE_KIND[row])), int(self.index[row]))

    def has(self, kinds: tuple[ReferenceKind, ...]) -> bool:
        """Whether there is an element of one of these kinds."""
        return any(self.by_kind[kind].any() for kind in kinds)

    def of_kinds(self, kinds: tuple[ReferenceKind, ...]) -> Mask:
        """[151] rows of these kinds."""
        out = np.zeros(ROW_COUNT, np.bool_)
        for kind in kinds:
            out |= self.by_kind[kind]
        return out
