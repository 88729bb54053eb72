"""The annotation page: people say of moments what the ego should do and why, blind to every planner's answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from waytrace.evaluate.agreement import SCHEMA
from waytrace.evaluate.moments import Moment
from waytrace.observe import ReferenceKind, Scene
from waytrace.trace import sets
from waytrace.trace.compatible import RELATIONS

from .pages import render, style_of
from .snapshot import candidates, snapshot

_LONGITUDINAL = {
    "set_speed": "at the speed it wants; nothing ahead matters",
    "follow": "keeps its distance to the one ahead",
    "adapt_speed": "slower for a bend, a limit, poor sight or someone further on",
    "gap_search": "adjusts to a gap in another lane",
    "pass": "goes before or past someone who could be in the way",
    "yield": "lets someone whose way crosses go first",
    "stop": "comes to a halt at a line, a light or something in the way",
    "hold": "stands and stays standing",
    "proceed": "goes on: from a halt, or where it has the right of way",
    "emergency_brake": "brakes as hard as it can",
}
_LATERAL = {
    "keep": "stays in the middle of its lane",
    "merge": "its lane joins another",
    "split": "takes a branch",
    "u_turn": "turns round",
    "pull_over": "leaves the traffic for the side",
    "abort": "comes back into its lane from a change it began",
}
_RELATIONS = {
    "lead": "nearest ahead on the way of the ego", "lead_of_lead": "the one before the lead",
    "rear": "behind in the same lane", "cut_in_left": "comes into the lane from the left",
    "cut_in_right": "comes into the lane from the right", "cut_out": "leaves the lane ahead",
    "merging": "its lane joins that of the ego", "crossing_from_left": "crosses the way, coming from the left",
    "crossing_from_right": "crosses the way, coming from the right", "oncoming": "comes the other way in its own lane",
    "oncoming_in_path": "comes the other way in the ego's lane", "parked_in_path": "stands parked in the way",
    "vru_crossing": "pedestrian or cyclist who crosses", "vru_roadside": "pedestrian or cyclist beside the road",
    "vru_along": "pedestrian or cyclist along the way", "occluder": "hides what could come",
    "work_zone": "belongs to a work zone",
}  # fmt: skip

_WIDE, _HIGH, _SIDE, _MOST_LINES = 1300, 760, 470, 62
"""Pixels of a picture with its list beside it, and lines of the list."""
_CHARACTER = 7.2
"""Pixels of a letter of the list, generously."""
_LIST = " .list { font: 12px system-ui, 'DejaVu Sans', sans-serif; fill: #131a24; } svg { color-scheme: light; }"


def annotation_page(made: Sequence[tuple[Moment, Scene]], *, seed: int = 0, title: str = "Annotation") -> str:
    """A self-contained page that asks about each moment in two passes, each in an order of its own from ``seed``.

    It holds the present and the past as the ego perceived them: no label, no plan, nothing that came after, and not
    which planner drove. Answers are exported as JSON lines of ``waytrace.evaluate.agreement``.
    """
    scenes = [_scene(moment, scene) for moment, scene in made]
    digest = hashlib.sha256(json.dumps(scenes, sort_keys=True).encode()).hexdigest()[:16]
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(scenes)).tolist() for _ in range(2)]
    payload: Mapping[str, Any] = {
        "schema": SCHEMA,
        "set": digest,
        "scenes": scenes,
        "orders": orders,
        "longitudinal": [[name, _LONGITUDINAL[name]] for name in sets.LONGITUDINAL.values],
        "lateral": [[name, _LATERAL.get(name, name.replace("_", " "))] for name in sets.LATERAL.values],
        "relations": {kind.name.lower(): list(RELATIONS[kind]) for kind in ReferenceKind if kind in RELATIONS},
        "about": _RELATIONS,
    }
    pictures = [Markup(snapshot(scene)) for _, scene in made]
    return render("annotate", title, payload, pictures=pictures)


def labelled_picture(scene: Scene, caption: str = "") -> str:
    """One moment as an SVG file in light colours, references written in and listed: for who sees pictures only."""
    shown = sorted(candidates(scene), key=lambda c: c.ref.kind == ReferenceKind.LANE)
    lines = [
        f"ego (blue): {3.6 * scene.ego.speed_mps:.0f} km/h, {3.6 * _gained(scene):+.0f} km/h in the last second",
        "its route shaded; trails: the last 2 s, a dot each 0.5 s; dashed: out of sight now",
        "",
    ]
    lines += [f"{c.ref}  {c.what}, {c.where}" for c in shown]
    cut = lines[:_MOST_LINES] + ([f"... and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else [])
    texts = "".join(
        f'<text class="list" x="{_WIDE + 14}" y="{44 + 15 * k}">{_escaped(line)}</text>' for k, line in enumerate(cut)
    )
    inner = snapshot(scene, labels=shown).replace("<svg ", f'<svg y="24" width="{_WIDE}" height="{_HIGH}" ', 1)
    side = max(_SIDE, 28 + round(_CHARACTER * max(map(len, cut))))
    width, height = _WIDE + side, max(_HIGH + 24, 60 + 15 * len(cut))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<style>{style_of("snapshot.css")}{_LIST}</style><rect width="100%" height="100%" fill="#f1f4f1"/>'
        f'<text class="list" x="8" y="16">{_escaped(caption)}</text>{inner}{texts}</svg>\n'
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _gained(scene: Scene) -> float:
    """Speed gained in the last second, as far as the ego was there."""
    speed = scene.ego.speed_history_mps[scene.ego.history_valid][-round(1.0 / scene.dt_s) - 1 :]
    return float(speed[-1] - speed[0]) if len(speed) else 0.0


def _scene(moment: Moment, scene: Scene) -> dict[str, Any]:
    limits = scene.map.speed_limit_mps[
        [
            c.ref.index
            for c in candidates(scene)
            if c.ref.kind == ReferenceKind.LANE and c.ref.index in scene.route.lanes
        ][:1]
    ]
    limit = float(limits[0]) if len(limits) and np.isfinite(limits[0]) else None
    return {
        "scenario": moment.scenario, "tick": moment.tick, "hash": moment.scenario_hash,
        "speed_mps": round(scene.ego.speed_mps, 2), "gained_mps": round(_gained(scene), 2), "limit_mps": limit,
        "candidates": [[str(c.ref), c.what, c.where] for c in candidates(scene)],
    }  # fmt: skip
