"""What a model is told about the trace that it is to write: the grammar's rules, from the grammar's own tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from waytrace.scenario import PLAN_KNOTS
from waytrace.trace import sets
from waytrace.trace.causes import SUFFICIENT
from waytrace.trace.compatible import CAUSES, CLASSES, INTENTS, RELATIONS, kinds_of

TABLES = ("agents", "lanes", "lights", "crosswalks", "stop_lines")
"""Tables of a scene in the order of the reference table."""


def instructions() -> str:
    """The system prompt: the scene's form, the answer's form, and every rule that the JSON Schema cannot say."""
    relations = _lines((kind.name.lower(), names) for kind, names in RELATIONS.items())
    intents = _lines((kind.name.lower(), names) for kind, names in INTENTS.items())
    causes = _lines((f"{axis}, {kind.name.lower()}", names) for (axis, kind), names in CAUSES.items())
    violated = _lines((name, [kind.name.lower() for kind in kinds_of(name)]) for name in sets.CONSTRAINT.values)
    most, causes_most, rejected_most = sets.MOST_PREDICTIONS, sets.MOST_CAUSES, sets.MOST_REJECTED
    no_stop, segments = len(sets.STOP_S) - 1, sets.MOST_SEGMENTS
    return f"""You plan for an automated car and say why, in a structured trace.

You get one moment as JSON, at the start of a drive (so the decision has not changed: changed is "no"). Its frame is
the ego's: x forward, y left, metres, radians counter-clockwise, m/s, m/s2. Poses are box centres [x, y, heading],
sizes [length, width]; the ego's pose is [0, 0, 0]. "route" lists groups of lanes: any lane of a group leads on. A lane
has its centre line, its limit, the lanes that follow ("next") and those beside it; a light rules the entry into a lane.

Answer with one JSON object of the given schema and nothing else. Its rules beyond the schema:
- References are keys of the scene: agent:3, lane:8, light:0. Fields that end in _bin hold the number of a bin; the
  schema's descriptions list the bins.
- scene_summary: ego_speed_bin is 0 where ego_motion is standing; signal_for_ego is none where there are no lights.
- entities (what matters to the decision, at most {sets.MOST_ENTITIES}) and predictions (at most {most}) name each thing
  once, in the order of the scene: {", ".join(TABLES)}, and as listed in them.
  class is the agent's class, else {", ".join(CLASSES.values())}; motion is none for things and one of
  the others for agents. Relations by kind:
{relations}
- Only agents and lights are predicted; ttc_bin of a light is {len(sets.TTC) - 1} (none). Intents by kind:
{intents}
- decision: a longitudinal one other than {" or ".join(sets.FREE)} has a longitudinal cause whose role is
  {" or ".join(SUFFICIENT)}; a lateral one other than keep has a lateral cause. proximate is what binds
  first, at most one on an axis; joint costs speed too; overdetermining causes come in twos or more: none alone
  matters but all do; enabling binds nothing, but without it other options would be open. At most {causes_most} causes.
  Constraints of a cause by axis and kind:
{causes}
- rejected (at most {rejected_most}): an option of the axis that was not decided, each once, and the constraint that
  it would violate, with the thing it comes from; or violates "nothing" with ref null where it is only worse. A
  constraint comes from:
{violated}
- plan: stop_s_bin is {no_stop} (none) where the plan does not come to rest, and never so for stop and hold;
  target_speed_bin is 0 for hold. At most {segments} segments, t_end growing, the last "8". waypoints are
  {PLAN_KNOTS} rows [x, y, heading, speed] of the rear axle, at 0.5 s, 1.0 s ... 8.0 s, in the same frame."""


def _lines(rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    return "\n".join(f"    {name}: {', '.join(values)}" for name, values in rows)
