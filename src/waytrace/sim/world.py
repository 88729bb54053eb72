"""Worlds: many scenarios in closed loop, stepped together, snapshotted, restored and forked."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import SEEN_BY_ROW, Eyes, Observation, ObservationArrays, SceneRecord, Seen
from waytrace.scenario import PLAN_KNOTS, AgentKind, Plan, Rollout, Scenario, WaytraceError
from waytrace.scenario.index import CompiledMaps, compile_maps
from waytrace.scenario.state import AgentState, LightArrays

from .arrays import PATH_LANES, SEEN, Fixed, Moving, Record, Rows
from .build import Initial, build
from .dynamics import integrate_dense
from .looking import history
from .recording import rollout_of, scene_record
from .start import start_worlds
from .step import PLAN_TICKS, step_worlds
from .traffic.scratch import make_scratch

FARTHEST = 1e9
"""No position (m), heading or speed of a plan may exceed this."""

Bundle = TypeVar("Bundle", bound=tuple[Any, ...])


@dataclass(frozen=True)
class Snapshot:
    """Everything a drive had changed at one moment; what is constant is not in it."""

    bundles: tuple[tuple[NDArray[Any], ...], ...]
    plans: tuple[tuple[Any, ...], ...]


class World:
    """A batch of scenarios in closed loop at 10 Hz.

    ``controlled`` says who is driven from outside: ``"ego"``, ``"none"`` (the log drives everyone) or a mask [W, A].
    Row b of every per-agent input and output is the b-th controlled agent, world by world in slot order. ``traffic``
    is ``replay``, ``reactive`` or ``mixed``; generated agents, who have no recorded future, are always reactive. With
    ``record`` every tick is kept, which :meth:`rollouts` and typed scenes need. ``shards`` threads share the worlds;
    the results do not depend on their number, nor on which worlds are stepped together.
    """

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        *,
        controlled: str | NDArray[np.bool_] = "ego",
        traffic: str = "mixed",
        style: str = "normal",
        seed: int = 0,
        record: bool = True,
        shards: int = 1,
        maps: CompiledMaps | None = None,
    ) -> None:
        if not scenarios:
            raise WaytraceError("a World needs at least one scenario")
        self.scenarios = tuple(scenarios)
        self.traffic, self.style, self.seed, self.shards = traffic, style, seed, max(1, shards)
        self.maps = maps or compile_maps(self.scenarios)
        slots = max(len(s.agents) for s in self.scenarios)
        mask = _controlled_mask(self.scenarios, slots, controlled)
        self.fixed, self._initial = build(self.scenarios, self.maps, mask, traffic, style, seed)
        self.record_ticks = int(self.fixed.last_tick.max()) + 1 if record else 1
        self._allocate()
        self.reset()

    def _allocate(self) -> None:
        f = self.fixed
        worlds, slots = f.key.shape
        world, slot = np.nonzero(f.controlled)
        rows = len(world)
        lights, scripts = f.light_program.shape[2], f.script_agent.shape[1]
        ticks = self.record_ticks

        def bundle(cls: type[Bundle], **shapes: tuple[Any, ...]) -> Bundle:
            return cls(**{name: np.zeros(shape, dtype) for name, (shape, dtype) in shapes.items()})

        agents = (worlds, slots)
        real, small, flag = np.float64, np.int32, np.uint8
        start = self._initial
        self.state = AgentState._make(
            [*(np.zeros(agents) for _ in range(8)), start.length.copy(), start.width.copy(), start.kind.copy(),
             np.zeros(agents, np.bool_), np.full(agents, -1, small), np.zeros(agents), np.zeros(agents)]
        )  # fmt: skip
        self.lights = LightArrays(
            start.light_lane.copy(), np.zeros((worlds, lights), flag),
            np.ascontiguousarray(start.light_xy[..., 0]), np.ascontiguousarray(start.light_xy[..., 1]),
        )  # fmt: skip
        self.moving = bundle(
            Moving, tick=((worlds,), small), active=((worlds,), np.bool_), mode=(agents, flag),
            path=((*agents, PATH_LANES), small), path_count=(agents, small), path_at=(agents, small),
            offset=(agents, real),
            home=(agents, real), offset_rate=(agents, real), desired=(agents, real), script_brake=(agents, real),
            press_brake=(agents, real),
            goal_x=(agents, real), goal_y=(agents, real), goal_speed=(agents, real), stopped_at=(agents, small),
            halted_tick=(agents, small), waited_s=(agents, real), curvature=(agents, real),
            accel_command=(agents, real), changed_at=(agents, small), script_tick=((worlds, scripts), small),
        )  # fmt: skip
        self.rows = bundle(
            Rows, lo=((worlds + 1,), small), world=((rows,), small), slot=((rows,), small),
            reference=((rows, PLAN_TICKS + 1, 4), real), plan_accel=((rows, PLAN_KNOTS), real),
            plan_curvature=((rows, PLAN_KNOTS), real), plan_tick=((rows,), small), accel=((rows,), real),
            curvature=((rows,), real), collided=((rows,), flag),
        )  # fmt: skip
        self.rows.world[:], self.rows.slot[:] = world, slot
        self.rows.lo[:] = np.searchsorted(world, np.arange(worlds + 1))
        self.record = bundle(
            Record, pose=((worlds, ticks, slots, 3), real), speed=((worlds, ticks, slots), real),
            flags=((worlds, ticks, slots), flag), lights=((worlds, ticks, lights), flag), accel=((rows, ticks), real),
            curvature=((rows, ticks), real),
        )  # fmt: skip
        self._scratch = [make_scratch(slots, self.maps.index) for _ in range(self.shards)]
        self._bounds = np.linspace(0, worlds, self.shards + 1).astype(int)
        self.eyes = Eyes(
            self.maps, self.rows.lo, self.rows.slot, f.ego, f.start, slots, shards=self.shards,
            steps=f.log_x.shape[2] + ticks if ticks > 1 else 1,
        )  # fmt: skip
        self.plans: list[tuple[int, Plan]] = []

    def __len__(self) -> int:
        return len(self.scenarios)

    @property
    def tick(self) -> NDArray[np.int32]:
        """[W] ticks since the start step."""
        return self.moving.tick

    @property
    def active(self) -> NDArray[np.bool_]:
        """[W] worlds whose episode has not ended."""
        return self.moving.active

    def reset(self) -> None:
        """Put every world back to its start step."""
        first = self._initial
        start_worlds(self.maps.index, self.maps.routes, self.fixed, self.moving, self.state, self.lights, self.rows,
                     self.record, first.path, first.path_count)  # fmt: skip
        self.plans.clear()
        self.eyes.start(history(self.fixed, self.state))
        self._look_around()

    def step_plans(self, plan: Plan, ticks: int = 5) -> None:
        """Hold ``plan`` (one row for each controlled agent, world frame) and advance by ``ticks``."""
        self.hold(plan)
        self.advance(ticks)

    def hold(self, plan: Plan) -> None:
        """Make ``plan`` the plan to be tracked from now on."""
        rows = self.rows
        if plan.accel_mps2.shape != rows.plan_accel.shape:
            raise WaytraceError(
                f"a plan for {len(rows.world)} controlled agents needs controls of shape {rows.plan_accel.shape}, "
                f"got {plan.accel_mps2.shape}"
            )
        if plan.start.shape != (len(rows.world), 4) or plan.curvature_1pm.shape != plan.accel_mps2.shape:
            raise WaytraceError(
                f"a plan for {len(rows.world)} controlled agents needs a start of shape {(len(rows.world), 4)} and a "
                f"curvature for each acceleration, got shapes {plan.start.shape} and {plan.curvature_1pm.shape}"
            )
        controls = (plan.start, plan.accel_mps2, plan.curvature_1pm)
        if not all(np.isfinite(part).all() for part in controls):
            raise WaytraceError(f"planner {plan.producer or '?'} gave a plan with values that are not finite")
        reference = integrate_dense(*controls)
        if not (np.abs(reference) < FARTHEST).all():
            raise WaytraceError(f"planner {plan.producer or '?'} gave a plan that leads to values above {FARTHEST:g}")
        rows.plan_accel[:], rows.plan_curvature[:] = plan.accel_mps2, plan.curvature_1pm
        rows.reference[:] = reference
        rows.plan_tick[:] = self.moving.tick[rows.world]
        if self.record_ticks > 1:
            self.plans.append((int(self.moving.tick.max()), plan))

    def step_controls(
        self, accel_mps2: NDArray[np.float64], curvature_1pm: NDArray[np.float64], ticks: int = 1
    ) -> None:
        """Drive every controlled agent by acceleration [B] and curvature [B], clipped to their ranges."""
        for given in (np.asarray(accel_mps2), np.asarray(curvature_1pm)):
            if given.shape != self.rows.accel.shape or not np.isfinite(given).all():
                raise WaytraceError(
                    f"controls for {len(self.rows.world)} controlled agents must have shape {self.rows.accel.shape} "
                    f"and finite values, got shape {given.shape} and {(~np.isfinite(given)).sum()} that are not finite"
                )
        self.rows.accel[:], self.rows.curvature[:] = accel_mps2, curvature_1pm
        self.rows.plan_tick[:] = -1
        self.advance(ticks)

    def advance(self, ticks: int = 1) -> None:
        """Advance every active world by up to ``ticks`` ticks under what is held."""
        recording = self.record_ticks > 1
        for _ in range(ticks if recording else 1):
            self._advance(1 if recording else ticks)
            if recording:
                self._look_around()

    def _advance(self, ticks: int) -> None:
        def run(shard: int) -> None:
            step_worlds(
                self.maps.index, self.maps.routes, self.fixed, self.moving, self.state, self.lights, self.rows,
                self.record, self._scratch[shard], int(self._bounds[shard]), int(self._bounds[shard + 1]), ticks,
            )  # fmt: skip

        self._on_shards(run)

    def _look_around(self) -> None:
        """Keep the record of who sees whom complete, also between observations."""
        if self.record_ticks == 1:
            return
        self.eyes.see(self.state, self.moving.tick)
        rows = self.rows
        for b in np.flatnonzero(self.fixed.ego[rows.world] == rows.slot):
            w = rows.world[b]
            flags = self.record.flags[w, self.moving.tick[w]]
            seen = self.eyes.memory.seen_tick[b] == self.moving.tick[w]
            seen[rows.slot[b]] = True
            flags[:] = np.where(seen, flags | SEEN, flags & ~np.uint8(SEEN))

    def observe(self) -> Observation:
        """What every controlled agent perceives now: arrays, and typed scenes where the world records."""
        ids = [self.scenarios[w].id for w in self.rows.world]
        ticks = self.moving.tick[self.rows.world]
        return Observation.of(self.observe_arrays(), ids, ticks, self if self.record_ticks > 1 else None)

    def scene_record(self, row: int, tick: int) -> SceneRecord:
        """Everything that controlled agent ``row`` could have perceived up to now (see ``waytrace.observe``)."""
        return scene_record(self, row, tick)

    def observe_arrays(self) -> ObservationArrays:
        """What every controlled agent perceives now, as arrays [B, ...] that the next call overwrites."""

        def run(shard: int) -> None:
            first, last = int(self._bounds[shard]), int(self._bounds[shard + 1])
            self.eyes.look(self.state, self.lights, self.moving.tick, first, last, shard)

        self._on_shards(run)
        return self.eyes.arrays

    def _on_shards(self, run: Any) -> None:
        """Call ``run(shard)`` for every shard: the first on the caller's thread, the others each on one of their own.

        So of two shards each stays with its thread, and with what that thread's core has in its cache.
        """
        if self.shards > 1 and not hasattr(self, "_pool"):
            self._pool = ThreadPoolExecutor(self.shards - 1, thread_name_prefix="waytrace-shard")
        others = [self._pool.submit(run, shard) for shard in range(1, self.shards)]
        try:
            run(0)
        finally:
            for future in others:
                future.result()

    def _mutable(self) -> tuple[tuple[NDArray[Any], ...], ...]:
        return (self.state, self.lights, self.moving, self.rows, self.record, self.eyes.memory, self.eyes.record)

    def snapshot(self) -> Snapshot:
        """A copy of the present moment, for :meth:`restore`."""
        return Snapshot(tuple(tuple(array.copy() for array in bundle) for bundle in self._mutable()), tuple(self.plans))

    def restore(self, snapshot: Snapshot) -> None:
        """Return to a moment that :meth:`snapshot` of this world (or of a fork with the same shapes) captured."""
        mine = [array for bundle in self._mutable() for array in bundle]
        kept = [array for bundle in snapshot.bundles for array in bundle]
        if [array.shape for array in mine] != [array.shape for array in kept]:
            raise WaytraceError("the snapshot is of other worlds: restore it in the World it was taken of, or a fork")
        for array, copy in zip(mine, kept, strict=True):
            array[...] = copy
        self.plans = list(snapshot.plans)

    def fork(self, copies: int = 1, worlds: Sequence[int] | None = None) -> World:
        """A world with ``copies`` of each of ``worlds`` (default: all) from this moment on, world by world.

        Maps are shared, everything else is copied; the copies draw the same random numbers as the original.
        """
        if copies < 1 or (worlds is not None and (len(worlds) == 0 or not all(0 <= w < len(self) for w in worlds))):
            raise WaytraceError(f"fork at least one copy of worlds from 0 to {len(self) - 1}, not {copies} of {worlds}")
        chosen = np.repeat(np.arange(len(self)) if worlds is None else np.asarray(worlds, int), copies)
        rows = np.concatenate([np.arange(self.rows.lo[w], self.rows.lo[w + 1]) for w in chosen]).astype(int)
        other = World.__new__(World)
        other.scenarios = tuple(self.scenarios[w] for w in chosen)
        other.traffic, other.style, other.seed, other.shards = self.traffic, self.style, self.seed, 1
        other.maps = CompiledMaps(self.maps.index, _take_routes(self.maps, chosen), self.maps.map_of[chosen])
        other.fixed = Fixed(*(array[chosen] for array in self.fixed))
        other._initial = Initial(*(array[chosen] for array in self._initial))
        other.record_ticks = self.record_ticks
        other._allocate()
        for mine, theirs in zip(self._mutable(), other._mutable(), strict=True):
            for name, source, target in zip(mine._fields, mine, theirs, strict=True):  # type: ignore[attr-defined]
                if isinstance(mine, Rows):
                    if name not in ("lo", "world", "slot"):
                        target[...] = source[rows]
                elif (
                    (isinstance(mine, Record) and name in ("accel", "curvature"))
                    or name in SEEN_BY_ROW
                    or isinstance(mine, Seen)
                ):
                    target[...] = source[rows]
                else:
                    target[...] = source[chosen]
        other.plans = [(tick, plan[rows]) for tick, plan in self.plans]
        return other

    def rollouts(self, planner: str = "") -> list[Rollout]:
        """What each world's ego has driven so far. Needs ``record``."""
        if self.record_ticks == 1:
            raise WaytraceError("this World was made with record=False: nothing was kept to make rollouts from")
        return [rollout_of(self, w, planner) for w in range(len(self))]


def _take_routes(maps: CompiledMaps, chosen: NDArray[np.int_]) -> Any:
    """The route arrays of chosen worlds, in their new order."""
    r = maps.routes
    parts = [np.arange(r.route_lo[w], r.route_lo[w + 1]) for w in chosen]
    entries = np.concatenate(parts).astype(int) if parts else np.zeros(0, int)
    lo = np.concatenate([[0], np.cumsum([len(p) for p in parts])]).astype(np.int32)
    return type(r)(
        lo, r.route_lane[entries], r.route_group[entries], r.route_offset[entries], r.route_scale[entries],
        r.route_length[chosen],
    )  # fmt: skip


def _controlled_mask(
    scenarios: Sequence[Scenario], slots: int, controlled: str | NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """[W, A] who is controlled, checked."""
    mask = np.zeros((len(scenarios), slots), np.bool_)
    if isinstance(controlled, str):
        if controlled not in ("ego", "none"):
            raise WaytraceError(f"controlled={controlled!r}: use 'ego', 'none' or a mask of worlds by agents")
        if controlled == "ego":
            for w, s in enumerate(scenarios):
                mask[w, s.ego_index] = True
        return mask
    controlled = np.asarray(controlled, np.bool_)
    if controlled.ndim != 2 or len(controlled) != len(scenarios) or controlled.shape[1] > slots:
        raise WaytraceError(f"the mask of controlled agents has shape {controlled.shape}, needed {mask.shape}")
    mask[:, : controlled.shape[1]] = controlled
    for w, s in enumerate(scenarios):
        for a in np.flatnonzero(mask[w]):
            if a >= len(s.agents) or not s.agents.valid[a, s.start_step]:
                raise WaytraceError(f"{s.id}: agent slot {a} cannot be controlled, it is not there at the start step")
            if s.agents.kind[a] >= AgentKind.PEDESTRIAN:
                raise WaytraceError(f"{s.id}: agent {s.agents.agent_id[a]!r} is no vehicle and cannot be controlled")
    return mask
