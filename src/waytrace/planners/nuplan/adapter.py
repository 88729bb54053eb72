"""Drives a planner that was written for nuPlan."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from waytrace.planners.motion import fit_controls, make_plan, stack_controls
from waytrace.scenario import Plan

from .devkit import devkit_initialization, devkit_input, written_against_devkit
from .inputs import initialization, planner_input
from .shapes import NuplanError
from .trajectory import poses_of

if TYPE_CHECKING:
    from waytrace.observe import Observation, Scene

METHODS = ("initialize", "compute_planner_trajectory", "name", "observation_type")


class NuplanAdapter:
    """Subclass it, say in :meth:`make` what drives, and give the subclass as ``module:Class``.

    Every drive has a planner of its own, initialised at its first decision. What that planner remembers travels as
    the state: before each decision it is copied (deeply), so that a drive can be repeated or forked from any moment.
    """

    name = "nuplan"
    privileged: ClassVar[bool] = False

    def make(self) -> Any:
        """A new planner with nuPlan's ``AbstractPlanner``'s methods. To be overridden."""
        raise NotImplementedError(f"{type(self).__name__} does not say in make() which planner drives")

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        """Nothing to prepare: map and route come with the first observation."""

    def plan(self, observation: Observation, state: Any) -> tuple[Plan, None, Any]:
        """Plans of all rows; the state is their planners."""
        before = [None] * len(observation) if state is None else state
        planners, rows, starts = [], [], []
        for scene, remembered in zip(observation.scenes, before, strict=True):
            planner = self._begun(scene) if remembered is None else _copied(remembered)
            now = devkit_input(scene) if written_against_devkit(planner) else planner_input(scene)
            poses = poses_of(planner.compute_planner_trajectory(now), now.iteration.time_point)
            ego = now.history.ego_states[-1]
            start = np.array([*ego.rear_axle, ego.dynamic_car_state.rear_axle_velocity_2d.x])
            rows.append(fit_controls(poses[:, :3], poses[:, 3], start))
            starts.append(start)
            planners.append(planner)
        start = np.array(starts).reshape(len(starts), 4)
        return make_plan(observation.time_s, start, *stack_controls(rows), self.name), None, planners

    def _begun(self, scene: Scene) -> Any:
        """A new planner, told of the scene's route and map."""
        planner = self.make()
        missing = [method for method in METHODS if not callable(getattr(planner, method, None))]
        if missing:
            raise NuplanError(f"{type(planner).__name__} is no planner of nuPlan's: it has no {', '.join(missing)}")
        if getattr(planner, "requires_scenario", False):
            raise NuplanError(
                f"{type(planner).__name__} wants nuPlan's scenario, its future included; there is none here"
            )
        wanted = planner.observation_type().__name__
        if wanted != "DetectionsTracks":
            raise NuplanError(
                f"{type(planner).__name__} wants observations of type {wanted}; only DetectionsTracks are made"
            )
        told = devkit_initialization(scene) if written_against_devkit(planner) else initialization(scene)
        planner.initialize(told)
        return planner


def _copied(planner: Any) -> Any:
    try:
        return copy.deepcopy(planner)
    except Exception as error:
        raise NuplanError(
            f"{type(planner).__name__} cannot be copied, so what it remembers cannot be kept apart: "
            f"{type(error).__name__}: {error}; give it a __deepcopy__"
        ) from error
