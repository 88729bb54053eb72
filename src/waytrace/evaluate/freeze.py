"""Freezing a suite: the oracle drives every scene, and what it makes of them is written down for good."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from waytrace.catalogue import families
from waytrace.scenario import SPLITS, Purpose, Scenario, scenario_hash, split_of
from waytrace.scenario.splits import ALLOWED
from waytrace.scenario.store import ScenarioStore

from .digest import code_digest
from .reference import reference
from .suite_store import generated, in_style
from .suites import HASH_DIGITS, Suite, SuiteError, SuiteScene

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Recipe:
    """What one of the package's suites consists of."""

    about: str
    split: str
    per_family: int
    styles: tuple[str, ...] = ("normal",)


RECIPES: dict[str, Recipe] = {
    "pr": Recipe("before a merge: every family of split select", "select", 34),
    "nightly": Recipe("every night: split select, traffic in both styles", "select", 167, ("normal", "assertive")),
    "heldout": Recipe("for reported figures: every family of split test, two of them only there", "test", 30),
}  # fmt: skip
SMOKE = 40
"""Scenes of ``smoke``: the first of ``pr``."""


@dataclass(frozen=True)
class _Ask:
    id: str
    style: str
    traffic: str
    seed: int
    store: str = ""


def recipe_ids(recipe: Recipe) -> list[str]:
    """Ids of a recipe's scenes, the families in turn, without their versions' ``@``: ``family/split/seed``."""
    return [
        f"{family}/{recipe.split}/{seed:06d}" for seed in range(recipe.per_family) for family in families(recipe.split)
    ]


def freeze_recipe(name: str, *, workers: int = 1, progress: Progress | None = None) -> Suite:
    """One of :data:`RECIPES`, frozen with the code at hand. Interrupted, it goes on from the reference cache."""
    recipe = RECIPES[name]
    asks = [_Ask(id, style, "mixed", 0) for id in recipe_ids(recipe) for style in recipe.styles]
    return _frozen(name, recipe.about, (recipe.split,), asks, workers, progress)


def freeze_store(
    name: str, about: str, store: str | Path, *, purpose: Purpose | str | None = None, workers: int = 1,
    progress: Progress | None = None,
) -> Suite:  # fmt: skip
    """A suite of the scenarios of a store: those outside ``train``, or those that may be used for ``purpose``."""
    opened = ScenarioStore.open(Path(store).absolute())
    wanted = ("select", "test") if purpose is None else ALLOWED[Purpose(purpose)]
    kept = {id: split for id in opened.ids if (split := split_of(opened[id])) in wanted}
    if not kept:
        raise SuiteError(f"{opened.path} holds no scenario of split {' or '.join(wanted)}.")
    splits = tuple(split for split in SPLITS if split in kept.values())
    asks = [_Ask(id, "normal", "mixed", 0, str(opened.path)) for id in kept]
    return _frozen(name, about, splits, asks, workers, progress)


def _frozen(
    name: str, about: str, splits: tuple[str, ...], asks: Sequence[_Ask], workers: int, progress: Progress | None
) -> Suite:
    scenes = []
    for done, scene in enumerate(_driven(asks, workers), start=1):
        scenes.append(scene)
        if progress:
            progress(done, len(asks), scene.key)
    return Suite(name, about, splits, asks[0].traffic, asks[0].seed, code_digest()[:HASH_DIGITS], tuple(scenes))


def _driven(asks: Sequence[_Ask], workers: int) -> Iterable[SuiteScene]:
    if workers <= 1:
        yield from map(_scene, asks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_scene, asks, chunksize=2)


def _scene(ask: _Ask) -> SuiteScene:
    scenario = in_style(_scenario(ask), ask.style)
    content = scenario_hash(scenario)
    found = reference(scenario, content, traffic=ask.traffic, style="normal", seed=ask.seed)
    plain = scenario.id.removesuffix(f"+{ask.style}")
    return SuiteScene(
        plain, ask.style, content[:HASH_DIGITS], found.clean, round(found.progress_m, 3), round(found.score, 5),
        found.preventable,
    )  # fmt: skip


def _scenario(ask: _Ask) -> Scenario:
    return ScenarioStore.open(ask.store)[ask.id] if ask.store else generated(ask.id)
