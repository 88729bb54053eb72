"""The learned planner: an observation in, a plan out, and on the way there a trace that says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Observation, Scene
from waytrace.planners import make_plan
from waytrace.planners.reading import rear_m
from waytrace.scenario import PLAN_KNOTS, Plan, WaytraceError
from waytrace.scenario.roads import RoadCache
from waytrace.trace import Present, Trace, sets

from .branch import Decisions
from .checkpoint import read_checkpoint, read_shipped
from .config import MODES
from .decode import Compiled
from .harm import Outlook
from .heads import squash
from .parameters import Parameters, config_of
from .prefix import Model
from .sampling import Rule
from .second_thoughts import Thought, second_thought
from .session import Session
from .tokens import scene_tokens

Array = NDArray[np.float64]
State = NDArray[np.int8]
"""[B, 2] the last decision, longitudinal and lateral, as numbers of their sets; -1 for none."""

SHIPPED_NAME = "shipped"
"""What the planner that comes with the package is called."""


class Learned:
    """A micro GPT that drives: in mode ``trace`` it writes a whole trace first, in ``decision_only`` the two decisions,
    in ``fast`` nothing. With second thoughts it looks at what it decided before it hands it over
    (:mod:`.second_thoughts`).

    Every row of an observation is planned by itself, so a plan does not depend on what else is in the batch. At a
    temperature above 0 the draws depend on ``seed`` and on the scene alone: equal arguments give equal answers.
    """

    privileged: ClassVar[bool] = False

    def __init__(
        self, source: Model | Parameters | Path | str, mode: str = "trace", *, temperature: float = 0.0, top_k: int = 0,
        seed: int = 0, name: str = "learned", second_thoughts: int = 0,
    ) -> None:  # fmt: skip
        """Of a checkpoint's folder (or ``shipped``), of parameters, or of a model that is loaded already.

        ``second_thoughts``: other decisions that are tried at most where the plan is seen to do harm; there are none in
        mode ``fast``, which decides nothing.
        Raises :class:`WaytraceError` for an unknown mode, a temperature, seed or second thoughts below 0, or a
        checkpoint that is not whole.
        """
        if mode not in MODES:
            raise WaytraceError(f"there is no mode {mode!r}; there are {', '.join(MODES)}")
        if seed < 0:
            raise WaytraceError(f"a seed is a whole number from 0 on, not {seed}")
        if second_thoughts < 0:
            raise WaytraceError(f"second thoughts are none (0) or more, not {second_thoughts}")
        self.model, self.weights = loaded(source)
        self.mode, self.rule, self.seed = mode, Rule(temperature, top_k), seed
        self.second_thoughts = second_thoughts if mode != "fast" else 0
        self.name = name if mode == "trace" else f"{name}:{mode}"
        self._roads = RoadCache()
        self.thoughts: list[Thought] = []
        """Of the last call, one a row."""

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        """Nothing to prepare: what is remembered is in the state."""

    def plan(self, observation: Observation, state: State | None) -> tuple[Plan, list[Trace | None] | None, State]:
        """Plans, traces in mode ``trace``, and the decisions for next time.

        Raises :class:`WaytraceError` where the state is not of as many rows as the observation.
        """
        rows = len(observation)
        before = np.full((rows, 2), -1, np.int8) if state is None else state
        if before.shape != (rows, 2):
            raise WaytraceError(f"the state is of {len(before)} rows, the observation of {rows}: reset between batches")
        tokens = scene_tokens(observation, before, self._roads)
        start, after = starts(observation), before.copy()
        accel, curvature = np.zeros((rows, PLAN_KNOTS)), np.zeros((rows, PLAN_KNOTS))
        self.thoughts = []
        for b in range(rows):
            session = Session.prefill(self.model, tokens, Present.of(observation, b), b=b, mode=self.mode)
            thought = self._think(session, float(start[b, 3]), observation.scenes[b])
            accel[b], curvature[b] = thought.accel_mps2, thought.curvature_1pm
            after[b] = decision(thought.said, before[b])
            self.thoughts.append(thought)
        plan = make_plan(observation.time_s, start, accel, curvature, self.name)
        if self.mode != "trace":
            return plan, None, after
        return plan, [t.said if isinstance(t.said, Trace) else None for t in self.thoughts], after

    def _think(self, session: Session, speed_mps: float, scene: Scene) -> Thought:
        drawn = self.rule.temperature > 0.0
        rng = np.random.default_rng([self.seed, int(session.prefix.digest[:15], 16)]) if drawn else None

        def go_on(session: Session) -> Thought:
            for _ in session.write(self.rule, rng):
                pass
            raw = session.raw_controls()
            return Thought(session.said, session.written, session.logprob, raw, *squash(raw, speed_mps))

        first = go_on(session)
        if not self.second_thoughts:
            return first
        return second_thought(first, session, go_on, self._looks(scene), self.second_thoughts)

    def _looks(self, scene: Scene) -> Callable[[Thought], float]:
        """When a thought's plan is seen to do harm."""
        outlook = Outlook.of(scene, self._roads)
        return lambda thought: outlook.harm_s(thought.accel_mps2, thought.curvature_1pm)


def loaded(source: Model | Parameters | Path | str) -> tuple[Model, str]:
    """A model that can be run, and the digest of the checkpoint that it is of; empty where it is of none."""
    if isinstance(source, Path | str):
        checkpoint = read_shipped() if source == SHIPPED_NAME else read_checkpoint(source)
        return Compiled(checkpoint.parameters, checkpoint.config), checkpoint.digest
    if isinstance(source, Mapping):
        return Compiled(source, config_of(source)), ""
    return source, str(getattr(source, "digest", ""))


def starts(observation: Observation) -> Array:
    """[B, 4] x, y, heading, speed of each row's rear axle in the world."""
    out = np.zeros((len(observation), 4))
    for b, scene in enumerate(observation.scenes):
        x, y, heading = (float(v) for v in scene.ego.pose)
        back = rear_m(int(scene.ego.kind), scene.ego.length_m)
        out[b] = x - back * np.cos(heading), y - back * np.sin(heading), heading, scene.ego.speed_mps
    return out


def decision(said: Trace | Decisions | None, before: State) -> tuple[int, int]:
    """(longitudinal, lateral) as numbers: what was said, or what was said before."""
    if isinstance(said, Trace):
        d = said.decision
        return sets.LONGITUDINAL.number(d.longitudinal), sets.LATERAL.number(d.lateral)
    if said is not None:
        return said.longitudinal, said.lateral
    return int(before[0]), int(before[1])
