"""The slot table: the single source of the vocabulary, the masks, the JSON Schema and the reference page.

A slot is a place in a trace that holds one value of one set; sets with the same values share their tokens. A token is
(set, number), counted through over all sets. Slots that hold a reference draw from the reference table of the
observation: number r is its row r, and two numbers more are "nothing" and "the list ends here".
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache

from waytrace.observe import ROWS

from . import sets
from .sets import Bins, Closed

ROW_COUNT = sum(ROWS.values())
"""Rows of an observation's reference table."""


@dataclass(frozen=True)
class Pointer:
    """The rows of the reference table, and then "nothing" and "end"."""

    name: str = "ref"
    about: str = "a row of the observation's reference table"

    def __len__(self) -> int:
        return ROW_COUNT + 2


NOTHING, END = ROW_COUNT, ROW_COUNT + 1
POINTER = Pointer()

ENDED_AXIS = Closed("axis_or_end", (*sets.AXIS.values, "end"), "which decision; or the list ends here")
OPTION = Closed("option", (*sets.LONGITUDINAL.values, *sets.LATERAL.values), "a decision that was not taken")

Values = Closed | Bins | Pointer


@dataclass(frozen=True)
class Slot:
    """One place of the table."""

    stage: str
    name: str
    """With its list before a dot: ``entities.relation``."""
    values: Values
    depends: str
    """What its legal values depend on besides the scene, in words; empty for nothing."""


SLOTS: tuple[Slot, ...] = (
    Slot("scene_summary", "route_intent", sets.ROUTE_INTENT, ""),
    Slot("scene_summary", "ego_motion", sets.EGO_MOTION, ""),
    Slot("scene_summary", "ego_speed_bin", sets.EGO_SPEED, "standing: the first bin alone; else any"),
    Slot("scene_summary", "limit_bin", sets.LIMIT, ""),
    Slot("scene_summary", "zone", sets.ZONE, ""),
    Slot("scene_summary", "signal_for_ego", sets.SIGNAL, "none alone where the scene has no light"),
    Slot("entities", "entities.ref", POINTER, "rows after the last one; end"),
    Slot("entities", "entities.class", sets.CLASS, "that of the reference alone"),
    Slot("entities", "entities.relation", sets.RELATION, "those of the reference's kind"),
    Slot("entities", "entities.gap_bin", sets.GAP, ""),
    Slot("entities", "entities.motion", sets.MOTION, "none alone for what is no agent; else all but none"),
    Slot("predictions", "predictions.ref", POINTER, "agents and lights after the last one; end"),
    Slot("predictions", "predictions.intent", sets.INTENT, "those of the reference's kind"),
    Slot("predictions", "predictions.ttc_bin", sets.TTC, "none alone for lights"),
    Slot("predictions", "predictions.conflict_s_bin", sets.CONFLICT_S, ""),
    Slot("predictions", "predictions.p_bin", sets.PROBABILITY, ""),
    Slot("decision", "longitudinal", sets.LONGITUDINAL, "free ones alone where the scene has nothing to point at"),
    Slot("decision", "lateral", sets.LATERAL, "keep alone where the scene has nothing to point at"),
    Slot("decision", "changed", sets.CHANGED, ""),
    Slot("decision", "causes.ref", POINTER, "those by which the causes still needed can be given; end when none is"),
    Slot("decision", "causes.axis", sets.AXIS, "axes that have constraints for the reference's kind"),
    Slot(
        "decision", "causes.role", sets.ROLE, "at most one proximate an axis; overdetermining ones come in twos or more"
    ),
    Slot("decision", "causes.constraint", sets.CONSTRAINT, "those of the axis and of the reference's kind"),
    Slot("decision", "causes.share_bin", sets.SHARE, ""),
    Slot("decision", "causes.slack_bin", sets.SLACK, ""),
    Slot("decision", "rejected.axis", ENDED_AXIS, "end"),
    Slot("decision", "rejected.option", OPTION, "those of the axis, without the decision and what was rejected before"),
    Slot("decision", "rejected.violates", sets.VIOLATES, "those for which the scene has a reference; nothing"),
    Slot("decision", "rejected.ref", POINTER, "kinds of the constraint; nothing alone where nothing is violated"),
    Slot("decision", "rejected.margin_bin", sets.MARGIN, ""),
    Slot("decision", "confidence_bin", sets.CONFIDENCE, ""),
    Slot("plan", "target_speed_bin", sets.TARGET_SPEED, "the first bin alone where the decision is to hold"),
    Slot("plan", "stop_s_bin", sets.STOP_S, "a place where the decision is to stop or to hold"),
    Slot("plan", "target_lane", POINTER, "lanes; nothing"),
    Slot("plan", "segments.t_end", sets.T_END, "later than the last; 8 alone in the sixth; the list ends at 8"),
    Slot("plan", "segments.lon", sets.SEGMENT_LON, ""),
    Slot("plan", "segments.lat", sets.SEGMENT_LAT, ""),
)

STAGES = ("scene_summary", "entities", "predictions", "decision", "plan")
BY_NAME = {slot.name: slot for slot in SLOTS}


@cache
def offsets() -> dict[str, int]:
    """First token of every value set, by the set's name; ``"total"`` is the size of the vocabulary."""
    out: dict[str, int] = {}
    at = 0
    for slot in SLOTS:
        if slot.values.name not in out:
            out[slot.values.name] = at
            at += len(slot.values)
    return out | {"total": at}


def token(slot: Slot, number: int) -> int:
    """The token of a value: unique over all sets."""
    return offsets()[slot.values.name] + number


@cache
def vocabulary_hash() -> str:
    """sha256 over the slot table and all sets: it travels with every trace and every checkpoint."""
    record = [
        [slot.stage, slot.name, slot.values.name, slot.depends, _values(slot.values)] for slot in SLOTS
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(record, separators=(",", ":")).encode()).hexdigest()


def _values(values: Values) -> list[object]:
    if isinstance(values, Pointer):
        return [len(values)]
    return list(values.values) if isinstance(values, Closed) else [*values.edges, values.unit, values.none]
