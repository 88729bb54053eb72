"""Traces as the player reads them: every claim a line that knows what it points at and what was found of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from waytrace.trace import Trace, Verdict, sentence, sets
from waytrace.trace.verdicts import KINDS, VALUES

from .codec import CM, DECIDEGREE, delta, pack, quantise
from .texts import Texts
from .traces import Told, shown

if TYPE_CHECKING:
    from waytrace.evaluate.counterfactuals import Counterfactual

STAGES = ("scene", "entities", "forecasts", "decision", "causes", "rejected", "plan")
"""The lists of the panel, in its order."""
_ITEM = re.compile(r"(?:trace\.|decision\.|plan\.)?(entities|predictions|causes|rejected|segments)\[(\d+)\]\.?(.*)")
_LIST = {"entities": 1, "predictions": 2, "causes": 4, "rejected": 5}

_UNITS = {
    "m": "m", "s": "s", "mps": "m/s", "mps2": "m/s\N{SUPERSCRIPT TWO}", "deg": "\N{DEGREE SIGN}", "rad": "rad",
    "1pm": "1/m", "radps": "rad/s",
}  # fmt: skip

Line = tuple[int, str, str, str]
"""Stage, reference (or empty), head, and the rest of a claim in words."""


def claims_payload(told: Sequence[Told], origin: NDArray[np.float64]) -> dict[str, Any]:
    """The decisions of one drive as plain JSON values: a table of texts, and one stream of numbers that point into it.

    The stream (:mod:`.codec`) holds for each decision: row, number of the longitudinal decision, lateral decision,
    whether it is new, sentence; then, each after their count, lines (stage, reference, head, rest, verdicts), ghosts
    (option, violated, points as differences in cm), causes undone (lines, metres moved, two plans), findings of the
    audit, verdicts of no line. ``told.js`` reads it.
    """
    texts = Texts()
    for decision in told:
        _decision(decision, texts, origin)
    texts = texts.by_use()
    stream = [number for decision in told for number in _decision(decision, texts, origin)]
    return {
        "decisions": len(told), "stream": pack(stream), "texts": texts.table,
        "longitudinal": [_plain(name) for name in sets.LONGITUDINAL.values],
    }  # fmt: skip


def lines(trace: Trace) -> list[Line]:
    """Every claim of a trace in order, for a list to be read at a glance."""
    s, d, p = trace.scene_summary, trace.decision, trace.plan
    kind = {e.ref: e.class_ for e in trace.entities}

    def name(ref: Any) -> str:
        return f"{_plain(kind.get(ref, ref.kind.name.lower()))} {ref.index}"

    out: list[Line] = [
        (0, "", f"{s.ego_motion}, {_range(sets.EGO_SPEED, s.ego_speed_bin)}",
         f"limit {_range(sets.LIMIT, s.limit_bin)}; {_plain(s.zone)}; route: {_plain(s.route_intent)}; "
         f"light: {s.signal_for_ego}"),
    ]  # fmt: skip
    for e in trace.entities:
        doing = "" if e.motion == "none" else f", {e.motion}"
        out.append((1, str(e.ref), name(e.ref), f"{_plain(e.relation)}, {_range(sets.GAP, e.gap_bin)}{doing}"))
    for q in trace.predictions:
        ttc, meet = _range(sets.TTC, q.ttc_bin), _range(sets.CONFLICT_S, q.conflict_s_bin)
        more = [f"p {_range(sets.PROBABILITY, q.p_bin)}"]
        more += [f"collision in {ttc}"] if ttc != "none" else []
        more += [f"paths meet in {meet}"] if meet != "none" else []
        out.append((2, str(q.ref), name(q.ref), f"{_plain(q.intent)}; {', '.join(more)}"))
    sideways = "" if d.lateral == "keep" else f", {_plain(d.lateral)}"
    new = "; new" if d.changed == "yes" else ""
    sure = _range(sets.CONFIDENCE, d.confidence_bin)
    out.append((3, "", f"{_plain(d.longitudinal)}{sideways}", f"confidence {sure}{new}"))
    for c in d.causes:
        share, slack = _range(sets.SHARE, c.share_bin), _range(sets.SLACK, c.slack_bin)
        more = [c.role, *(["lateral"] if c.axis == "lateral" else []), f"share {share}", f"slack {slack}"]
        out.append((4, str(c.ref), name(c.ref), f"{_plain(c.constraint)}; {', '.join(more)}"))
    for r in d.rejected:
        whom = f" at {name(r.ref)}" if r.ref else ""
        why = "worse" if r.violates == "nothing" else f"{_plain(r.violates)}{whom}"
        by = _range(sets.MARGIN, r.margin_bin)
        out.append((5, str(r.ref) if r.ref else "", f"not {_plain(r.option)}", f"{why}, by {by}"))
    halt = "" if p.stop_s_bin == len(sets.STOP_S.edges) else f", to a halt in {_range(sets.STOP_S, p.stop_s_bin)}"
    lane = str(p.target_lane) if p.target_lane else ""
    end = f"{_range(sets.TARGET_SPEED, p.target_speed_bin)} at the end{halt}"
    steps = "; ".join(f"to {g.t_end} s {_plain(g.lon)}, {_plain(g.lat)}" for g in p.segments)
    return [*out, (6, lane, f"{end}{f', on {name(p.target_lane)}' if p.target_lane else ''}", steps)]


def _decision(told: Told, texts: Texts, origin: NDArray[np.float64]) -> list[int]:
    trace, claims, text = told.trace, lines(told.trace), texts.code
    place: dict[tuple[int, int], int] = {}
    for row, (stage, *_) in enumerate(claims):
        place[stage, sum(1 for s, _ in place if s == stage)] = row
    found: list[list[int]] = [[] for _ in range(len(claims) + 1)]
    count = [0] * len(found)
    for verdict in told.verdicts:
        key, field = _of(verdict)
        row = place.get(key, len(claims))
        found[row] += _verdict(verdict, field, texts)
        count[row] += 1
    d = trace.decision
    out = [told.tick, sets.LONGITUDINAL.number(d.longitudinal), *text(_plain(d.lateral)), int(d.changed == "yes"),
           *text(sentence(trace)), len(claims)]  # fmt: skip
    for row, (stage, ref, head, rest) in enumerate(claims):
        out += [stage, *text(ref), *text(head), *text(rest), count[row], *found[row]]
    violated = {r.option: r.violates for r in d.rejected}
    ghosts = [g for g in told.ghosts if len(g.xy) > 1]
    out.append(len(ghosts))
    for ghost in ghosts:
        why = ghost.violates or violated.get(ghost.option, "")
        xy = delta(quantise((np.array(ghost.xy) - origin).T, CM), 2)
        out += [*text(_plain(ghost.option)), *text(_plain(why)), len(ghost.xy), *(int(v) for v in xy.ravel())]
    cause = [row for row, (stage, *_) in enumerate(claims) if stage == _LIST["causes"]]
    out.append(len(told.undone))
    for undone in told.undone:
        out += _undone(undone, cause, origin)
    out += [len(told.audit), *(number for entry in told.audit for number in text(entry))]
    return [*out, count[-1], *found[-1]]


def _undone(undone: Counterfactual, cause: Sequence[int], origin: NDArray[np.float64]) -> list[int]:
    """Lines of the causes, whether the plan moves, by how many cm along and across, then both plans."""
    out = [len(undone.causes), *(cause[k] for k in undone.causes), int(undone.moves)]
    out += [int(v) for v in quantise(np.array([undone.along_m, undone.across_m]), CM)]
    out.append(len(undone.cited))
    for poses in (undone.cited, undone.undone):
        xy = delta(quantise((poses[:, :2] - origin).T, CM), 2)
        heading = delta(quantise(np.unwrap(poses[:, 2]), DECIDEGREE))
        out += [int(v) for v in (*xy.ravel(), *heading)]
    return out


def _of(verdict: Verdict) -> tuple[tuple[int, int], str]:
    """Which line of a decision a verdict is about: (stage, number in it), and the field in words."""
    item = _ITEM.match(verdict.claim)
    if item:
        if item[1] == "segments":
            return (6, 0), f"segment {int(item[2]) + 1} {item[3]}".strip()
        return (_LIST[item[1]], int(item[2])), item[3] or item[1]
    stage, _, field = verdict.claim.partition(".")
    known = {"scene_summary": 0, "decision": 3, "plan": 6, "longitudinal": 3, "lateral": 3}
    return (known.get(stage, -1), 0), field or stage


def _verdict(verdict: Verdict, field: str, texts: Texts) -> list[int]:
    slack = _signed(verdict.slack, verdict.unit) if verdict.unit else ""
    out = [4 * KINDS.index(verdict.kind) + VALUES.index(verdict.value)]
    for text in (_plain(field), _plain(verdict.rule), slack, verdict.why):
        out += texts.code(text)
    out.append(len(verdict.evidence))
    for name, value in verdict.evidence.items():
        what, unit = _measured(str(name))
        out += [*texts.code(what), *texts.code(f"{shown(value)} {unit}".strip())]
    return out


def _measured(name: str) -> tuple[str, str]:
    """A name as the house writes it, without the unit at its end, and the unit."""
    what, _, suffix = name.rpartition("_")
    return (_plain(what), _UNITS[suffix]) if what and suffix in _UNITS else (_plain(name), "")


def _signed(value: float, unit: str) -> str:
    text = f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")
    return f"{text} {unit.replace('m/s2', _UNITS['mps2'])}"


def _range(bins: sets.Bins, number: int) -> str:
    """A bin in the fewest signs: ``10–15 m``."""
    return bins.range_text(number).replace(" to ", "\N{EN DASH}").replace("m/s2", "m/s\N{SUPERSCRIPT TWO}")


def _plain(name: str) -> str:
    return name.replace("_", " ")
