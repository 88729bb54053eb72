"""CommonRoad scenarios, XML versions 2017a, 2018a, 2018b and 2020a.

They have no ego log. Either a recorded vehicle becomes the ego (which one: :mod:`waytrace.formats.egos`), or the
planning problem's initial state does.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import AgentKind, Agents, Lights, Scenario

from .assemble import Terms, provenance, recorded_scenario
from .commonroad_roads import read_lights, read_roads
from .commonroad_tracks import Clock, Problem, read_problems, read_tracks
from .commonroad_xml import Element, Values, looks_like, parse
from .egos import MAX_HISTORY, MIN_FUTURE, MIN_HISTORY, best_first
from .lanegraph import build_road_map
from .reader import ReadOptions, Source
from .routes import Locator, route_to
from .tracks import VEHICLES, Track, build_agents, part, select
from .untrusted import MAX_STATES, refuse, sha256

Array = NDArray[np.float64]

PROBLEM_EGO_M = (4.508, 1.610)
"""Length and width of the ego of a planning problem: CommonRoad's vehicle 2 (BMW 320i)."""
PROBLEM_STEPS = (50, 400)
"""Least and greatest length of a planning problem's episode."""
LICENCE = "BSD-3-Clause style (CommonRoad scenarios)"


class CommonRoad:
    """Reader of CommonRoad XML."""

    name = "commonroad"

    def claims(self, path: Path) -> bool:
        """Whether an XML file names CommonRoad near its beginning."""
        if path.suffix.lower() != ".xml":
            return False
        try:
            with path.open("rb") as file:
                return looks_like(file.read(65536))
        except OSError:
            return False

    def companions(self, path: Path) -> tuple[Path, ...]:
        """A scenario is one file."""
        return ()

    def orphan(self, path: Path) -> str:
        """XML of another kind."""
        if path.suffix.lower() != ".xml" or not path.stat().st_size:
            return ""
        return "XML, but no <commonRoad> element opens it"

    def read(self, source: Source, options: ReadOptions) -> list[Scenario]:
        """Scenarios of one file: up to ``egos_per_file`` recorded egos, or one per planning problem."""
        values = Values(source.path)
        root, data = parse(source.path, options.max_file_bytes)
        clock = Clock.of(root, values)
        notes: Counter[str] = Counter()
        roads = read_roads(root, values, notes)
        cloud = np.concatenate([d.left for d in roads.drafts])
        origin = np.round(0.5 * (cloud.min(0) + cloud.max(0)))
        road, counts = build_road_map(roads.drafts, roads.surroundings, origin, source.path)
        moving, static = read_tracks(root, values, clock, notes)
        problems = read_problems(root, values, clock)
        terms = _terms(root, source.path, data, counts)
        first = min([int(t.step[0]) for t in moving] + [p.step for p in problems], default=0)
        last = max([int(t.step[-1]) for t in moving], default=first)
        if options.ego == "initial-state":
            last = max([last] + [_end(p) for p in problems])
        steps = last - first + 1
        if steps * (len(moving) + len(static) + 1) > MAX_STATES:
            refuse(source.path, f"{steps:,} steps of {len(moving) + len(static):,} obstacles are too many")
        tracks = moving + [_throughout(t, first, steps) for t in static]
        agents = build_agents(tracks, first, steps, origin, notes)
        lights = read_lights(roads, road, values, origin, first, steps, clock.dt_s)
        file = _File(source.path, Locator(road), lights, agents, origin, terms, notes, problems)
        if options.ego == "initial-state":
            return _driven_problems(file, first)
        return _driven_records(file, options.egos_per_file, {t.id for t in moving})


@dataclass(frozen=True)
class _File:
    """Everything one file gives to each of its scenarios."""

    path: Path
    locator: Locator
    lights: Lights
    agents: Agents
    origin: Array
    terms: Terms
    notes: Counter[str]
    problems: list[Problem]

    def window(self, first: int, keep: str) -> tuple[Agents, Lights]:
        """Agents and lights from step ``first`` on; agents that never appear in it are left out."""
        a = self.agents
        valid = a.valid[:, first:]
        cut = Agents(
            a.agent_id, a.kind, a.size_m, np.ascontiguousarray(a.xy[:, first:]),
            np.ascontiguousarray(a.heading_rad[:, first:]), np.ascontiguousarray(a.velocity_mps[:, first:]),
            np.ascontiguousarray(valid),
        )  # fmt: skip
        cut = select(cut, valid.any(1) | np.array([i == keep for i in a.agent_id], dtype=np.bool_))
        lights = Lights(self.lights.lane, self.lights.xy, np.ascontiguousarray(self.lights.state[first:]))
        return cut, lights


def _throughout(track: Track, first: int, steps: int) -> Track:
    """A static thing at every step."""
    return Track(
        track.id, track.kind, track.length_m, track.width_m, first + np.arange(steps), track.xy.repeat(steps, 0),
        track.heading_rad.repeat(steps), np.zeros((steps, 2)),
    )  # fmt: skip


def _terms(root: Element, path: Path, data: bytes, counts: dict[str, int]) -> Terms:
    benchmark = (root.get("benchmarkID") or path.stem)[:120]
    origin = (root.get("source") or "")[:300]
    ngsim = "ngsim" in f"{benchmark} {origin}".lower() or re.search("US101|Lanker|Peach|I80", benchmark)
    author, affiliation = (root.get("author") or "")[:300], (root.get("affiliation") or "")[:200]
    credit = ", ".join(x for x in ("CommonRoad, Technical University of Munich", author, affiliation, origin) if x)
    return Terms(
        source="commonroad",
        reader="commonroad",
        file=path.name,
        sha256=sha256(data),
        licence=LICENCE + ("; recordings US DOT NGSIM" if ngsim else ""),
        attribution=credit + ("; NGSIM, US Department of Transportation" if ngsim else ""),
        cluster=cluster(benchmark),
        details={"benchmark": benchmark, "version": root.get("commonRoadVersion"), **counts},
    )


def cluster(benchmark: str) -> str:
    """Road section of a benchmark id: ``USA_US101-3_2_T-1`` and ``NGSIM_US101_4`` are both of ``us101``."""
    for key, name in (("US101", "us101"), ("Lanker", "lankershim"), ("Peach", "peachtree"), ("I80", "i80")):
        if key in benchmark:
            return name
    return re.sub(r"^[CS]-", "", benchmark).partition("-")[0].lower() or "commonroad"


def _driven_records(file: _File, count: int, recorded: set[str]) -> list[Scenario]:
    out: list[Scenario] = []
    tried = 0
    for ego, start, end in best_first(file.agents, file.locator, recorded):
        tried += 1
        first = max(0, start - MAX_HISTORY)
        name = file.agents.agent_id[ego]
        agents, lights = file.window(first, name)
        scenario = recorded_scenario(
            f"commonroad/{file.terms.details['benchmark']}/{name}", file.locator, lights, agents,
            agents.agent_id.index(name), start - first, file.origin, file.terms, file.notes, end - first,
        )  # fmt: skip
        if scenario is not None:
            out.append(scenario)
        if count and len(out) >= count:
            break
    if not out:
        refuse(file.path, _why_none(file, tried, recorded))
    return out


def _why_none(file: _File, tried: int, recorded: set[str]) -> str:
    """Why no recorded vehicle of a file can be the ego."""
    if not recorded and not file.problems:
        return "a map alone: neither recorded vehicles nor a planning problem"
    way_out = "; --ego initial-state drives its planning problem instead" if file.problems else ""
    if tried:
        return f"none of its {tried} long enough recorded vehicles starts on a lane{way_out}"
    rows = [i for i, a in enumerate(file.agents.agent_id) if a in recorded and file.agents.kind[i] in VEHICLES]
    if not rows:
        return f"it records no vehicle that could be the ego{way_out}"
    longest = max(int(file.agents.valid[i].sum()) for i in rows)
    return (
        f"no recorded ego: {MIN_HISTORY / 10:g} s of history and {MIN_FUTURE / 10:g} s of future are needed, and "
        f"its longest recorded vehicle has {longest / 10:g} s{way_out}"
    )


def _end(problem: Problem) -> int:
    least, most = PROBLEM_STEPS
    return problem.step + min(most, max(least, problem.last_step - problem.step))


def _driven_problems(file: _File, first: int) -> list[Scenario]:
    if not file.problems:
        refuse(
            file.path, "there is no planning problem, so there is no initial state to drive from; try --ego recorded"
        )
    row = {name: i for i, name in enumerate(file.locator.road.lane_id)}
    out = []
    for problem in file.problems:
        start = problem.step - first
        agents = _with_ego(file.agents, problem, start, file.origin)
        notes = Counter(file.notes)
        agents, ego = part(agents, 0, start, notes)
        goals = [row[name] for name in problem.goal_lanelets if name in row]
        route = route_to(
            file.locator, problem.xy - file.origin, problem.heading_rad, goals, problem.goal_xy - file.origin
        )
        if route is None:
            continue
        out.append(
            Scenario(
                id=f"commonroad/{file.terms.details['benchmark']}/problem-{problem.id}",
                source=file.terms.source,
                map=file.locator.road,
                lights=file.lights,
                agents=agents,
                ego_index=ego,
                route=route,
                start_step=start,
                end_step=_end(problem) - first,
                provenance=provenance(file.terms, file.origin, notes),
                cluster=file.terms.cluster,
            )
        )
    if not out:
        refuse(file.path, "the planning problem's initial state is on no lane")
    return out


def _with_ego(agents: Agents, problem: Problem, start: int, origin: Array) -> Agents:
    """Agents with the planning problem's vehicle before them, valid at the start step alone."""
    steps = agents.valid.shape[1]
    xy, velocity = np.zeros((1, steps, 2)), np.zeros((1, steps, 2))
    heading, valid = np.zeros((1, steps)), np.zeros((1, steps), np.bool_)
    xy[0, start] = problem.xy - origin
    heading[0, start] = np.arctan2(np.sin(problem.heading_rad), np.cos(problem.heading_rad))
    velocity[0, start] = problem.speed_mps * np.array([np.cos(problem.heading_rad), np.sin(problem.heading_rad)])
    valid[0, start] = True
    return Agents(
        agent_id=(f"problem-{problem.id}", *agents.agent_id),
        kind=np.concatenate([np.array([AgentKind.VEHICLE], np.uint8), agents.kind]),
        size_m=np.concatenate([np.array([PROBLEM_EGO_M]), agents.size_m]),
        xy=np.concatenate([xy, agents.xy]),
        heading_rad=np.concatenate([heading, agents.heading_rad]),
        velocity_mps=np.concatenate([velocity, agents.velocity_mps]),
        valid=np.concatenate([valid, agents.valid]),
    )
