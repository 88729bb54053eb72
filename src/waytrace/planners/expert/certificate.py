"""The evidence of one decision: what bound and when, what was turned down for which reason, and what was second best.

Constraints have the names of the trace's closed set (``CONSTRAINTS``); references point at elements of the scenario.
Nothing in here is more than the expert knew when it decided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Reference
from waytrace.scenario import Plan

Array = NDArray[np.float64]

CONSTRAINTS = (
    "headway", "stop_point", "cross_conflict", "merge_gap", "speed_cap", "curve_lat_accel", "lateral_clearance",
    "route_feasibility", "occlusion_speed", "required_decel",
)  # fmt: skip
"""The closed set of reasons (docs/planners.md says what each means here)."""

Unit = Literal["m", "s", "m/s", "m/s2", "score"]

Lengthwise = Literal["proceed", "speed", "stop", "wait", "brake"]
"""``speed``: a share of the allowed speed behind whoever is ahead; ``stop``: before a conflict zone that one may
wait at; ``wait``: the same until a gap comes; ``brake``: at a constant rate; ``proceed``: at the speed limit, heeding
nobody (only ever as a rejected one)."""

Sideways = Literal["keep", "offset", "pass", "left", "right"]
"""The lane's middle; beside it all along; round what stands in it; the neighbouring lane on that side."""


@dataclass(frozen=True, eq=False)
class Constraint:
    """One thing that holds a drive back, evaluated along that drive."""

    name: str
    """One of ``CONSTRAINTS``."""
    reference: Reference
    """The agent, light, lane, crosswalk or stop line that it comes from."""
    accel_mps2: float
    """The acceleration that it allows now, within [-8, the expert's greatest]."""
    slack_mps2: float
    """How much more that is than the most restrictive constraint allows now; 0 for that one."""
    binds_at_s: float
    """When, on this drive, it is first the most restrictive; infinity for never within 8 s."""
    lost_mps: float
    """Speed lost to it over 8 s: while it was the most restrictive, what the driver's own free acceleration towards
    the speed limit would have gained beyond what it allowed."""
    allowed_mps2: Array = field(repr=False)
    """[17] the acceleration that it allows each 0.5 s of the drive, now first; infinity where it does not apply."""
    truncated: bool = False
    """Whether the observation's arrays do not hold the reference."""

    @property
    def axis(self) -> str:
        """``lateral`` for what forbids a path, ``longitudinal`` for what forbids a speed."""
        return "lateral" if self.name in ("lateral_clearance", "route_feasibility") else "longitudinal"


@dataclass(frozen=True)
class Rejected:
    """A lateral option, or another way to go about the chosen path's speed, that was not taken."""

    axis: Literal["longitudinal", "lateral"]
    lengthwise: Lengthwise
    sideways: Sideways
    lane: int
    """Lane to be driven, as in :class:`Choice`."""
    offset_m: float
    share: float
    violates: str | None
    """The first of ``CONSTRAINTS`` that it violates; None where it violates nothing and is merely worse.

    Lateral options are driven at the chosen drive's speeds, so that what they violate is due to where they lead."""
    reference: Reference | None
    at_s: float
    """When the violation begins; infinity for none."""
    margin: float
    """By how much it violates it, in ``unit``: the room, time or deceleration that is missing. Where nothing is
    violated, how much lower its score is."""
    unit: Unit
    score: float
    """Of the best proposal of this kind as it would really be driven, behind leaders and heeding stops."""
    truncated: bool = False


@dataclass(frozen=True)
class Choice:
    """A proposal with its plan and what binds it."""

    lengthwise: Lengthwise
    sideways: Sideways
    lane: int
    """Lane to be driven where the ego is now: its own, or the neighbour that it changes to."""
    offset_m: float
    """From that lane's middle, left positive; for a pass where it is widest."""
    share: float
    """Of the allowed speed."""
    about: Reference | None
    """Who is passed."""
    target_speed_mps: float
    """At the plan's end."""
    stop_m: float
    """Metres from the front bumper, along the path, to where it means to come to rest; infinity for nowhere."""
    stop_reference: Reference | None
    """The light, stop line or lane that this place belongs to, where it is not behind someone."""
    score: float
    clean: bool
    """Whether the forecast holds neither a collision at fault within 4.5 s nor a departure from the road."""
    plan: Plan
    """Of one planner, no leading axis: exactly what it would hand over."""
    constraints: tuple[Constraint, ...]
    """The most restrictive now first."""

    @property
    def binding(self) -> Constraint:
        """What allows the least acceleration now."""
        return self.constraints[0]


@dataclass(frozen=True, eq=False)
class Considered:
    """All proposals of a decision as columns; J of them."""

    lengthwise: tuple[Lengthwise, ...]
    sideways: tuple[Sideways, ...]
    lane: NDArray[np.int32]
    offset_m: Array
    share: Array
    score: Array
    clean: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.lengthwise)

    @property
    def kinds(self) -> tuple[tuple[Lengthwise, Sideways], ...]:
        """Every (lengthwise, sideways) that was looked at, once each, in order."""
        return tuple(dict.fromkeys(zip(self.lengthwise, self.sideways, strict=True)))


@dataclass(frozen=True)
class Certificate:
    """One decision of the expert."""

    t_s: float
    chosen: Choice
    runner_up: Choice | None
    """The best clean proposal of another kind whose plan leads at least 1 m elsewhere within 6 s; None for none."""
    rejected: tuple[Rejected, ...]
    """Lengthwise ones first, then lateral ones, each by falling score."""
    considered: Considered
    emergency: bool
    """Whether no proposal was clean, so that the least bad one was taken."""

    @property
    def truncated_share(self) -> float:
        """Share of what is cited (binding constraints and violations) that the observation's arrays do not hold."""
        cited = [c.truncated for c in self.chosen.constraints if c.lost_mps > 0.0 or c.slack_mps2 == 0.0]
        cited += [r.truncated for r in self.rejected if r.violates]
        return sum(cited) / max(len(cited), 1)
