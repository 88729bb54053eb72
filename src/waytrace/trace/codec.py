"""Traces to tokens and back, and from any source of values: all by one walk through the grammar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from waytrace.observe import Reference

from .grammar import Ask, walk
from .present import Present
from .sets import Closed
from .slots import END, NOTHING, Pointer, Slot, offsets, token
from .types import Trace, TraceError

_END = object()


def compose(present: Present, choose: Callable[[Ask], int]) -> Trace:
    """The trace that ``choose`` writes, slot by slot; it is asked only where more than one value is legal.

    Raises :class:`TraceError` where it answers with a value that is not legal.
    """
    steps = walk(present)
    try:
        ask = next(steps)
        while True:
            number = ask.only
            if number < 0:
                number = choose(ask)
                _check(ask, number)
            ask = steps.send(number)
    except StopIteration as end:
        trace: Trace = end.value
        return trace


def encode(trace: Trace, present: Present, *, forced: bool = True) -> list[int]:
    """Tokens of a trace; without ``forced`` those alone where there was a choice.

    Raises :class:`TraceError` where the trace breaks the grammar or points at what is not there.
    """
    return [token(ask.slot, number) for ask, number in filled(trace, present) if forced or ask.only < 0]


def filled(trace: Trace, present: Present) -> Iterator[tuple[Ask, int]]:
    """Every slot of a trace with its legal values and its value. Raises as :func:`encode`."""
    steps, values = walk(present), _values(trace)
    try:
        ask = next(steps)
        while True:
            number = _number(ask.slot, next(values, _END), present)
            _check(ask, number)
            yield ask, number
            ask = steps.send(number)
    except StopIteration as end:
        if end.value != trace:
            raise TraceError("the trace holds more than the grammar has room for") from None


def decode(tokens: Sequence[int], present: Present, *, forced: bool = True) -> Trace:
    """The trace that :func:`encode` wrote. Raises :class:`TraceError` on any other sequence."""
    steps, left = walk(present), iter(tokens)
    try:
        ask = next(steps)
        while True:
            number = ask.only
            if forced or number < 0:
                given = next(left, None)
                if given is None:
                    raise TraceError(f"the tokens end before slot {ask.slot.name}")
                number = int(given) - offsets()[ask.slot.values.name]
                _check(ask, number)
            ask = steps.send(number)
    except StopIteration as end:
        rest = sum(1 for _ in left)
        if rest:
            raise TraceError(f"{rest} tokens after the end of the trace") from None
        trace: Trace = end.value
        return trace


def _check(ask: Ask, number: int) -> None:
    if not 0 <= number < len(ask.legal) or not ask.legal[number]:
        shown = [value_text(ask.slot, int(k)) for k in ask.legal.nonzero()[0][:8]]
        more = f" and {int(ask.legal.sum()) - 8} more" if ask.legal.sum() > 8 else ""
        raise TraceError(
            f"slot {ask.slot.name} cannot hold {value_text(ask.slot, number)}; legal: {', '.join(shown)}{more}"
        )


def value_text(slot: Slot, number: int) -> str:
    """A value in words."""
    values = slot.values
    if not 0 <= number < len(values):
        return f"value {number} of {len(values)}"
    if isinstance(values, Pointer):
        return {NOTHING: "nothing", END: "end"}.get(number, f"row {number}")
    return values.values[number] if isinstance(values, Closed) else values.range_text(number)


def _number(slot: Slot, value: object, present: Present) -> int:
    """The number of a trace's value in its slot; -1 for one that the slot's set does not hold."""
    values = slot.values
    if isinstance(values, Pointer):
        if value is _END:
            return END
        if value is None:
            return NOTHING
        return present.row_of.get(value, -1) if isinstance(value, Reference) else -1
    if isinstance(values, Closed):
        wanted = "end" if value is _END else value
        return values.values.index(wanted) if wanted in values.values else -1
    return value if type(value) is int else -1


def _values(trace: Trace) -> Iterator[object]:
    """A trace's values in the order of the slots, with an end after every list that is not full."""
    s, d, p = trace.scene_summary, trace.decision, trace.plan
    yield from (s.route_intent, s.ego_motion, s.ego_speed_bin, s.limit_bin, s.zone, s.signal_for_ego)
    yield from _list([(e.ref, e.class_, e.relation, e.gap_bin, e.motion) for e in trace.entities], 8)
    yield from _list([(q.ref, q.intent, q.ttc_bin, q.conflict_s_bin, q.p_bin) for q in trace.predictions], 8)
    yield from (d.longitudinal, d.lateral, d.changed)
    yield from _list([(c.ref, c.axis, c.role, c.constraint, c.share_bin, c.slack_bin) for c in d.causes], 4)
    yield from _list([(r.axis, r.option, r.violates, r.ref, r.margin_bin) for r in d.rejected], 3)
    yield d.confidence_bin
    yield from (p.target_speed_bin, p.stop_s_bin, p.target_lane)
    for g in p.segments:
        yield from (g.t_end, g.lon, g.lat)


def _list(items: Iterable[tuple[object, ...]], most: int) -> Iterator[object]:
    count = 0
    for item in items:
        count += 1
        yield from item
    if count < most:
        yield _END
