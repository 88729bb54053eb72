"""Driving traces: a scene in, a structured trace out, judged by the project's codec, its checker and the label."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

from waytrace.scenario import PLAN_KNOTS
from waytrace.trace import Present, TraceError, encode, json_schema, sets
from waytrace.trace import Verdict as Judged
from waytrace.trace.check import check
from waytrace.trace.diff import fields_of
from waytrace.trace.file import TraceLine

from ..contract import Item, Message, Outcome, Reply, Skill, Verdict
from ..refusing import refuses
from ..text import json_of
from ..values import schema_error
from ..version import version_of
from .asked import instructions
from .labels import Labelled, labelled
from .told import read, told

LEAST_TRUE, LEAST_F1 = 0.9, 0.5
"""What a trace that passes needs: the share of its claims about the present that the checker finds true (what it cannot
tell counts as not true), and the F1 of its fields against the label. Set before any model was asked."""


class DrivingTrace:
    """Thirty scenes. A reply passes where its trace is valid, decides as the label does, and mostly holds."""

    name = "driving-trace"

    @cached_property
    def version(self) -> str:
        """Hash of the items, of the labels and of the modules that judge them."""
        return version_of(self.items(), __name__, [scene.stages for scene in labelled()])

    @cached_property
    def _scenes(self) -> dict[str, Labelled]:
        return {scene.id: scene for scene in labelled()}

    @cached_property
    def _items(self) -> tuple[Item, ...]:
        return tuple(_item(scene) for scene in labelled())

    def items(self) -> Sequence[Item]:
        """One item a scene."""
        return self._items

    def score(self, item: Item, reply: Reply) -> Verdict:
        """Mean of the true share and the F1 for a valid trace, nothing for any other."""
        scene = self._scenes[item.id].scene()
        try:
            stages = json_of(reply.text)
        except ValueError as error:
            if refuses(reply.text):
                return Verdict(Outcome.REFUSAL, 0.0, {"schema_valid": False, "why": "the model declined"})
            return Verdict(Outcome.FAIL, 0.0, {"schema_valid": False, "valid": False, "why": str(error)})
        schema_valid = not schema_error(stages, _schema())
        try:
            header, trace, plan = read(stages, scene)
            encode(trace, Present.of_scene(scene))
            verdicts = check(trace, scene, plan)
        except TraceError as error:
            details = {"schema_valid": schema_valid, "valid": False, "why": str(error)[:300]}
            return Verdict(Outcome.FAIL, 0.0, details)
        _, label, _ = read(self._scenes[item.id].stages, scene)
        line, wanted = (TraceLine(item.id, scene.tick, header, t) for t in (trace, label))
        return _judge(line, wanted, verdicts, schema_valid)

    def scripted(self, item: Item, skill: Skill) -> Reply:
        """The label; or a trace that is valid and says the same in every scene: drive on, for no reason."""
        stages = self._scenes[item.id].stages
        return Reply(json.dumps(stages if skill == "perfect" else _drive_on(stages)))


def _judge(line: TraceLine, label: TraceLine, verdicts: Sequence[Judged], schema_valid: bool) -> Verdict:
    """The verdict on a valid trace: from its fields, the label's, and what the checker says of its claims."""
    f1 = _f1(fields_of(line), fields_of(label))
    present = [v for v in verdicts if v.kind == "present"]
    found = Counter(v.value for v in present)
    true = found["true"] / len(present)
    same = {
        axis: getattr(line.trace.decision, axis) == getattr(label.trace.decision, axis) for axis in sets.AXIS.values
    }
    passed = all(same.values()) and true >= LEAST_TRUE and f1 >= LEAST_F1
    details = {
        "schema_valid": schema_valid, "valid": True, "f1": round(f1, 4), "decision": same,
        "true": found["true"], "false": found["false"], "undetermined": found["undetermined"],
        "false_claims": [v.why for v in present if v.value == "false"][:5],
    }  # fmt: skip
    return Verdict(Outcome.PASS if passed else Outcome.FAIL, (true + f1) / 2, details)


def _f1(said: dict[str, str], label: dict[str, str]) -> float:
    """F1 over pairs of field and value."""
    both = len(said.items() & label.items())
    return 2 * both / (len(said) + len(label))


def _drive_on(stages: dict[str, Any]) -> dict[str, Any]:
    """The label's summary and waypoints, with nobody in the scene and nothing to decide."""
    decision = {
        "longitudinal": "proceed", "lateral": "keep", "changed": "no", "causes": [], "rejected": [],
        "confidence_bin": 5,
    }  # fmt: skip
    segments = [{"t_end": "8", "lon": "maintain", "lat": "keep_lane"}]
    plan = stages["plan"] | {"segments": segments, "target_lane": None}
    return stages | {"entities": [], "predictions": [], "decision": decision, "plan": plan}


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    """The trace's schema without its header, the waypoints required."""
    schema: dict[str, Any] = json.loads(json.dumps(json_schema()))
    schema["properties"].pop("header")
    schema["required"].remove("header")
    plan = schema["properties"]["plan"]
    plan["required"].append("waypoints")
    plan["properties"]["waypoints"] |= {"minItems": PLAN_KNOTS, "maxItems": PLAN_KNOTS}
    return schema


def _item(scene: Labelled) -> Item:
    prompt = (Message("system", instructions()), Message("user", told(scene.scene())))
    meta = {"scenario_family": scene.family, "seed": scene.seed}
    return Item(scene.id, "driving-trace", prompt, schema=_schema(), most_tokens=6144, meta=meta)
