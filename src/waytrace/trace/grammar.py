"""The grammar of a trace, written once: a walk through the slots that asks for one value after the other.

``walk(present)`` is a generator. It yields an :class:`Ask` (the slot and which of its values are legal), is sent the
number of a legal value, and returns the :class:`Trace`. Decoding sends the tokens of a sequence, encoding the values
of a trace, a model what it samples under the mask: all three meet the same legal sets, so whatever ends is valid.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import numpy as np

from waytrace.observe import Reference, ReferenceKind

from . import sets
from .causes import Ledger, decidable
from .compatible import CAUSES, CLASSES, INTENTS, RELATIONS, kinds_of
from .present import Mask, Present
from .sets import Bins, Closed
from .slots import BY_NAME, END, ENDED_AXIS, NOTHING, POINTER, ROW_COUNT, Slot
from .types import Cause, Decision, Entity, PlanClaim, Prediction, Rejection, SceneSummary, Segment, Trace

AGENT, LANE, LIGHT = ReferenceKind.AGENT, ReferenceKind.LANE, ReferenceKind.LIGHT


@dataclass(frozen=True, eq=False)
class Ask:
    """A slot to be filled."""

    slot: Slot
    legal: Mask
    """[values of the slot]; at least one is legal. Not to be written to: such asks are shared."""

    @cached_property
    def only(self) -> int:
        """The one legal value; -1 where there is a choice."""
        return int(self.legal.argmax()) if np.count_nonzero(self.legal) == 1 else -1


Walk = Generator[Ask, int, Trace]
_Number = Generator[Ask, int, int]


def walk(present: Present) -> Walk:
    """Ask for every slot of a trace about ``present``, in order; the trace at the end."""
    summary = yield from _summary(present)
    entities = yield from _entities(present)
    predictions = yield from _predictions(present)
    decision = yield from _decision(present)
    plan = yield from _plan(present, decision)
    return Trace(summary, entities, predictions, decision, plan)


def _ask(name: str, legal: Mask) -> _Number:
    number = yield Ask(BY_NAME[name], legal)
    return number


def _any(name: str) -> _Number:
    return (yield _bounded(name))


def _among(name: str, allowed: Iterable[str]) -> Generator[Ask, int, str]:
    ask = _allowing(name, tuple(allowed))
    return ask.slot.values.values[(yield ask)]  # type: ignore[union-attr]


def _one_of(name: str) -> Generator[Ask, int, str]:
    ask = _bounded(name)
    return ask.slot.values.values[(yield ask)]  # type: ignore[union-attr]


def _first_bin(name: str, first: bool) -> _Number:
    """Any bin, or the first alone."""
    return (yield _bounded(name, 1 if first else None))


def _none_bin(name: str, none: bool, some: bool = True) -> _Number:
    """Any bin that applies where ``some``, and "does not apply" where ``none``."""
    assert isinstance(BY_NAME[name].values, Bins)
    return (yield _binned(name, none, some))


@cache
def _bounded(name: str, count: int | None = None) -> Ask:
    """A slot in which the first ``count`` values are legal, or all."""
    legal = np.zeros(len(BY_NAME[name].values), np.bool_)
    legal[:count] = True
    return _shared(name, legal)


@cache
def _binned(name: str, none: bool, some: bool) -> Ask:
    legal = np.full(len(BY_NAME[name].values), some, np.bool_)
    legal[-1] = none
    return _shared(name, legal)


@lru_cache(maxsize=1 << 14)
def _allowing(name: str, allowed: tuple[str, ...]) -> Ask:
    values = BY_NAME[name].values
    assert isinstance(values, Closed)
    legal = np.zeros(len(values), np.bool_)
    legal[[values.number(value) for value in allowed]] = True
    return _shared(name, legal)


def _shared(name: str, legal: Mask) -> Ask:
    legal.flags.writeable = False
    return Ask(BY_NAME[name], legal)


def _pointer(name: str, rows: Mask, *, end: bool = False, nothing: bool = False) -> _Number:
    legal = np.zeros(len(POINTER), np.bool_)
    legal[:ROW_COUNT] = rows
    legal[END], legal[NOTHING] = end, nothing
    return (yield from _ask(name, legal))


def _summary(present: Present) -> Generator[Ask, int, SceneSummary]:
    route_intent = yield from _one_of("route_intent")
    ego_motion = yield from _one_of("ego_motion")
    speed = yield from _first_bin("ego_speed_bin", ego_motion == "standing")
    limit = yield from _any("limit_bin")
    zone = yield from _one_of("zone")
    signals = sets.SIGNAL.values if present.has((LIGHT,)) else ("none",)
    signal = yield from _among("signal_for_ego", signals)
    return SceneSummary(route_intent, ego_motion, speed, limit, zone, signal)


def _after(rows: Mask, last: int) -> Mask:
    out = rows.copy()
    out[: last + 1] = False
    return out


def _entities(present: Present) -> Generator[Ask, int, tuple[Entity, ...]]:
    out: list[Entity] = []
    last = -1
    while len(out) < sets.MOST_ENTITIES:
        last = yield from _pointer("entities.ref", _after(present.rows, last), end=True)
        if last == END:
            break
        ref = present.reference(last)
        agent = ref.kind == AGENT
        class_ = yield from _among("entities.class", [present.agent_class[last] if agent else CLASSES[ref.kind]])
        relation = yield from _among("entities.relation", RELATIONS[ref.kind])
        gap = yield from _any("entities.gap_bin")
        motion = yield from _among("entities.motion", sets.MOTION.values[1:] if agent else ("none",))
        out.append(Entity(ref, class_, relation, gap, motion))
    return tuple(out)


def _predictions(present: Present) -> Generator[Ask, int, tuple[Prediction, ...]]:
    out: list[Prediction] = []
    last = -1
    able = present.of_kinds(tuple(INTENTS))
    while len(out) < sets.MOST_PREDICTIONS:
        last = yield from _pointer("predictions.ref", _after(able, last), end=True)
        if last == END:
            break
        ref = present.reference(last)
        intent = yield from _among("predictions.intent", INTENTS[ref.kind])
        ttc = yield from _none_bin("predictions.ttc_bin", none=True, some=ref.kind == AGENT)
        conflict = yield from _any("predictions.conflict_s_bin")
        probability = yield from _any("predictions.p_bin")
        out.append(Prediction(ref, intent, ttc, conflict, probability))
    return tuple(out)


def _decision(present: Present) -> Generator[Ask, int, Decision]:
    lengthwise, sideways = decidable(present)
    longitudinal = yield from _among("longitudinal", sets.LONGITUDINAL.values if lengthwise else sets.FREE)
    lateral = yield from _among("lateral", sets.LATERAL.values if sideways else ("keep",))
    changed = yield from _one_of("changed")
    causes = yield from _causes(present, Ledger(longitudinal, lateral))
    rejected = yield from _rejected(present, longitudinal, lateral)
    confidence = yield from _any("confidence_bin")
    return Decision(longitudinal, lateral, changed, causes, rejected, confidence)


def _causes(present: Present, ledger: Ledger) -> Generator[Ask, int, tuple[Cause, ...]]:
    out: list[Cause] = []
    while ledger.left:
        rows = present.of_kinds(ledger.kinds())
        row = yield from _pointer("causes.ref", rows, end=ledger.needed() == 0)
        if row == END:
            break
        ref = present.reference(row)
        axis = yield from _among("causes.axis", ledger.axes(ref.kind))
        role = yield from _among("causes.role", ledger.roles(axis))
        constraint = yield from _among("causes.constraint", CAUSES[axis, ref.kind])
        share = yield from _any("causes.share_bin")
        slack = yield from _any("causes.slack_bin")
        ledger.add(axis, role)
        out.append(Cause(ref, axis, role, constraint, share, slack))
    return tuple(out)


def _rejected(present: Present, longitudinal: str, lateral: str) -> Generator[Ask, int, tuple[Rejection, ...]]:
    out: list[Rejection] = []
    gone = {longitudinal, lateral}
    options = {"longitudinal": sets.LONGITUDINAL.values, "lateral": sets.LATERAL.values}
    violated = [name for name in sets.CONSTRAINT.values if present.has(kinds_of(name))]
    while len(out) < sets.MOST_REJECTED:
        axis = ENDED_AXIS.values[(yield from _any("rejected.axis"))]
        if axis == "end":
            break
        option = yield from _among("rejected.option", [name for name in options[axis] if name not in gone])
        violates = yield from _among("rejected.violates", [*violated, "nothing"])
        nothing = violates == "nothing"
        rows = present.of_kinds(() if nothing else kinds_of(violates))
        row = yield from _pointer("rejected.ref", rows, nothing=nothing)
        margin = yield from _any("rejected.margin_bin")
        gone.add(option)
        out.append(Rejection(axis, option, violates, None if row == NOTHING else present.reference(row), margin))
    return tuple(out)


def _plan(present: Present, decision: Decision) -> Generator[Ask, int, PlanClaim]:
    speed = yield from _first_bin("target_speed_bin", decision.longitudinal == "hold")
    stops = decision.longitudinal in ("stop", "hold")
    stop = yield from _none_bin("stop_s_bin", none=not stops)
    row = yield from _pointer("target_lane", present.of_kinds((LANE,)), nothing=True)
    lane: Reference | None = None if row == NOTHING else present.reference(row)
    segments: list[Segment] = []
    ends = len(sets.T_END)
    last = -1
    while last < ends - 1:
        legal = np.zeros(ends, np.bool_)
        legal[last + 1 :] = True
        if len(segments) == sets.MOST_SEGMENTS - 1:
            legal[: ends - 1] = False  # the last one has to reach the end
        last = yield from _ask("segments.t_end", legal)
        lon = yield from _one_of("segments.lon")
        lat = yield from _one_of("segments.lat")
        segments.append(Segment(sets.T_END.values[last], lon, lat))
    return PlanClaim(speed, stop, lane, tuple(segments))
