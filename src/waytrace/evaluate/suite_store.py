"""From a suite to a store of its scenarios, generated once into the cache folder and checked against the suite."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np

from waytrace.catalogue import generate
from waytrace.scenario import Scenario, scenario_hash
from waytrace.scenario.store import ScenarioStore, ScenarioWriter

from .reference import Reference, cache_folder
from .suites import HASH_DIGITS, Suite, SuiteError, SuiteScene

REFERENCES = "references.json"


def suite_store(
    suite: Suite, drives: str | Path | None = None, *, note: Callable[[str], None] | None = None
) -> tuple[Path, Path]:
    """Paths of the store that holds the scenes of ``suite`` and of the file with their references.

    Generated scenes are generated, at first use; recorded drives are taken from the store ``drives``. ``note`` is told
    when a suite is being made. Raises :class:`SuiteError` where a scenario is missing or is not the frozen one.
    """
    folder = cache_folder() / "suites" / f"{suite.name}-{suite.sha256[:12]}"
    store, references = folder / "scenarios", folder / REFERENCES
    if not references.exists():
        if note:
            note(f"making suite {suite.name}: {len(suite.scenes)} scenes into {folder}")
        folder.mkdir(parents=True, exist_ok=True)
        with ScenarioWriter(store, overwrite=True) as writer:
            for scene, scenario in zip(suite.scenes, _scenarios(suite, drives), strict=True):
                writer.add(_checked(suite, scene, scenario))
        temporary = references.with_name(f".{REFERENCES}.{os.getpid()}")
        temporary.write_text(json.dumps({scene.key: asdict(scene.reference) for scene in suite.scenes}))
        temporary.replace(references)
    return store, references


def in_style(scenario: Scenario, style: str) -> Scenario:
    """The scenario as its traffic drives in ``style``, with the style in its id unless it is the normal one."""
    if style == "normal":
        return scenario
    assertive = np.full(len(scenario.agents), style == "assertive")
    return scenario.with_(id=f"{scenario.id}+{style}", assertive=assertive)


def generated(id: str) -> Scenario:
    """A catalogue scenario by its id, with its version or without.

    Raises :class:`SuiteError` where this catalogue makes another version of it.
    """
    try:
        family, split, rest = id.split("/")
        seed, _, version = rest.partition("@")
        scenario = generate(family, int(seed), split)
    except ValueError as error:
        raise SuiteError(f"{id!r} is no id of a generated scenario (family/split/seed@version).") from error
    if version and scenario.id != id:
        raise SuiteError(
            f"Scenario {id!r} was frozen with version {version} of its family; this package makes {scenario.id!r}. "
            "Use the package that the suite belongs to, or freeze the suite again."
        )
    return scenario


@lru_cache(maxsize=4)
def load_references(path: str) -> dict[str, Reference]:
    """Scenario id to reference, as :func:`suite_store` wrote them."""
    return {name: Reference(**record) for name, record in json.loads(Path(path).read_text()).items()}


def _scenarios(suite: Suite, drives: str | Path | None) -> Iterator[Scenario]:
    store = None
    if not suite.generated:
        if drives is None:
            raise SuiteError(
                f"Suite {suite.name} consists of recorded drives, which do not come with the package: "
                "import them (`waytrace scenarios import`) and name the store with --scenarios."
            )
        store = ScenarioStore.open(drives)
        missing = [scene.id for scene in suite.scenes if "@" not in scene.id and scene.id not in store.ids]
        if missing:
            raise SuiteError(
                f"{store.path} lacks {len(missing)} of the {len(suite.scenes)} drives of suite {suite.name}: "
                f"{', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}."
            )
    for scene in suite.scenes:
        scenario = generated(scene.id) if store is None or "@" in scene.id else store[scene.id]
        yield in_style(scenario, scene.style)


def _checked(suite: Suite, scene: SuiteScene, scenario: Scenario) -> Scenario:
    found = scenario_hash(scenario)
    if not found.startswith(scene.content):
        raise SuiteError(
            f"Scenario {scene.key!r} is not the one that suite {suite.name} was frozen with: hash "
            f"{found[:HASH_DIGITS]}, not {scene.content}. Use the package (or import) that the suite belongs to, or "
            "freeze the suite again."
        )
    return scenario


__all__ = ["generated", "in_style", "load_references", "suite_store"]
