"""One scenario as one HTML file: what was driven there by one or several planners, to be played and scrubbed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_distance
from waytrace.scenario import AgentKind, Rollout, Scenario

from .claims import claims_payload
from .clip import MARGIN_M, Region
from .codec import CM, DECIDEGREE, delta, pack, quantise, runs, track
from .moments import moments, worst_moment
from .names import planner_labels
from .pages import render
from .plots import plots
from .roads import road_payload
from .terms import formula, terms_table
from .traces import Told

if TYPE_CHECKING:
    from waytrace.score import ScenarioScore

Array = NDArray[np.float64]

SCHEMA = "waytrace.scene/1"
_IN_SIGHT_M = 1.5 * MARGIN_M
"""Agents that never come this near to the ego are left out of a page."""


@dataclass(frozen=True)
class SceneLinks:
    """Relative addresses of the pages around a scene page; empty: none."""

    index: str = ""
    previous: str = ""
    next: str = ""


def scene_page(
    scenario: Scenario,
    drives: Sequence[tuple[Rollout, ScenarioScore]],
    *,
    labels: Sequence[str] | None = None,
    links: SceneLinks | None = None,
    traces: Sequence[Sequence[Told]] | None = None,
) -> str:
    """A self-contained HTML page of ``drives`` of one scenario, the planners switchable.

    ``labels`` names the drives (default: planner and, where that is not unique, traffic and a number). The fragment
    ``#t=3.4&follow=1&planner=expert`` opens it at a time, following the ego, on one drive.
    ``traces`` holds the decisions of each drive, as :class:`TraceFile` gives them.

    Raises ValueError where there is no drive, or one is of another scenario.
    """
    payload = scene_payload(scenario, drives, labels=labels, traces=traces)
    payload["links"] = asdict(links or SceneLinks())
    return render("scene", f"{scenario.id} · Waytrace", payload)


def scene_payload(
    scenario: Scenario,
    drives: Sequence[tuple[Rollout, ScenarioScore]],
    *,
    labels: Sequence[str] | None = None,
    traces: Sequence[Sequence[Told]] | None = None,
) -> dict[str, Any]:
    """What a scene page knows, as plain JSON values; numbers in streams of :mod:`.codec`, positions from ``origin``."""
    if not drives:
        raise ValueError(f"scenario {scenario.id!r}: a page needs at least one drive")
    for rollout, _ in drives:
        if rollout.scenario_id != scenario.id:
            raise ValueError(f"a drive of {rollout.scenario_id!r} does not belong on the page of {scenario.id!r}")
    names = list(labels) if labels is not None else planner_labels((r.planner, r.traffic) for r, _ in drives)
    poses = [rollout.pose[rollout.valid[:, rollout.ego_index], rollout.ego_index, :2] for rollout, _ in drives]
    logged = scenario.agents.valid[scenario.ego_index]
    poses.append(scenario.agents.xy[scenario.ego_index][logged])
    region = Region.around(np.concatenate(poses))
    origin = np.round(region.path.mean(0))
    who = _agents_in_sight(scenario, [rollout for rollout, _ in drives])
    agents = scenario.agents
    driven = [
        _drive(scenario, rollout, score, name, who, origin)
        for (rollout, score), name in zip(drives, names, strict=True)
    ]
    for drive, told in zip(driven, traces or [()] * len(driven), strict=True):
        if told:
            drive["traces"] = claims_payload([t for t in told if t.tick < drive["n"]], origin)
    return {
        "schema": SCHEMA,
        "id": scenario.id,
        "source": scenario.source,
        "family": scenario.family,
        "cluster": scenario.cluster,
        "licence": scenario.provenance.licence,
        "attribution": scenario.provenance.attribution,
        "origin": [float(v) for v in origin],
        "map": road_payload(scenario, region, origin),
        "agents": {
            "id": [agents.agent_id[i] for i in who],
            "kind": pack(agents.kind[who].astype(np.int64)),
            "size": pack(quantise(agents.size_m[who], CM)),
            "absent": len(agents) - len(who),
        },
        "kinds": [kind.name.replace("_", " ").lower() for kind in AgentKind],
        "ego": int(np.flatnonzero(who == scenario.ego_index)[0]),
        "log": _log(scenario, origin),
        "told": pack(delta(who)) if any("traces" in drive for drive in driven) else "",
        "drives": driven,
    }


def _agents_in_sight(scenario: Scenario, rollouts: Sequence[Rollout]) -> NDArray[np.int64]:
    near = np.zeros(len(scenario.agents), dtype=np.bool_)
    near[scenario.ego_index] = True
    for r in rollouts:
        away = np.hypot(*np.moveaxis(r.pose[..., :2] - r.pose[:, r.ego_index, None, :2], -1, 0))
        near |= ((away <= _IN_SIGHT_M) & r.valid).any(0)
    return np.flatnonzero(near)


def _log(scenario: Scenario, origin: Array) -> dict[str, Any]:
    """The ego as recorded: every step, ``first`` being the page's row of the first one (history has negative rows)."""
    ego, a = scenario.ego_index, scenario.agents
    valid = a.valid[ego : ego + 1]
    xy = a.xy[ego : ego + 1] - origin
    return {
        "n": scenario.steps,
        "first": -scenario.start_step,
        "recorded": scenario.recorded,
        "x": track(xy[..., 0], valid, CM, 2),
        "y": track(xy[..., 1], valid, CM, 2),
        "h": track(_unwrapped(a.heading_rad[ego : ego + 1], valid), valid, DECIDEGREE, 1),
        "valid": runs(valid),
    }


def _drive(
    scenario: Scenario,
    rollout: Rollout,
    score: ScenarioScore,
    label: str,
    who: NDArray[np.int64],
    origin: Array,
) -> dict[str, Any]:
    valid = rollout.valid[:, who].T
    pose = np.moveaxis(rollout.pose[:, who], -1, 0).swapaxes(1, 2)
    plan = rollout.plan_waypoints[:, :, :2] - origin
    row, why = worst_moment(score)
    symbols, figures = formula(score.terms)
    return {
        "label": label,
        "planner": rollout.planner,
        "traffic": rollout.traffic,
        "seed": rollout.seed,
        "end": rollout.end,
        "dt": rollout.dt_s,
        "n": len(rollout.pose),
        "x": track(pose[0] - origin[0], valid, CM, 2),
        "y": track(pose[1] - origin[1], valid, CM, 2),
        "h": track(_unwrapped(pose[2], valid), valid, DECIDEGREE, 1),
        "v": track(rollout.speed_mps[:, who].T, valid, CM, 1),
        "valid": runs(valid),
        "reactive": runs(rollout.reactive[:, who].T & valid),
        "visible": runs(rollout.visible[:, who].T & valid),
        "lights": pack(delta(rollout.lights.T.astype(np.int64))),
        "lon": _ego_series(rollout.ego_accel_mps2),
        "lat": _ego_series(rollout.speed_mps[:, rollout.ego_index] ** 2 * rollout.ego_curvature_1pm),
        "decisions": pack(delta(rollout.decision_row.astype(np.int64))),
        "plan": pack(delta(quantise(np.moveaxis(plan, -1, 0), CM), 2)),
        "knots": int(plan.shape[1]),
        "score": round(float(score.score), 6),
        "terms": terms_table(scenario, score.terms),
        "formula": [symbols, figures],
        "figures": {k: round(float(v), 4) if np.isfinite(v) else None for k, v in score.figures.items()},
        "moments": [asdict(m) for m in moments(score)],
        "worst": [row, why],
        "struck": _struck(scenario, rollout, score, who),
        "plots": plots(scenario, rollout, score),
    }


def _struck(
    scenario: Scenario, rollout: Rollout, score: ScenarioScore, who: NDArray[np.int64]
) -> dict[str, int] | None:
    """Row of the gravest collision and the page's agent that the ego met in it (-1: not drawn); None without one.

    A score without events does not say whom: then it is the agent nearest to the ego's outline.
    """
    clashes = [m for m in moments(score) if m.kind in ("at_fault", "collision")]
    if not clashes:
        return None
    row = min(clashes, key=lambda m: (m.severity, m.row)).row
    named = [e.agent_id for e in score.events if e.row == row and e.kind != "red_light"]
    if named:
        agents = [scenario.agents.agent_id[i] for i in who]
        return {"row": row, "agent": agents.index(named[0]) if named[0] in agents else -1}
    others = [k for k, agent in enumerate(who) if agent != rollout.ego_index and rollout.valid[row, agent]]
    box = np.concatenate([rollout.pose[row], scenario.agents.size_m], axis=1)
    ego = box[rollout.ego_index]
    nearest = min(others, key=lambda k: float(boxes_distance(*ego, *box[who[k]])), default=-1)
    return {"row": row, "agent": nearest}


def _unwrapped(heading: Array, valid: NDArray[np.bool_]) -> Array:
    """Headings [N, T] without jumps by a turn, padding held, so that differences stay small."""
    held = np.where(valid, heading, 0.0)
    index = np.maximum.accumulate(np.where(valid, np.arange(heading.shape[1]), 0), axis=1)
    unwrapped: Array = np.unwrap(np.take_along_axis(held, index, axis=1), axis=1)
    return unwrapped


def _ego_series(values: Array) -> str:
    return pack(delta(quantise(np.asarray(values, dtype=np.float64), 0.01)))
