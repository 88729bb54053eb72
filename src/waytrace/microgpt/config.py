"""The shape of the micro GPT: one dial, ``depth``, from which the rest follows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from waytrace.scenario import WaytraceError

SIZES = {"nano": 2, "micro": 4, "small": 8}
"""Depth by the names that recipes and the command line use."""

HEAD_WIDTH = 32
"""Width of an attention head, at every size."""

QUERIES = 4
"""Control queries; each answers for ``PLAN_KNOTS / QUERIES`` knots of the plan."""

MODES = ("trace", "decision_only", "fast")
"""What is written before the plan: every slot, the two decisions alone, nothing."""


@dataclass(frozen=True)
class GPTConfig:
    """A micro GPT over scene tokens and trace slots."""

    depth: int = SIZES["micro"]
    """Layers; the width is 32 a layer."""
    rotary_base: float = 1000.0
    """Longest wave of the trace's rotary positions, in tokens."""
    norm_eps: float = 1e-5

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= 64:
            raise WaytraceError(f"depth must lie within 1 and 64, got {self.depth}")

    @property
    def width(self) -> int:
        """Width of the residual stream."""
        return HEAD_WIDTH * self.depth

    @property
    def heads(self) -> int:
        """Attention heads."""
        return self.depth

    @property
    def hidden(self) -> int:
        """Width inside a layer's MLP."""
        return 4 * self.width

    @classmethod
    def of(cls, size: str) -> GPTConfig:
        """The configuration of a size by name. Raises :class:`WaytraceError` naming what there is."""
        if size not in SIZES:
            raise WaytraceError(f"there is no size {size!r}; there are {', '.join(SIZES)}")
        return cls(depth=SIZES[size])

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)
