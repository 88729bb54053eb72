"""A structured reasoning trace: five stages of typed claims that point at what is in the scene.

Fields that end in ``_bin`` hold a bin's number; ``sets.py`` has the edges. All others hold a name of a closed set or
a reference. The waypoints are the only free numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from waytrace.observe import Reference

SCHEMA = "adtrace/1.0.0"

PRODUCERS = ("expert_certificate", "log_inverse", "model", "provider", "human")
MODES = ("trace", "decision_only", "fast")


class TraceError(ValueError):
    """A trace that breaks the grammar: what, where, and what would be legal there."""


@dataclass(frozen=True)
class Producer:
    """Who wrote a trace, and with what."""

    kind: str
    """One of ``PRODUCERS``."""
    weights: str = ""
    """Hash of the weights; empty where there are none."""
    vocabulary: str = ""
    """Hash of the slot table."""
    code: str = ""
    seed: int = 0
    mode: str = "trace"
    """One of ``MODES``."""
    label_gate: str = ""


@dataclass(frozen=True)
class Header:
    """Which moment of which scene a trace is about."""

    scene_hash: str
    t0_us: int
    history_s: float
    dt_s: float
    producer: Producer
    schema: str = SCHEMA


@dataclass(frozen=True)
class SceneSummary:
    """Stage 1."""

    route_intent: str
    ego_motion: str
    ego_speed_bin: int
    limit_bin: int
    zone: str
    signal_for_ego: str


@dataclass(frozen=True)
class Entity:
    """Something that matters, and what it is to the ego."""

    ref: Reference
    class_: str
    relation: str
    gap_bin: int
    motion: str


@dataclass(frozen=True)
class Prediction:
    """What something is expected to do."""

    ref: Reference
    intent: str
    ttc_bin: int
    conflict_s_bin: int
    p_bin: int


@dataclass(frozen=True)
class Cause:
    """Why the decision is what it is."""

    ref: Reference
    axis: str
    role: str
    constraint: str
    share_bin: int
    slack_bin: int


@dataclass(frozen=True)
class Rejection:
    """A decision that was not taken, and what it would have violated."""

    axis: str
    option: str
    violates: str
    ref: Reference | None
    margin_bin: int


@dataclass(frozen=True)
class Decision:
    """Stage 4."""

    longitudinal: str
    lateral: str
    changed: str
    causes: tuple[Cause, ...]
    rejected: tuple[Rejection, ...]
    confidence_bin: int


@dataclass(frozen=True)
class Segment:
    """A stretch of time of the plan."""

    t_end: str
    lon: str
    lat: str


@dataclass(frozen=True)
class PlanClaim:
    """Stage 5, without the waypoints."""

    target_speed_bin: int
    stop_s_bin: int
    target_lane: Reference | None
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Trace:
    """What a planner says about one decision."""

    scene_summary: SceneSummary
    entities: tuple[Entity, ...]
    predictions: tuple[Prediction, ...]
    decision: Decision
    plan: PlanClaim
