"""Stores of drawn samples: what should be said and driven follows from the scene's numbers, so it can be learned."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from waytrace.learn.legal import present_of
from waytrace.learn.packing import pack
from waytrace.learn.sample import Branch, Sample
from waytrace.learn.samples import FORMAT
from waytrace.learn.shard import FEATURE_SHAPES, write_shard
from waytrace.microgpt import FEATURES, PLACES, SceneTokens, empty_tokens, feature_hash
from waytrace.microgpt.columns import COLUMNS, KINDS
from waytrace.observe import REFERENCE_KIND, ReferenceKind
from waytrace.trace import SLOTS, sets, vocabulary_hash, walk
from waytrace.trace.slots import END

Random = np.random.Generator

HELD = {"agent": 4, "map": 6, "light": 1, "crosswalk": 1, "stop_line": 1}
"""Elements of each kind that a scene has at most."""
_KIND = {"agent": ReferenceKind.AGENT, "map": ReferenceKind.LANE, "light": ReferenceKind.LIGHT,
         "crosswalk": ReferenceKind.CROSSWALK, "stop_line": ReferenceKind.STOP_LINE}  # fmt: skip
_NUMBER = {slot.name: number for number, slot in enumerate(SLOTS)}


def sample_store(path: Path, count: int, *, seed: int = 0, split: str = "train", shards: int = 2) -> Path:
    """A folder of ``count`` samples of scenes of a split."""
    random = np.random.default_rng(seed)
    (path / "shards").mkdir(parents=True)
    entries = []
    for k in range(shards):
        ids = [f"drawn/{split}/{seed:03d}{k:03d}@1"]
        samples = [draw(random, ids[0], tick) for tick in range(count * k // shards, count * (k + 1) // shards)]
        entries.append(write_shard(path / "shards" / f"samples-{k:05d}.safetensors", pack(samples, ids), ids, {}))
    manifest = {
        "format": FORMAT, "vocabulary": vocabulary_hash(), "features": feature_hash(), "shapes": FEATURE_SHAPES,
        "shards": entries,
    }  # fmt: skip
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path


def draw(random: Random, scenario: str, tick: int) -> Sample:
    """One sample; its first ego column says what is decided and how hard is braked."""
    tokens = draw_scene(random)
    bent = float(tokens.ego[0, 0, 0])
    choice = draw_branch(random, tokens, bent)
    branches = (choice, draw_branch(random, tokens, -bent)) if random.random() < 0.5 else (choice,)
    return Sample(tokens, branches, (-1, -1), 10.0, 4.7, scenario, tick, "expert")


def draw_scene(random: Random) -> SceneTokens:
    """A scene of one moment, some of its elements missing."""
    tokens, at = empty_tokens(1), 0
    for kind, places in PLACES.items():
        count = places if kind == "ego" else random.integers(1, HELD.get(kind, 1) + 1)
        part = getattr(tokens, kind)
        part[0, :count] = 0.5 * random.normal(size=(count, FEATURES[kind]))
        tokens.valid[0, at : at + count] = True
        if kind in _KIND:
            rows = np.flatnonzero(_KIND[kind] == REFERENCE_KIND)
            tokens.row[0, at : at + count] = rows[:count]
        at += places
    tokens.map[0, :, COLUMNS["map"].index("first")] = (np.arange(PLACES["map"]) % 3 == 0) * 1.0
    columns = [COLUMNS["agent"].index(name) for name in KINDS]
    tokens.agent[0, :, columns] = np.eye(len(KINDS))[random.integers(0, len(KINDS), PLACES["agent"])].T
    return tokens


def draw_branch(random: Random, tokens: SceneTokens, bent: float) -> Branch:
    """A trace whose every choice is the legal value that ``bent`` points to, and the plan that goes with it."""
    steps = walk(present_of(tokens, 0))
    slot, value, asked = [], [], dict[str, int]()
    ask = next(steps)
    decided = {"longitudinal": 0, "lateral": 0}
    while True:
        number, name = ask.only, ask.slot.name
        if number < 0:
            legal = np.flatnonzero(ask.legal)
            number = int(legal[int((1.0 + np.tanh(bent)) / 2.0 * 0.999 * len(legal))])
            asked[name] = asked.get(name, 0) + 1
            if END in legal and asked[name] > 2:
                number = END
            slot.append(_NUMBER[name])
            value.append(number)
        if name in decided:
            decided[name] = number
        try:
            ask = steps.send(number)
        except StopIteration:
            break
    accel: NDArray[np.float64] = np.full(16, -np.tanh(bent))
    return Branch(
        np.array(slot, np.int16), np.array(value, np.int16), (decided["longitudinal"], decided["lateral"]),
        accel, np.full(16, 0.005 * np.tanh(bent)),
    )  # fmt: skip


assert len(sets.LONGITUDINAL) == 10
