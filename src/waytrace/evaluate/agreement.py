"""How far two people, two passes of one, or a person and a labeller agree on what a planner should do and why."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Reference
from waytrace.scenario import WaytraceError
from waytrace.trace import TraceError, from_json, sets
from waytrace.trace.compatible import RELATIONS

SCHEMA = "waytrace.annotation/1"
SLOTS = ("longitudinal", "lateral", "cause", "relation")
"""What is compared: two decisions, the proximate cause's reference, and what it is to the ego."""
WHO = ("human", "provider")
"""Kinds of producer that answer from pictures: a person, or a provider's model that sees them."""
NONE = "none"
DRAWS = 2000


class AnnotationError(WaytraceError):
    """A file of answers that cannot be compared: where, what, and what to do."""


@dataclass(frozen=True)
class Annotation:
    """One answer about one moment."""

    scenario: str
    tick: int
    longitudinal: str
    lateral: str
    cause: str | None
    """Reference of the proximate cause; None where there is none."""
    relation: str | None
    who: str = ""
    pass_number: int = 0
    """0: a labeller's."""
    remark: str = ""
    scenario_hash: str = ""

    def value(self, slot: str) -> str:
        """What stands in one of ``SLOTS``; ``none`` for no cause and no relation."""
        value: str | None = getattr(self, slot)
        return NONE if value is None else value


@dataclass(frozen=True)
class Agreement:
    """Agreement in one slot over n moments, with 95 % intervals."""

    slot: str
    count: int
    raw: float
    raw_interval: tuple[float, float]
    kappa: float | None
    """Cohen's; None where chance alone would agree always, so that nothing can be said."""
    kappa_interval: tuple[float, float] | None


def read_annotations(path: Path) -> list[Annotation]:
    """Answers from an export of the annotation page, or from a labeller's traces (``traces.jsonl``).

    Of a trace the cause is the proximate longitudinal one, else the proximate lateral one. Raises
    :class:`AnnotationError` with line and field.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(
            f"{path} cannot be read: {error}. Name a file that the annotation page exported."
        ) from error
    found: dict[tuple[str, int], Annotation] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        one = _answer(line, where)
        key = (one.scenario, one.tick)
        if key in found:
            raise AnnotationError(
                f"{where}: a second answer about {one.scenario!r}, tick {one.tick}. Keep one pass of one person a file."
            )
        found[key] = one
    if not found:
        raise AnnotationError(f"{path} holds no answer. Export the page again once a scene is answered.")
    return list(found.values())


def agreement(
    a: Sequence[Annotation], b: Sequence[Annotation], *, draws: int = DRAWS, seed: int = 0
) -> list[Agreement]:
    """Raw agreement and Cohen's kappa in every slot, over the moments that both have answered.

    Intervals: percentile bootstrap over moments, each from a scenario of its own; draws in which kappa is undefined
    are left out of its interval. Raises :class:`AnnotationError` where no moment is shared, or one is of scenarios
    with different content.
    """
    other = {(one.scenario, one.tick): one for one in b}
    pairs = [(one, other[one.scenario, one.tick]) for one in a if (one.scenario, one.tick) in other]
    if not pairs:
        raise AnnotationError("The two files answer about no moment in common. Compare answers about the same scenes.")
    for one, two in pairs:
        if one.scenario_hash and two.scenario_hash and one.scenario_hash != two.scenario_hash:
            raise AnnotationError(f"Scenario {one.scenario!r} has another content in the second file; make both anew.")
    drawn = np.random.default_rng(seed).integers(len(pairs), size=(draws, len(pairs)))
    return [_slot(slot, pairs, drawn) for slot in SLOTS]


def cohens_kappa(table: NDArray[np.float64]) -> float | None:
    """Kappa of a square table of counts [K, K], rows one rater, columns the other (Cohen 1960); None: undefined."""
    total = table.sum()
    observed = np.trace(table) / total
    chance = float((table.sum(0) * table.sum(1)).sum() / total**2)
    return None if math.isclose(chance, 1.0) else float((observed - chance) / (1.0 - chance))


def _slot(slot: str, pairs: Sequence[tuple[Annotation, Annotation]], drawn: NDArray[np.int64]) -> Agreement:
    left, right = ([one.value(slot) for one in side] for side in zip(*pairs, strict=True))
    names, codes = np.unique([*left, *right], return_inverse=True)
    x, y = codes[: len(pairs)], codes[len(pairs) :]
    same = (x == y).astype(np.float64)
    kappas = [_kappa(x[rows], y[rows], len(names)) for rows in drawn]
    known = [k for k in kappas if k is not None]
    kappa = _kappa(x, y, len(names))
    return Agreement(
        slot, len(pairs), float(same.mean()), _interval(same[drawn].mean(1)), kappa,
        _interval(np.array(known)) if known and kappa is not None else None,
    )  # fmt: skip


def _kappa(x: NDArray[np.int64], y: NDArray[np.int64], names: int) -> float | None:
    table = np.bincount(x * names + y, minlength=names * names).reshape(names, names)
    return cohens_kappa(table.astype(np.float64))


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _answer(line: str, where: str) -> Annotation:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f"{where} is no JSON: {error}. Export the page again.") from error
    if not isinstance(record, dict):
        raise AnnotationError(f"{where} is to be a JSON object.")
    if "document" in record:
        return _of_trace(record, where)
    if record.get("schema") != SCHEMA:
        raise AnnotationError(
            f"{where}: schema is {str(record.get('schema'))[:40]!r}; {SCHEMA!r} is expected, or a line of traces."
        )
    producer = record.get("producer")
    if not isinstance(producer, dict) or producer.get("kind") not in WHO or producer.get("pass") not in (1, 2):
        raise AnnotationError(f"{where}: producer is to be of kind {' or '.join(WHO)}, with who, and pass 1 or 2.")
    scenario, tick = _moment(record, where)
    one_of = _field(record, where)
    cause = record.get("cause")
    relation: str | None = None
    if cause is not None:
        try:
            kind = Reference.parse(cause if isinstance(cause, str) else repr(cause)).kind
        except ValueError as error:
            raise AnnotationError(f"{where}: cause: {error}, or null for none.") from error
        relation = one_of("relation", RELATIONS.get(kind, ()))
    return Annotation(
        scenario, tick, one_of("longitudinal", sets.LONGITUDINAL.values), one_of("lateral", sets.LATERAL.values),
        cause, relation, str(producer.get("who", ""))[:60], producer["pass"], str(record.get("remark", ""))[:500],
        str(record.get("scenario_hash", "")),
    )  # fmt: skip


def _moment(record: Mapping[str, Any], where: str) -> tuple[str, int]:
    scenario, tick = record.get("scenario"), record.get("tick")
    if not isinstance(scenario, str) or type(tick) is not int or tick < 0:
        raise AnnotationError(f"{where}: scenario is to be an id and tick a whole number from 0 on.")
    return scenario, tick


def _field(record: Mapping[str, Any], where: str) -> Callable[[str, Sequence[str]], str]:
    def one_of(name: str, among: Sequence[str]) -> str:
        value = record.get(name)
        if value not in among:
            raise AnnotationError(f"{where}: {name} is {str(value)[:40]!r}; it is one of {', '.join(among)}.")
        return str(value)

    return one_of


def _of_trace(record: Mapping[str, Any], where: str) -> Annotation:
    scenario, tick = _moment(record, where)
    try:
        _, trace, _ = from_json(record["document"])
    except TraceError as error:
        raise AnnotationError(f"{where}: {error}. Label the scenes again with this version.") from error
    d = trace.decision
    proximate = {c.axis: c.ref for c in reversed(d.causes) if c.role == "proximate"}
    ref = proximate.get("longitudinal", proximate.get("lateral"))
    relation = next((e.relation for e in trace.entities if e.ref == ref), None)
    return Annotation(scenario, tick, d.longitudinal, d.lateral, None if ref is None else str(ref), relation)
