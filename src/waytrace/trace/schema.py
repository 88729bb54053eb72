"""The slot table in two other forms: a JSON Schema for those who write traces, a page for those who read them."""

from __future__ import annotations

from typing import Any

from . import sets
from .sets import Bins, Closed
from .slots import ENDED_AXIS, SLOTS, STAGES, Pointer, Slot, offsets, vocabulary_hash
from .types import MODES, PRODUCERS, SCHEMA

_MOST = {
    "entities": sets.MOST_ENTITIES, "predictions": sets.MOST_PREDICTIONS, "causes": sets.MOST_CAUSES,
    "rejected": sets.MOST_REJECTED, "segments": sets.MOST_SEGMENTS,
}  # fmt: skip
_NONE_ALLOWED = ("rejected.ref", "target_lane")
_REFERENCE = "^(agent|lane|light|crosswalk|stop_line):[0-9]{1,9}$"


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a trace file. What depends on the scene, only the decoder can check."""
    stages = {stage: _stage(stage) for stage in STAGES}
    stages["plan"]["properties"]["waypoints"] = {
        "type": "array",
        "items": {"type": "array", "prefixItems": [{"type": "number"}] * 4, "minItems": 4, "maxItems": 4},
        "description": "x, y (m), heading (rad), speed (m/s) each 0.5 s",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        "description": f"vocabulary {vocabulary_hash()}",
        **_object({"header": _header(), **stages}),
    }


def _header() -> dict[str, Any]:
    text, number, whole = {"type": "string"}, {"type": "number"}, {"type": "integer"}
    producer = {
        "kind": {"enum": list(PRODUCERS)}, "weights": text, "vocabulary": text, "code": text, "seed": whole,
        "mode": {"enum": list(MODES)}, "label_gate": text,
    }  # fmt: skip
    return _object(
        {
            "scene_hash": text, "t0_us": whole, "history_s": number, "dt_s": number, "producer": _object(producer),
            "schema": {"const": SCHEMA},
        }
    )  # fmt: skip


def _stage(stage: str) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    lists: dict[str, dict[str, Any]] = {}
    for slot in SLOTS:
        if slot.stage != stage:
            continue
        group, dot, name = slot.name.rpartition(".")
        (lists.setdefault(group, {}) if dot else plain)[name] = _slot(slot)
    made = {name: {"type": "array", "maxItems": _MOST[name], "items": _object(item)} for name, item in lists.items()}
    if stage in made:
        return made[stage]
    return _object({**plain, **made})


def _slot(slot: Slot) -> dict[str, Any]:
    values = slot.values
    if isinstance(values, Pointer):
        reference = {"type": "string", "pattern": _REFERENCE}
        return {"anyOf": [reference, {"type": "null"}]} if slot.name in _NONE_ALLOWED else reference
    if isinstance(values, Closed):
        return {"enum": [v for v in values.values if not (values is ENDED_AXIS and v == "end")]}
    shown = ", ".join(f"{k}: {values.range_text(k)}" for k in range(len(values)))
    return {"type": "integer", "minimum": 0, "maximum": len(values) - 1, "description": shown}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def markdown() -> str:
    """The reference page of the slots and their values."""
    parts = [
        f"Schema `{SCHEMA}`, {len(SLOTS)} slots, {offsets()['total']} tokens, vocabulary `{vocabulary_hash()[:16]}`.\n"
    ]
    for stage in STAGES:
        rows = [slot for slot in SLOTS if slot.stage == stage]
        parts += [f"### {stage}\n", "| slot | values | legal |", "| --- | --- | --- |"]
        parts += [f"| `{s.name}` | `{s.values.name}` ({len(s.values)}) | {s.depends or 'all'} |" for s in rows]
        parts.append("")
    parts += ["### The values\n", "| set | is | values |", "| --- | --- | --- |"]
    seen: dict[str, Closed | Bins | Pointer] = {slot.values.name: slot.values for slot in SLOTS}
    parts += [f"| `{name}` | {values.about} | {_shown(values)} |" for name, values in seen.items()]
    return "\n".join(parts) + "\n"


def _shown(values: Closed | Bins | Pointer) -> str:
    if isinstance(values, Pointer):
        return "row 0 to 150, nothing, end"
    if isinstance(values, Closed):
        return ", ".join(values.values)
    unit = f" {values.unit}" if values.unit else ""
    return f"from {', '.join(f'{edge:g}' for edge in values.edges)}{unit}{'; none' if values.none else ''}"
