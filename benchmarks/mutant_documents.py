"""Damaged JSON of traces: what a reader has to refuse, whatever the scene is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

Json = dict[str, Any]
Damage = Callable[[Json, np.random.Generator], None]

_LISTS = ("entities", "predictions")
_WORDS = (("decision", "longitudinal"), ("decision", "lateral"), ("scene_summary", "zone"), ("decision", "changed"))
_BINS = (("scene_summary", "ego_speed_bin"), ("decision", "confidence_bin"), ("plan", "target_speed_bin"))


def _objects(document: Json) -> list[Json]:
    found = [document["scene_summary"], document["decision"], document["plan"], document["header"]]
    found += [document["header"]["producer"], *document["entities"], *document["predictions"]]
    return [*found, *document["decision"]["causes"], *document["plan"]["segments"]]


def _pick(items: Any, rng: np.random.Generator) -> Any:
    return items[int(rng.integers(len(items)))]


def missing(document: Json, rng: np.random.Generator) -> None:
    """A field is not there."""
    holder = _pick([document, *_objects(document)], rng)
    del holder[_pick([name for name in holder if name != "waypoints"], rng)]


def extra(document: Json, rng: np.random.Generator) -> None:
    """A field that no trace has."""
    _pick([document, *_objects(document)], rng)[_pick(("checks", "note", "relation2", "_bin"), rng)] = 1


def mistyped(document: Json, rng: np.random.Generator) -> None:
    """A field of another type."""
    holder = _pick(_objects(document), rng)
    name = _pick([n for n in holder if n not in ("waypoints", "target_lane")], rng)
    value = holder[name]
    if isinstance(value, bool) or value is None:
        holder[name] = 3
    elif isinstance(value, str):
        holder[name] = _pick((7, None, ["x"], {"x": 1}), rng) if value else 7
    elif isinstance(value, int | float):
        holder[name] = _pick((str(value), [value], True), rng)
    else:
        holder[name] = "list"


def out_of_range(document: Json, rng: np.random.Generator) -> None:
    """A bin or a word that the slot's set does not hold."""
    if rng.random() < 0.5:
        stage, name = _pick(_BINS, rng)
        document[stage][name] = _pick((-1, 99, 10**9), rng)
    else:
        stage, name = _pick(_WORDS, rng)
        document[stage][name] = _pick(("", "fly", "KEEP", "set speed"), rng)


def bad_reference(document: Json, rng: np.random.Generator) -> None:
    """A reference that is none."""
    document["plan"]["target_lane"] = _pick(("lane", "lane:-1", "road:3", "lane:1.5", "agent 3", ""), rng)


def duplicated(document: Json, rng: np.random.Generator) -> None:
    """The same element twice in a list that names each once."""
    lists = [document[name] for name in _LISTS if document[name]]
    chosen = _pick(lists, rng) if lists else document["plan"]["segments"]
    chosen.append(copy.deepcopy(chosen[-1]))


def too_long(document: Json, rng: np.random.Generator) -> None:
    """More segments than there is room for."""
    one = document["plan"]["segments"][-1]
    document["plan"]["segments"] = [copy.deepcopy(one) for _ in range(int(rng.integers(7, 12)))]


def other_schema(document: Json, rng: np.random.Generator) -> None:
    """A version that is not read."""
    document["header"]["schema"] = _pick(("adtrace/2.0.0", "adtrace/0.9.0", "adtrace", ""), rng)


def other_vocabulary(document: Json, rng: np.random.Generator) -> None:
    """The hash of another slot table."""
    document["header"]["producer"]["vocabulary"] = "".join(_pick("0123456789abcdef", rng) for _ in range(64))


DAMAGES: dict[str, Damage] = {
    "missing field": missing, "extra field": extra, "mistyped field": mistyped, "out of range": out_of_range,
    "bad reference": bad_reference, "duplicated": duplicated, "list too long": too_long,
    "unknown schema": other_schema, "other vocabulary": other_vocabulary,
}  # fmt: skip


def damaged(document: Json, kind: str, rng: np.random.Generator) -> Json:
    """A copy of a trace's document with one thing wrong."""
    out = copy.deepcopy(document)
    DAMAGES[kind](out, rng)
    assert out != document, kind
    return out
