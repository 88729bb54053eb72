"""Which moment a trace is about: a hash of what the ego knew then, and the check of a header against a scene."""

from __future__ import annotations

import hashlib
import struct
from collections import OrderedDict

import numpy as np

from waytrace.observe import Scene
from waytrace.scenario import RoadMap

from .slots import vocabulary_hash
from .types import Header, TraceError

_VERSION = b"waytrace.scene/1"
_DIGITS = 6
"""Decimals that count: a scene read from a file is the same scene."""

_MAPS: OrderedDict[int, tuple[RoadMap, bytes]] = OrderedDict()


def scene_hash(scene: Scene) -> str:
    """sha256 over a scene's canonical bytes.

    In this order: ids of the map's lanes, the route's groups, the tick, the ego (number, size, pose, speed), everyone
    known by number (number, kind, size, pose, speed, age), the lights (lane, state). Numbers are rounded to 1e-6.
    """
    agents, ego = scene.agents, scene.ego
    order = np.argsort(agents.index, kind="stable")
    digest = hashlib.sha256(_VERSION)
    digest.update(_map_bytes(scene.map))
    groups = [np.asarray(group, "<i4").tobytes() for group in scene.route.groups]
    digest.update(struct.pack("<i", len(groups)) + b"".join(struct.pack("<i", len(g)) + g for g in groups))
    digest.update(struct.pack("<ii", scene.tick, ego.index))
    digest.update(_numbers(ego.length_m, ego.width_m, *ego.pose, ego.speed_mps))
    digest.update(struct.pack("<i", len(agents)))
    digest.update(agents.index[order].astype("<i4").tobytes() + agents.kind[order].astype("u1").tobytes())
    for part in (agents.size_m, agents.pose, agents.speed_mps, agents.age_s):
        digest.update(_numbers(*part[order].ravel()))
    digest.update(scene.light_lane.astype("<i4").tobytes() + scene.light_state.astype("u1").tobytes())
    return digest.hexdigest()


def check_header(header: Header, scene: Scene, content: str = "") -> None:
    """Raises :class:`TraceError` where a header is not about this scene or was written with other slots.

    A producer that gives the hash of the scenario's ``content`` instead (``scenario_hash``) has named the moment too,
    though not the drive that led to it. An empty hash says nothing and is let through.
    """
    t0_us = round(scene.time_s * 1e6)
    if header.t0_us != t0_us:
        raise TraceError(
            f"header.t0_us is {header.t0_us}, but tick {scene.tick} of {scene.scenario_id!r} is at {t0_us}: "
            "the trace is about another moment"
        )
    named = not header.scene_hash or header.scene_hash == content
    if not named and header.scene_hash != (found := scene_hash(scene)):
        raise TraceError(
            f"header.scene_hash is {header.scene_hash[:16]!r}..., but tick {scene.tick} of {scene.scenario_id!r} has "
            f"{found[:16]!r}...: the trace is about another drive or another version of the scenario; "
            "give the scenarios and rollouts that it was written on"
        )
    written = header.producer.vocabulary
    own = vocabulary_hash()
    if written and written != own:
        raise TraceError(
            f"header.producer.vocabulary is {written[:16]!r}..., this version's slots have {own[:16]!r}...: "
            "the trace was written with other slots"
        )


def _numbers(*values: float) -> bytes:
    return (np.round(np.array(values, "<f8"), _DIGITS) + 0.0).tobytes()  # + 0: a negative zero is zero


def _map_bytes(road: RoadMap) -> bytes:
    """The ids of a map's lanes, digested once for the maps used last."""
    kept = _MAPS.get(id(road))
    if kept is None:
        kept = road, hashlib.sha256("\n".join(road.lane_id).encode()).digest()
        _MAPS[id(road)] = kept
        while len(_MAPS) > 64:
            _MAPS.popitem(last=False)
    return kept[1]
