"""Random samples, for tests and for timing: traces that the grammar allows, about scenes of random numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.microgpt.tokens import FEATURES, PLACES, TOKENS, SceneTokens
from waytrace.observe import REFERENCE_KIND, ReferenceKind
from waytrace.trace import Present
from waytrace.trace.grammar import walk
from waytrace.trace.slots import END, ROW_COUNT, SLOTS

Random = np.random.Generator
Values = list[tuple[int, int]]
KIND_OF = {"agent": ReferenceKind.AGENT, "map": ReferenceKind.LANE, "light": ReferenceKind.LIGHT,
           "crosswalk": ReferenceKind.CROSSWALK, "stop_line": ReferenceKind.STOP_LINE}  # fmt: skip
NUMBER = {slot.name: number for number, slot in enumerate(SLOTS)}


class Samples(NamedTuple):
    """What ``waytrace.learn.samples.SampleBatch`` holds, as far as a model is concerned."""

    tokens: SceneTokens
    slot: NDArray[np.int16]
    value: NDArray[np.int16]
    accel: NDArray[np.float32]
    curvature: NDArray[np.float32]
    present: NDArray[np.bool_]
    speed: NDArray[np.float32]
    length_m: NDArray[np.float32]


def scene(
    random: Random, share: float = 0.6
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.bool_], NDArray[np.int16]]:
    """Features by kind, valid and rows of one moment; ``share`` of the places are filled."""
    features, valid, row = {}, np.zeros(TOKENS, np.bool_), np.full(TOKENS, -1, np.int16)
    at = 0
    for kind, places in PLACES.items():
        count = places if kind == "ego" else round(share * places)
        features[kind] = np.zeros((places, FEATURES[kind]), np.float32)
        features[kind][:count] = random.normal(size=(count, FEATURES[kind]))
        valid[at : at + count] = True
        if kind in KIND_OF:
            rows = np.flatnonzero(KIND_OF[kind] == REFERENCE_KIND)
            row[at : at + count] = np.sort(random.choice(rows, count, replace=False))
        at += places
    return features, valid, row


def trace(random: Random, rows: NDArray[np.int16], *, most: int = 4, decision: int | None = None) -> Values:
    """(slot, value) of every slot with a choice, of a random trace that points at ``rows``; lists end after ``most``.

    The values before the decision depend on ``random`` alone.
    """
    index = np.full(ROW_COUNT, -1, np.int32)
    index[rows[rows >= 0]] = rows[rows >= 0]
    steps, out, ended = walk(Present(index, ("vehicle",) * 31)), Values(), dict[str, int]()
    ask = next(steps)
    while True:
        number = ask.only
        if number < 0:
            legal = np.flatnonzero(ask.legal)
            name = ask.slot.name
            ended[name] = ended.get(name, 0) + 1
            number = int(random.choice(legal))
            if ended[name] > most and END in legal:
                number = END
            elif name.endswith(".ref") and len(legal) > 1:
                number = int(legal[min(ended[name] - 1, len(legal) - 2)])
            if name == "longitudinal" and decision is not None:
                number = int(legal[decision % len(legal)])
            out.append((NUMBER[name], number))
        try:
            ask = steps.send(number)
        except StopIteration:
            return out


def samples(count: int, seed: int = 0, *, share: float = 0.6, most: int = 4, runner_up: float = 0.7) -> Samples:
    """A batch of ``count`` samples; some have a runner-up."""
    random = np.random.default_rng(seed)
    scenes = [scene(random, share) for _ in range(count)]
    traces: list[list[Values]] = []
    for b, (_, _, row) in enumerate(scenes):
        kept = row[row >= 0]
        pair = [trace(np.random.default_rng((seed, b)), kept, most=most, decision=k) for k in range(2)]
        traces.append(pair if random.random() < runner_up else pair[:1])
    longest = max(len(t) for pair in traces for t in pair)
    slot, value = np.full((2, count, 2, longest), -1, np.int16)
    present = np.zeros((count, 2), np.bool_)
    for b, pair in enumerate(traces):
        for k, values in enumerate(pair):
            slot[b, k, : len(values)], value[b, k, : len(values)] = np.array(values).T
            present[b, k] = True
    features = {kind: np.stack([s[0][kind] for s in scenes]) for kind in PLACES}
    tokens = SceneTokens(**features, valid=np.stack([s[1] for s in scenes]), row=np.stack([s[2] for s in scenes]))
    return Samples(
        tokens, slot, value, random.uniform(-3, 2, (count, 2, 16)).astype(np.float32),
        random.uniform(-0.02, 0.02, (count, 2, 16)).astype(np.float32), present,
        random.uniform(0, 20, count).astype(np.float32), np.full(count, 4.7, np.float32),
    )  # fmt: skip
