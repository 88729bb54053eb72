"""A family that a planner has never seen, and what adapters reach there: writes ``docs/adapting-figures.md``.

    python benchmarks/adapting.py [--family unprotected-left] [--minutes 110] [--folder runs/adapting]

A planner learns from every family but one. Then it learns that family too, with all of its weights and with adapters of
rank 8 over a frozen base: same samples, steps and seeds. All drive scenes of the family (split select, frozen by the
oracle in the experiment's folder) and scenes of the others. Repeating the command goes on where it was cut off. The
last line of standard output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapting_page import page, summary
from waytrace.catalogue import families, generate_many
from waytrace.evaluate import Suite, evaluate, load_suite
from waytrace.evaluate.freeze import freeze_store
from waytrace.learn.config import SftConfig
from waytrace.learn.dagger import Drives, collected
from waytrace.learn.launch import train_together
from waytrace.learn.stages import OutOfTimeError, Stages
from waytrace.microgpt.checkpoint import checkpoint_hash, read_checkpoint, write_checkpoint
from waytrace.model.lora import SCENE_TARGETS, TARGETS
from waytrace.scenario import WaytraceError
from waytrace.scenario.store import ScenarioWriter

ROOT = Path(__file__).resolve().parent.parent
BASE = SftConfig(
    samples=("filled in",), size="micro", steps=3_000, optimiser="muon", muon_lr=1.5, lr=2e-3, warmup=300,
    precision="bf16", ema=0.998, eval_every=1_000, eval_samples=512,
)  # fmt: skip
WAYS: dict[str, dict[str, Any]] = {
    "full": {"lr": 1e-3, "optimiser": "muon", "muon_lr": 1.5},
    "lora": {
        "lr": 2e-3, "optimiser": "muon", "muon_lr": 1.5, "lora_rank": 8, "rslora": True,
        "lora_targets": (*TARGETS, *SCENE_TARGETS),
    },
}  # fmt: skip
"""How the family is learned: all weights, or adapters over layers and scene encoder (docs/experiments.md says why)."""


@dataclass(frozen=True)
class Experiment:
    """Who learns what, and how much of it."""

    family: str = "unprotected-left"
    steps: int = 1_500
    """Of learning the family."""
    seeds: int = 1
    scenes: int = 120
    """Of the family, and about as many of all others."""
    share: float = 1.0
    """Of drives, steps and scenes: below 1 a rehearsal."""

    def sized(self, count: int) -> int:
        """So many, or fewer in a rehearsal."""
        return max(4, round(self.share * count))

    @property
    def others(self) -> tuple[str, ...]:
        """The families that the base learns."""
        return tuple(name for name in families("train") if name != self.family)

    def drives(self) -> dict[str, Drives]:
        """What is learned from: the base from the others' drives, the family from all of these."""
        one = (self.family,)
        return {
            "others-expert": Drives("others-expert", "expert", self.sized(480), 500_000, families=self.others),
            "others-perturbed": Drives("others-perturbed", "perturbed", self.sized(720), 510_000, families=self.others),
            "family-expert": Drives("family-expert", "expert", self.sized(120), 520_000, families=one),
            "family-perturbed": Drives("family-perturbed", "perturbed", self.sized(180), 530_000, families=one),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", default=Experiment.family, help="what the base has never seen")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "adapting", help="where all of it is kept")
    parser.add_argument("--minutes", type=float, default=0.0, help="what this piece may take (default: no limit)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--processes", type=int, default=2, help="processes that train together")
    parser.add_argument("--seeds", type=int, default=Experiment.seeds, help="trainings of each way")
    parser.add_argument("--share", type=float, default=1.0, help="of drives, steps and scenes: a rehearsal below 1")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "adapting-figures.md")
    given = parser.parse_args()
    if given.family not in families("train"):
        parser.error(f"--family {given.family}: there are {', '.join(families('train'))}")
    plan = Experiment(given.family, seeds=given.seeds, share=given.share)
    note = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
    stages = Stages(given.folder, minutes=given.minutes, note=note)
    try:
        run(plan, stages, given.workers, given.processes)
    except OutOfTimeError as error:
        note(str(error))
        return 0
    except WaytraceError as error:
        print(f"adapting: {error}", file=sys.stderr)
        return 2
    stamps = stages.stamps()
    given.page.write_text(page(stamps, plan.family, plan.seeds))
    print(json.dumps(summary(stamps, plan.seeds)))
    return 0


def run(plan: Experiment, stages: Stages, workers: int, processes: int) -> None:
    """Base, ways and drives, each stage once."""
    stores = {name: collected(stages, drives, workers) for name, drives in plan.drives().items()}
    new = frozen(plan, stages, workers)
    old = others(plan)
    steps = plan.sized(BASE.steps)
    base_config = replace(
        BASE, samples=(stores["others-expert"], stores["others-perturbed"]), steps=steps,
        warmup=min(BASE.warmup, steps // 4), size="micro" if plan.share == 1.0 else "nano",
    )  # fmt: skip
    base = trained(stages, base_config, "base", processes)
    driven(stages, base, "base", new, old, workers)
    learned = tuple(stores.values())
    for seed in range(plan.seeds):
        for way, settings in WAYS.items():
            steps = plan.sized(plan.steps)
            config = replace(
                base_config, **settings, samples=learned, init=str(base), steps=steps, warmup=min(100, steps // 4),
                eval_every=steps, seed=seed,
            )  # fmt: skip
            checkpoint = trained(stages, config, f"{way}-{seed}", processes)
            driven(stages, checkpoint, f"{way}-{seed}", new, old, workers)
            sizes(stages, checkpoint, f"{way}-{seed}")


def frozen(plan: Experiment, stages: Stages, workers: int) -> Suite:
    """Scenes of the family, of split select: the oracle says which can be driven, and how far one gets."""
    file = stages.folder / "family.suite"

    def freeze() -> Mapping[str, Any]:
        store = stages.folder / "family-store"
        with ScenarioWriter(store, overwrite=True) as writer:
            for scenario in generate_many(plan.sized(plan.scenes), (plan.family,), "select", 2_000):
                writer.add(scenario)
        about = f"{plan.family}: scenes that no training has seen"
        suite = freeze_store("family", about, store, workers=workers, progress=stages.advance)
        file.write_text(suite.text())
        return {"scenes": len(suite.scenes), "sha256": suite.sha256}

    stages.run("scenes-family", {"family": plan.family, "scenes": plan.sized(plan.scenes)}, freeze)
    return load_suite(file)


def others(plan: Experiment) -> Suite:
    """Scenes of ``pr`` of all other families, the first of each."""
    whole = load_suite("pr")
    kept = [scene for scene in whole.scenes if scene.id.split("/")[0] != plan.family]
    count = plan.sized(len(plan.others) * (1 + plan.scenes // len(plan.others)))
    return replace(whole, name="others", about=f"pr without {plan.family}", scenes=tuple(kept[:count]))


def trained(stages: Stages, config: SftConfig, name: str, processes: int) -> Path:
    """The last checkpoint of a training: none is chosen."""
    run = stages.folder / "runs" / name

    def learn() -> Mapping[str, Any]:
        done = train_together(replace(config, minutes=stages.minutes_left), run, processes, stages.note)
        if not done.finished:
            raise OutOfTimeError(f"{name}: {done.ended}")
        return {"checkpoint": str(done.checkpoint), "step": done.step}

    return Path(stages.run(f"train-{name}", config.identity() | {"processes": processes}, learn)["checkpoint"])


def driven(stages: Stages, checkpoint: Path, name: str, new: Suite, old: Suite, workers: int) -> None:
    """Scores scene by scene, of the family and of the others."""
    for where, suite in (("new", new), ("old", old)):

        def drive(suite: Suite = suite, where: str = where) -> Mapping[str, Any]:
            result = evaluate(
                f"{checkpoint}:once", suite, out=stages.folder / "drives" / f"{name}-{where}", workers=workers,
                overwrite=False, progress=stages.advance,
            )  # fmt: skip
            rows = {
                row["id"]: [row["score"], row["terms"].get("NC", 1.0) < 1.0, row["cluster"], row["oracle"]["clean"]]
                for row in result.meta["scenarios"]
            }
            return {"rows": rows, "failed": len(result.errors)}

        settings = {"checkpoint": checkpoint_hash(checkpoint), "suite": suite.sha256}
        stages.run(f"drive-{name}-{where}", settings, drive)


def sizes(stages: Stages, checkpoint: Path, name: str) -> None:
    """Bytes of the adapters' weights, and of all weights merged into one."""

    def measure() -> Mapping[str, Any]:
        read = read_checkpoint(checkpoint)
        merged = stages.folder / "merged" / name
        if not merged.exists():
            merged.parent.mkdir(parents=True, exist_ok=True)
            write_checkpoint(merged, read.parameters, read.config)
        adapter = sum(file.stat().st_size for file in (checkpoint / "adapter").glob("*.safetensors"))
        return {"adapter": adapter, "merged": sum(file.stat().st_size for file in merged.rglob("*.safetensors"))}

    stages.run(f"size-{name}", {"checkpoint": checkpoint_hash(checkpoint)}, measure)


if __name__ == "__main__":
    sys.exit(main())
