"""From a family, a split and a seed to a :class:`Scenario`: the same bits every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from waytrace.scenario import DT_S, SPLITS, Lights, Provenance, Route, Scenario, WaytraceError

from .cast import START_STEP, Composition, NoSceneError
from .draws import Draw
from .layouts import Layout
from .scenes import FAMILIES, TEST_ONLY, Family

_ATTEMPTS = 200

__all__ = ["SPLITS", "CatalogueError", "families", "generate", "generate_many", "layout_count", "splits"]


class CatalogueError(WaytraceError):
    """A family, split or seed that the catalogue does not have."""


def families(split: str | None = None) -> tuple[str, ...]:
    """Names of the procedural families: all of them, or those of one split. Some occur in ``test`` alone."""
    if split is None:
        return tuple(FAMILIES)
    _check_split(split)
    return tuple(name for name in FAMILIES if split == "test" or name not in TEST_ONLY)


def splits(family: str) -> tuple[str, ...]:
    """The splits that have a family: all three, or ``test`` alone."""
    return tuple(split for split in SPLITS if _family(family).name in families(split))


def layout_count(family: str) -> int:
    """Road layouts that a family has in each split."""
    return _family(family).layouts


def generate(family: str, seed: int, split: str = "train") -> Scenario:
    """One procedural scenario: 1 s of past, the start, and an episode with no recorded future.

    A scene depends on (family, version, split, seed) alone. Splits share neither seeds nor road layouts. Raises
    :class:`CatalogueError` for an unknown family or split, a family that the split does not have, or a negative seed.
    """
    chosen = _family(family)
    if family not in families(split):
        raise CatalogueError(
            f"Family {family!r} occurs in split 'test' only, so that nothing is trained or tuned on it."
        )
    if seed < 0:
        raise CatalogueError(f"A seed is a whole number from 0 on, not {seed}.")
    root = Draw(f"{chosen.name}@{chosen.version}/{split}")
    index = root.sub("scene", seed).integer("layout", chosen.layouts)
    layout = _layout(chosen.name, split, index)
    for attempt in range(_ATTEMPTS):
        try:
            scene = chosen.compose(root.sub("scene", seed, attempt), layout)
        except NoSceneError:
            continue
        return _scenario(chosen, split, seed, layout, scene)
    raise RuntimeError(f"{chosen.name}/{split}/{seed}: no draw of {_ATTEMPTS} made a scene; its ranges contradict")


def generate_many(
    count: int, families: Sequence[str] | None = None, split: str = "train", seed: int = 0
) -> Iterator[Scenario]:
    """``count`` scenarios, one family after the other in turn; seeds from ``seed`` on. Made one at a time.

    Without ``families`` all of the split's.
    """
    names = tuple(families) if families is not None else _families(split)
    if count < 0 or not names:
        raise CatalogueError("Ask for a count from 0 on and for at least one family.")
    for name in names:
        _family(name)
    return (generate(names[i % len(names)], seed + i // len(names), split) for i in range(count))


_families = families


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise CatalogueError(f"There is no split {split!r}; the splits are {', '.join(SPLITS)}.")


def _family(name: str) -> Family:
    if name not in FAMILIES:
        raise CatalogueError(f"There is no family {name!r}; the families are {', '.join(FAMILIES)}.")
    return FAMILIES[name]


@lru_cache(maxsize=256)
def _layout(name: str, split: str, index: int) -> Layout:
    family = FAMILIES[name]
    draw = Draw(f"{name}@{family.version}/{split}/layout/{index}")
    return family.layout(f"{name}/{split}/layout-{index:02d}@{family.version}", index, draw)


def _scenario(family: Family, split: str, seed: int, layout: Layout, scene: Composition) -> Scenario:
    end = START_STEP + round(scene.duration_s / DT_S)
    details: dict[str, Any] = {
        "family": family.name, "version": family.version, "split": split, "seed": seed, "layout": layout.figures,
        "params": scene.params, "preventable": next(iter(scene.preventable.values()), None),
        "preventable_by": next(iter(scene.preventable), "oracle"), "preventable_models": scene.preventable,
    }  # fmt: skip
    lights = scene.programme.lights(layout.map, end + 1) if scene.programme is not None else Lights.none(end + 1)
    return Scenario(
        id=f"{family.name}/{split}/{seed:06d}@{family.version}",
        source="catalogue",
        map=layout.map,
        lights=lights,
        agents=scene.cast.agents(end + 1),
        ego_index=0,
        route=Route(tuple(tuple(group) for group in scene.route)),
        start_step=START_STEP,
        end_step=end,
        provenance=Provenance(
            licence="Apache-2.0",
            attribution="Waytrace procedural catalogue",
            reader="catalogue",
            details=_plain(details),
        ),
        family=family.name,
        cluster=layout.key,
        scripts=tuple(scene.cast.scripts),
        agent_route=scene.cast.routes(),
    )


def _plain(value: Any) -> Any:
    """The same with every float rounded to six digits after the point, as JSON writes it back."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return round(value, 6) if isinstance(value, float) else value
