"""Files damaged in every way hypothesis comes up with: scenarios that make sense, or an error that names the file."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waytrace.formats import ReadOptions, find_sources, quality, read
from waytrace.formats.reader import Source
from waytrace.scenario import BadFileError

VERSIONS = ("2017a", "2018a", "2018b", "2020a")
SETTINGS = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@st.composite
def damages(draw):
    """A function from bytes to damaged bytes."""
    kind = draw(st.sampled_from(["flip", "cut", "zero", "insert", "repeat", "swap"]))
    places = draw(st.lists(st.floats(0, 0.999999), min_size=1, max_size=6))
    bits = draw(st.integers(0, 7))
    text = draw(st.binary(min_size=1, max_size=12))

    def damage(data: bytes) -> bytes:
        b = bytearray(data)
        at = [int(p * len(b)) for p in places]
        if kind == "flip":
            for i in at:
                b[i] ^= 1 << bits
        elif kind == "cut":
            del b[at[0] :]
        elif kind == "zero":
            b[at[0] : at[0] + 40] = bytes(len(b[at[0] : at[0] + 40]))
        elif kind == "insert":
            b[at[0] : at[0]] = text
        elif kind == "repeat":
            b[at[0] : at[0]] = b[at[0] : at[0] + 200]
        else:
            b[min(at) : max(at)] = b[min(at) : max(at)][::-1]
        return bytes(b)

    return damage


def check(source, options=None):
    """Reading must give sound scenarios or name the file."""
    scenarios, refusal = [], ""
    try:
        scenarios = read(source, options or ReadOptions())
    except BadFileError as error:
        refusal = str(error)
    assert bool(scenarios) != (str(source.path.parent) in refusal)
    for s in scenarios:
        assert s.agents.valid[s.ego_index, s.start_step]
        assert s.start_step <= s.end_step < s.steps
        for array in (s.agents.xy, s.agents.heading_rad, s.agents.velocity_mps, s.map.centre.xy, s.agents.size_m):
            assert np.isfinite(array).all()
    assert all(f["routes_connected"] == 1.0 and f["start_overlaps"] == 0 for f in quality(scenarios).values())


@SETTINGS
@given(damage=damages(), version=st.sampled_from(VERSIONS))
def test_damaged_commonroad_bytes(build, tmp_path, damage, version):
    path = tmp_path / "drive.xml"
    path.write_bytes(damage(build.commonroad_xml(version)))
    check(Source("commonroad", path))


NASTY = ("nan", "inf", "-1", "0", "1e999", "1e7", "-1e9", "", "text", "1e-300", "9" * 400, "3.7")


@SETTINGS
@given(
    seed=st.integers(0, 2**32), version=st.sampled_from(VERSIONS), ego=st.sampled_from(["recorded", "initial-state"])
)
def test_commonroad_elements_changed_removed_repeated_and_renamed(build, tmp_path, seed, version, ego):
    from lxml import etree

    rng = random.Random(seed)
    root = etree.fromstring(build.commonroad_xml(version))
    for _ in range(rng.choice([1, 1, 2, 4])):
        tags = sorted({e.tag for e in root.iter()})
        element = rng.choice(root.findall(f".//{rng.choice(tags)}") or [root])
        parent = element.getparent()
        deed = rng.choice(["text", "remove", "repeat", "attribute", "clear", "rename"])
        if deed == "text":
            element.text = rng.choice(NASTY)
        elif deed == "remove" and parent is not None:
            parent.remove(element)
        elif deed == "repeat" and parent is not None:
            parent.append(copy.deepcopy(element))
        elif deed == "attribute" and element.attrib:
            element.set(rng.choice(sorted(element.attrib)), rng.choice([*NASTY, "1", "101"]))
        elif deed == "clear":
            for child in list(element):
                element.remove(child)
        elif deed == "rename":
            element.tag = rng.choice(tags)
    path = tmp_path / "drive.xml"
    path.write_bytes(etree.tostring(root))
    check(Source("commonroad", path), ReadOptions(ego=ego))


class Drives:
    """Written once; a plain class, so that a failing example does not print the files."""

    def __init__(self, files: dict[Path, bytes], sources: list[Source]) -> None:
        self.files, self.sources = files, sources


@pytest.fixture(scope="module")
def av2(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("av2")
    build.write_forecasting(folder / "f")
    build.write_sensor(folder / "s")
    files = sorted(p for p in folder.rglob("*") if p.is_file() and "img_Sim2" not in p.name)
    return Drives({p: p.read_bytes() for p in files}, find_sources([folder]).sources)


@SETTINGS
@given(damage=damages(), which=st.integers(0, 4))
def test_damaged_argoverse_bytes(av2, damage, which):
    files, sources = av2.files, av2.sources
    path, good = list(files.items())[which]
    path.write_bytes(damage(good))
    try:
        for source in sources:
            check(source)
    finally:
        path.write_bytes(good)


@SETTINGS
@given(seed=st.integers(0, 2**32))
def test_argoverse_maps_with_strange_values(av2, seed):
    files, sources = av2.files, av2.sources
    rng = random.Random(seed)
    path = rng.choice([p for p in files if p.suffix == ".json"])
    tree = json.loads(files[path])
    strange = [None, -1, 0, 1e8, 1e300, "x", [], {}, True, [[1, 2]], {"x": 1}, "1", 2**70]
    for _ in range(rng.choice([1, 2, 4])):
        at = tree
        for _ in range(rng.randint(0, 4)):
            key = rng.choice(list(at)) if isinstance(at, dict) and at else rng.randrange(len(at)) if at else None
            if key is None or not isinstance(at[key], dict | list) or not at[key]:
                break
            at = at[key]
        key = rng.choice(list(at)) if isinstance(at, dict) else rng.randrange(len(at))
        if rng.random() < 0.2:
            del at[key]
        else:
            at[key] = copy.deepcopy(rng.choice(strange))
        if not tree or not isinstance(tree, dict):
            break
    path.write_text(json.dumps(tree))
    try:
        for source in sources:
            check(source)
    finally:
        path.write_bytes(files[path])
