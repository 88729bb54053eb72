"""Lines of a traces file for the synthetic scene: at random over all that the grammar allows, or as a planner would."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from waytrace.observe import Reference
from waytrace.report import Told, read_told
from waytrace.scenario import Scenario
from waytrace.sim import World
from waytrace.trace import (
    Cause,
    Decision,
    Entity,
    Header,
    PlanClaim,
    Prediction,
    Present,
    Producer,
    Rejection,
    SceneSummary,
    Segment,
    Trace,
    compose,
    to_json,
    vocabulary_hash,
)

KINDS = ("present", "forecast", "interventional")
VALUES = ("true", "false", "undetermined", "not_judged")


def document(trace: Trace, tick: int) -> dict[str, Any]:
    """The JSON form with a header."""
    producer = Producer("model", vocabulary=vocabulary_hash())
    return to_json(Header("0" * 64, tick * 100_000, 1.0, 0.1, producer), trace)


def random_lines(scenario: Scenario, count: int = 18, seed: int = 0) -> list[dict[str, Any]]:
    """Random traces, each claim with a verdict, evidence and a sentence of its own."""
    rng = np.random.default_rng(seed)
    present = Present.of(World([scenario]).observe(), 0)
    lines = []
    for k in range(count):
        trace = compose(present, lambda ask: int(rng.choice(np.flatnonzero(ask.legal))))
        record = document(trace, 5 * k)
        claims = [f"entities[{i}].relation" for i in range(len(trace.entities))]
        claims += [f"entities[{i}].gap_bin" for i in range(len(trace.entities))]
        claims += [f"decision.causes[{i}].constraint" for i in range(len(trace.decision.causes))]
        claims += ["scene_summary.ego_motion", "decision.longitudinal", "plan.segments[0].lon", "plan.stop_s_bin"]
        verdicts = [_verdict(rng, name, KINDS[0]) for name in claims]
        verdicts += [_verdict(rng, f"predictions[{i}].intent", KINDS[1]) for i in range(len(trace.predictions))]
        verdicts += [
            _verdict(rng, f"decision.rejected[{i}].violates", KINDS[2]) for i in range(len(trace.decision.rejected))
        ]
        ghosts = [
            {
                "axis": r.axis,
                "option": r.option,
                "violates": r.violates,
                "xy": (rng.normal(size=(16, 2)).cumsum(0)).round(3).tolist(),
            }
            for r in trace.decision.rejected
        ]
        lines.append(
            {
                "scenario": scenario.id,
                "tick": 5 * k,
                "document": record,
                "plan": None,
                "verdicts": verdicts,
                "ghosts": ghosts,
            }
        )
    return lines


def _verdict(rng: np.random.Generator, claim: str, kind: str) -> dict[str, Any]:
    a, b, c = (float(v) for v in rng.uniform(0, 60, 3))
    return {
        "claim": claim,
        "kind": kind,
        "value": str(rng.choice(VALUES, p=(0.8, 0.05, 0.1, 0.05))),
        "rule": "lead",
        "slack": round(a - 20.0, 4),
        "unit": "m",
        "evidence": {"gap_m": a, "headway_s": b / 10, "speed_mps": c / 4},
        "why": f"the gap is {a:.1f} m and the headway {b / 10:.2f} s; nobody is nearer",
    }


def ref(text: str) -> Reference:
    """Short for a test's eye."""
    return Reference.parse(text)


def told_lines(scenario: Scenario) -> list[dict[str, Any]]:
    """What a planner might say on its way to the crossing: it sets its speed, follows, yields at a crosswalk, stops."""
    route = scenario.route.lanes
    first, last = f"lane:{route[len(route) // 2]}", f"lane:{route[-1]}"
    light = f"light:{int(np.flatnonzero(np.isin(scenario.lights.lane, route))[0])}"
    agents = World([scenario]).observe().scenes[0].agents
    near = [f"agent:{int(i)}" for i in agents.index[:6]]
    walker = next(f"agent:{int(i)}" for i, kind in zip(agents.index, agents.kind, strict=True) if kind == 4)
    classes = ("vehicle", "large_vehicle", "motorcycle", "cyclist", "pedestrian", "static", "unknown")
    kinds = {f"agent:{i}": classes[kind] for i, kind in zip(agents.index, agents.kind, strict=True)}
    lines = []
    for k in range(18):
        lon = "set_speed" if k < 3 else "follow" if k < 8 else "yield" if k < 13 else "stop"
        summary = SceneSummary(
            "follow_lane", "steady" if k < 8 else "braking", 6 if k < 12 else 3, 8, "before_junction", "green"
        )
        entities = (
            Entity(ref(near[0]), kinds[near[0]], "lead", 3, "steady"),
            Entity(ref(near[1]), kinds[near[1]], "adjacent_left", 2, "standing"),
            Entity(ref(walker), "pedestrian", "vru_crossing", 5, "steady"),
            Entity(ref(first), "lane", "speed_limit", 0, "none"),
            Entity(ref(light), "light", "signal", 6, "none"),
            Entity(ref("crosswalk:2"), "crosswalk", "crosswalk", 6, "none"),
        )
        predictions = (Prediction(ref(near[0]), "brake", 9, 9, 3), Prediction(ref(walker), "cross", 17, 4, 4))
        causes: tuple[Cause, ...] = ()
        if lon == "follow":
            causes = (Cause(ref(near[0]), "longitudinal", "proximate", "headway", 4, 2),)
        if lon == "yield":
            causes = (
                Cause(ref(walker), "longitudinal", "proximate", "cross_conflict", 4, 1),
                Cause(ref(near[0]), "longitudinal", "joint", "headway", 2, 3),
                Cause(ref("crosswalk:2"), "longitudinal", "enabling", "cross_conflict", 0, 4),
            )
        if lon == "stop":
            causes = (Cause(ref(light), "longitudinal", "proximate", "stop_point", 5, 1),)
        rejected = (Rejection("lateral", "lane_change_left", "merge_gap", ref(near[1]), 4),) if k > 2 else ()
        if lon == "yield":
            rejected += (Rejection("longitudinal", "pass", "cross_conflict", ref(walker), 3),)
        decision = Decision(lon, "keep", "yes" if k in (3, 8, 13) else "no", causes, rejected, 4)
        segments = (
            Segment("3", "gentle_decel" if k > 2 else "maintain", "keep_lane"),
            Segment("8", "stop" if k > 12 else "maintain", "keep_lane"),
        )
        trace = Trace(
            summary,
            entities,
            predictions,
            decision,
            PlanClaim(5 if k < 13 else 0, 9 if k > 12 else 13, ref(last), segments),
        )
        verdicts = _verdicts(k, lon, bool(causes), bool(rejected))
        ghosts = []
        if k > 2:
            ghosts = [
                {
                    "axis": "lateral",
                    "option": "lane_change_left",
                    "violates": "merge_gap",
                    "xy": _beside(scenario, k, 3.5),
                }
            ]
        if lon == "yield":
            ghosts.append(
                {
                    "axis": "longitudinal",
                    "option": "pass",
                    "violates": "cross_conflict",
                    "xy": _beside(scenario, k, 0.0, 34.0),
                }
            )
        lines.append(
            {
                "scenario": scenario.id,
                "tick": 5 * k,
                "document": document(trace, 5 * k),
                "verdicts": verdicts,
                "ghosts": ghosts,
                "audit": [{"why": "nothing uncited moves the plan", "moved_m": 0.21, "delta_m": 1.0}],
            }
        )
    return lines


def _verdicts(k: int, lon: str, causes: bool, rejected: bool) -> list[dict[str, Any]]:
    verdicts = [
        _said(
            "scene_summary.signal_for_ego",
            "present",
            "true",
            "signal",
            None,
            "",
            "the light of the connector ahead is green",
        ),
        _said(
            "entities[0].relation",
            "present",
            "true",
            "lead",
            2.41 + 0.3 * k,
            "m",
            f"nearest ahead on the route's path, gap {12.4 - 0.2 * k:.1f} m",
            gap_m=12.4 - 0.2 * k,
            headway_s=1.18,
            along_s=2.3,
        ),
        _said("entities[0].gap_bin", "present", "true", "gap", 2.4, "m", "12.4 m is in 10 to 15 m", gap_m=12.4),
        _said(
            "entities[1].relation",
            "present",
            "true" if k < 10 else "undetermined",
            "adjacent",
            0.12,
            "m",
            "0.12 m from the lane's edge, which is too little to tell",
            lateral_m=3.38,
        ),
        _said(
            "entities[2].relation",
            "present",
            "true" if k != 10 else "false",
            "crossing",
            -0.35 if k == 10 else 1.7,
            "s",
            f"arrival gap {6.35 if k == 10 else 4.3} s, at most 6 s",
            arrival_gap_s=4.3,
            heading_deg=88.0,
        ),
        _said(
            "predictions[0].intent",
            "forecast",
            "true",
            "intent",
            None,
            "",
            "braked by 1.3 m/s2 within 2 s",
            accel_mps2=-1.3,
        ),
        _said("predictions[1].intent", "forecast", "not_judged", "intent", None, "", "the drive ends before"),
    ]
    if causes:
        verdicts.append(
            _said(
                "decision.causes[0].constraint",
                "interventional",
                "true",
                "necessity",
                1.84,
                "m",
                "without it the plan moves by 2.84 m, more than 1 m",
                moved_m=2.84,
                delta_m=1.0,
            )
        )
    if rejected:
        verdicts.append(
            _said(
                "decision.rejected[0].violates",
                "interventional",
                "true",
                "rejected",
                -1.2,
                "m",
                "driven, it comes within 0.8 m of the vehicle behind",
                gap_m=0.8,
            )
        )
    if lon == "yield":
        verdicts.append(
            _said(
                "decision.longitudinal",
                "present",
                "true" if k < 12 else "false",
                "yield",
                0.6 if k < 12 else -0.4,
                "m/s",
                "the plan loses 1.4 m/s, at least 0.75 m/s",
                speed_drop_mps=1.4,
            )
        )
    return verdicts


def _beside(scenario: Scenario, k: int, aside: float, reach: float = 26.0) -> list[list[float]]:
    path = np.concatenate([scenario.map.centre[lane] for lane in scenario.route.lanes])
    s0 = 95.0 + 11.0 * 2.0 + 5.0 * k * 0.9
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    s = np.linspace(s0, s0 + reach, 12)
    xy = np.stack([np.interp(s, at, path[:, 0]), np.interp(s, at, path[:, 1])], -1)
    d = np.gradient(xy, axis=0)
    left = np.stack([-d[:, 1], d[:, 0]], -1) / np.hypot(*d.T)[:, None]
    rise = np.clip((s - s0 - 4.0) / 14.0, 0.0, 1.0)
    out: list[list[float]] = (xy + (aside * rise * rise * (3 - 2 * rise))[:, None] * left).round(3).tolist()
    return out


def _said(
    claim: str, kind: str, value: str, rule: str, slack: float | None, unit: str, why: str, **evidence: float
) -> dict[str, Any]:
    return {
        "claim": claim,
        "kind": kind,
        "value": value,
        "rule": rule,
        "slack": slack,
        "unit": unit,
        "evidence": evidence,
        "why": why,
    }


def told(lines: Iterable[dict[str, Any]]) -> list[Told]:
    """What a page is given for these lines."""
    return [read_told(json.loads(json.dumps(line)), "here") for line in lines]


def write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> Path:
    """The file of a result folder."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
