"""Pointers to what is in a scene: ``agent:17``, ``lane:8``, ``light:3``, ``crosswalk:2``, ``stop_line:5``."""

from __future__ import annotations

from dataclasses import dataclass

from .features import ReferenceKind


@dataclass(frozen=True, order=True)
class Reference:
    """One element of a scenario. Indices are those of the scenario; a stop line's is the lane on which it lies."""

    kind: ReferenceKind
    index: int

    def __str__(self) -> str:
        return f"{self.kind.name.lower()}:{self.index}"

    @classmethod
    def parse(cls, text: str) -> Reference:
        """The reference that ``str`` wrote. Raises ``ValueError`` on anything else."""
        name, colon, index = text.partition(":")
        if not colon or name.upper() not in ReferenceKind.__members__ or not index.isdecimal() or not index.isascii():
            kinds = ", ".join(kind.name.lower() for kind in ReferenceKind)
            raise ValueError(f"{text[:80]!r} is no reference; expected KIND:NUMBER with KIND one of {kinds}")
        return cls(ReferenceKind[name.upper()], int(index))
