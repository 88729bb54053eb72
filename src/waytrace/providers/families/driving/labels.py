"""The thirty scenes of the family, and what the expert's label says about each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from waytrace.catalogue import families, generate
from waytrace.label import label_drive
from waytrace.observe import Scene, scene_at
from waytrace.scenario import scenario_hash
from waytrace.trace import to_json

from .told import header_of, to_ego

COUNT = 30
SPLIT = "select"
FIRST_SEED = 880_000
"""No suite, no sample store and no figure of the docs uses seeds from here on."""
FILE = "labels.jsonl"
TICK = 0
"""The start of a scene: what happened before is recorded, so no simulation is needed to know the moment."""


@dataclass(frozen=True)
class Labelled:
    """One scene of the family."""

    family: str
    seed: int
    content: str
    """Hash of the scenario: the label is worth nothing for another one."""
    stages: dict[str, Any]
    """The label in the form of an answer."""

    @property
    def id(self) -> str:
        """The item's id."""
        return f"driving-trace/{self.family}-{self.seed}"

    def scene(self) -> Scene:
        """The moment. Raises ``ValueError`` where the catalogue makes another scenario of this seed by now."""
        return _scene(self.family, self.seed, self.content)


@lru_cache(maxsize=64)
def _scene(family: str, seed: int, content: str) -> Scene:
    scenario = generate(family, seed, SPLIT)
    if scenario_hash(scenario) != content:
        raise ValueError(
            f"{family} {seed}: the catalogue has changed; write the labels again (docs/provider-families.md)"
        )
    return scene_at(scenario, TICK)


@lru_cache(maxsize=1)
def labelled() -> tuple[Labelled, ...]:
    """The committed scenes with their labels."""
    text = files("waytrace.providers.families.driving").joinpath(FILE).read_text(encoding="utf-8")
    return tuple(Labelled(**json.loads(line)) for line in text.splitlines())


def make(count: int = COUNT) -> Iterator[Labelled]:
    """The scenes afresh: families of the split in turn, the first seed of each at which something has to be decided."""
    names = families(SPLIT)
    following = dict.fromkeys(names, FIRST_SEED)
    for k in range(count):
        name = names[k % len(names)]
        made = None
        while made is None:
            made = _label(name, following[name])
            following[name] += 1
        yield made


def text_of(scenes: Iterator[Labelled]) -> str:
    """Scenes as the committed file."""
    return "".join(json.dumps(vars(scene), separators=(",", ":")) + "\n" for scene in scenes)


def _label(family: str, seed: int) -> Labelled | None:
    """A scene's label; None where nothing but the road asks for anything (no cause)."""
    scenario = generate(family, seed, SPLIT)
    moment = next(iter(label_drive(scenario, ticks={TICK})), None)
    if moment is None or not moment.label.trace.decision.causes:
        return None
    scene, label = moment.observation.scenes[0], moment.label
    stages = to_json(header_of(scene), label.trace, to_ego(label.plan.waypoints, scene))
    stages.pop("header")
    return Labelled(family, seed, scenario_hash(scenario), stages)
