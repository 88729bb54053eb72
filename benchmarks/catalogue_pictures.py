"""A picture of every family of the catalogue: three scenes each, as driven by the expert; writes ``docs/families.md``.

    python benchmarks/catalogue_pictures.py [FAMILY...] [--page docs/families.md]

Scenes are of split ``train``. Families that occur in split ``test`` alone are drawn with what is prepared in them and
driven by nobody. The last line of standard output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from html import escape
from pathlib import Path

import numpy as np

from scene_picture import picture, view
from waytrace.catalogue import families, generate, splits
from waytrace.catalogue.scenes import FAMILIES
from waytrace.evaluate.drive import drive
from waytrace.planners import make
from waytrace.scenario import Rollout, Scenario

FIRST_SEED = 900_000
"""Far from the seeds of suites."""
SCENES, SEARCHED = 3, 40

HEAD = """# The families in pictures

Made by `python benchmarks/catalogue_pictures.py`; not edited by hand. What the families draw, and from which ranges:
[the catalogue](catalogue.md).

Each picture shows the start of three scenes on three road layouts of split `train`. The ego heads to the right and is
blue, as are the way that the [expert](planners.md) drives, with a dot every 2 s, and the tint of its route. Orange is
what the scene is about: the way of who acts by a script, a ring where the ego's arrival sets it off, a dashed line
where someone is to walk; outlines show both where they come nearest to each other. Grey lines are the ways of the
others. Cars and vans are grey, trucks and buses violet, motorcycles red, cyclists green, pedestrians orange dots,
things brown. Lights show what they show at the start.
"""
UNDRIVEN = "Occurs in split `test` alone, so nobody drives it here: only what is prepared is drawn.\n"


def main() -> int:
    arguments = _arguments()
    folder = arguments.page.parent / "pictures" / "families"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        if old.stem not in families():
            old.unlink()
    sizes, parts = {}, [HEAD]
    for name in families():
        file = folder / f"{name}.svg"
        if name in arguments.families or not arguments.families:
            chosen = scenes(name)
            rollouts = driven(name, chosen)
            views = [view(s, r, caption(s)) for s, r in zip(chosen, rollouts, strict=True)]
            file.write_text(picture(f"Three scenes of the family {name}", views))
            print(f"{name}: {file.stat().st_size / 1000:.0f} kB", file=sys.stderr, flush=True)
        if file.exists():
            sizes[name] = file.stat().st_size
            parts.append(section(name))
    arguments.page.write_text("\n".join(parts))
    print(json.dumps({"families": len(sizes), "bytes": sizes, "page": str(arguments.page)}))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", help="draw these afresh (default: all)")
    parser.add_argument("--page", type=Path, default=Path("docs/families.md"))
    return parser.parse_args()


def scenes(family: str) -> list[Scenario]:
    """Three scenes on three layouts; where a family has variants, of as many of them as possible."""
    split = "train" if "train" in splits(family) else "test"
    kept: list[Scenario] = []
    spare: list[Scenario] = []
    for seed in range(FIRST_SEED, FIRST_SEED + SEARCHED):
        scene = generate(family, seed, split)
        if scene.cluster in {s.cluster for s in kept}:
            continue
        new = _variant(scene) not in {_variant(s) for s in kept}
        (kept if new else spare).append(scene)
        if len(kept) == SCENES:
            break
    places = {s.cluster for s in kept}
    for scene in spare:
        if len(kept) < SCENES and scene.cluster not in places:
            kept.append(scene)
            places.add(scene.cluster)
    return kept


def _variant(scene: Scenario) -> str:
    params = scene.provenance.details["params"]
    return " ".join(str(params[key]) for key in ("variant", "side", "way", "whole_lane") if key in params)


def driven(family: str, chosen: list[Scenario]) -> list[Rollout | None]:
    """What the expert drives, or nothing for families that nobody may look at in closed loop."""
    if "train" not in splits(family):
        return [None] * len(chosen)
    return [*drive(make("expert"), chosen, traffic="reactive")]


def caption(scene: Scenario) -> str:
    """A scene in a few words: id, variant, the ego's speed."""
    speed = 3.6 * float(np.hypot(*scene.agents.velocity_mps[scene.ego_index, scene.start_step]))
    variant = _variant(scene).replace("True", "whole lane").replace("False", "part of the lane")
    return escape(", ".join(part for part in (scene.id, variant, f"ego {speed:.0f} km/h") if part))


def section(name: str) -> str:
    """A family's part of the page: the first line of its module, and its picture."""
    line = (sys.modules[type(FAMILIES[name]).__module__].__doc__ or "").strip().splitlines()[0]
    what = line.partition(": ")[2] or line
    note = UNDRIVEN if "train" not in splits(name) else ""
    return f"## {name}\n\n{what[:1].upper()}{what[1:]}\n{note}\n![{name}](pictures/families/{name}.svg)\n"


if __name__ == "__main__":
    sys.exit(main())
