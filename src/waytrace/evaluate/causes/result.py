"""The result of an audit: figures at every threshold, written beside the records that they come from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from waytrace.scenario import WaytraceError

from .answers import closed_loop, held_out, mediated, trace_response, two_by_two
from .audited import Found
from .figures import Figures, delta_of, ordered
from .liars import LIARS
from .moment import HONEST, PLAN_FIRST
from .null import BESIDE_M

SCHEMA = "waytrace-causes/1"
RESULT, RECORDS = "causes.json", "moments.jsonl"

NULL = "delta"
"""The threshold from the null distribution, beside the fixed ones."""


def summary(found: Found, about: Mapping[str, Any]) -> dict[str, Any]:
    """All figures (``docs/causes.md`` says what each is); ``about`` says of what and goes in front."""
    delta = delta_of(found.records)
    thresholds: dict[str, Callable[[float], float]] = {NULL: delta.of}
    thresholds |= {f"{metres:g} m": _fixed(metres) for metres in BESIDE_M}
    at: dict[str, Any] = {}
    for name, threshold in thresholds.items():
        figures = Figures(found.records, threshold)
        at[name] = {
            "voices": {voice: figures.of_voice(voice) for voice in figures.voices},
            "order": ordered(figures),
            "trace_response": trace_response(figures),
            "held_out": held_out(figures),
            "mediation": mediated(figures),
            "two_by_two": two_by_two(figures),
            "two_by_two_plan_first": two_by_two(figures, PLAN_FIRST, "silent_obeyed"),
            "closed_loop": closed_loop(figures, found.closed),
        }
    voices = at[NULL]["voices"]
    honest = voices[HONEST]["faithfulness"]["value"]
    sound = all(voices[liar]["faithfulness"]["value"] < honest for liar in LIARS if liar in voices)
    return {
        "schema": SCHEMA, **about, "scenes": found.scenes, "moments": len(found.records),
        "layouts": len({record["cluster"] for record in found.records}),
        "way": _most([record["way"] for record in found.records]), "null": delta.to_json(),
        "sound": sound, "order_shown": all(pair["shown"] for pair in at[NULL]["order"]), "at": at,
    }  # fmt: skip


def write_result(folder: Path, record: Mapping[str, Any], found: Found) -> Path:
    """Write figures and records into a folder; the path of the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"moment": r}) for r in found.records] + [json.dumps({"closed": r}) for r in found.closed]
    (folder / RECORDS).write_text("".join(f"{line}\n" for line in lines))
    path = folder / RESULT
    path.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n")
    return path


def read_records(folder: Path) -> Found:
    """The records that :func:`write_result` wrote. Raises :class:`WaytraceError` for none."""
    path, found = folder / RECORDS, Found()
    try:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
    except (OSError, ValueError) as error:
        raise WaytraceError(f"{path} cannot be read: {error}. `waytrace causes --out {folder}` writes it.") from error
    found.records = [line["moment"] for line in lines if "moment" in line]
    found.closed = [line["closed"] for line in lines if "closed" in line]
    found.scenes = len({record["scene"] for record in found.records})
    return found


def _fixed(metres: float) -> Callable[[float], float]:
    return lambda _: metres


def _most(ways: Sequence[str]) -> str:
    return max(sorted(set(ways)), key=ways.count) if ways else ""
