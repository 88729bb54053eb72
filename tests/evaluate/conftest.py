"""A small store, and planners that misbehave."""

from __future__ import annotations

from pathlib import Path

import pytest

from waytrace.catalogue import generate_many
from waytrace.scenario.store import ScenarioWriter

OWN = '''
import os, time
from waytrace.planners import make

class Delegating:
    """Constant velocity, and something amiss on the third scenario."""
    privileged = False

    def __init__(self):
        self.inner = make("constant-velocity")

    def reset(self, ids, world=None):
        assert world is None
        self.ids = list(ids)
        self.inner.reset(ids)

    def amiss(self):
        pass

    def plan(self, observation, state):
        print("a planner may print")
        if any(i.startswith("pedestrian-near") for i in self.ids):
            self.amiss()
        return self.inner.plan(observation, state)

class Raises(Delegating):
    def amiss(self):
        raise ValueError("no pedestrians, please")

class Dies(Delegating):
    def amiss(self):
        os._exit(7)

class Hangs(Delegating):
    def amiss(self):
        time.sleep(3600)

class NotFinite(Delegating):
    def plan(self, observation, state):
        plan, trace, state = super().plan(observation, state)
        plan.accel_mps2[:] = float("nan")
        return plan, trace, state

class NeedsArguments:
    def __init__(self, something):
        pass

class NoPlanner:
    pass

not_callable = 3
'''


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six generated scenarios of six families."""
    path = tmp_path_factory.mktemp("evaluate") / "six"
    with ScenarioWriter(path) as writer:
        for scenario in generate_many(6, split="select"):
            writer.add(scenario)
    return path


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a module of planners in the current folder."""
    name = f"own_planners_{abs(hash(tmp_path)):x}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name
