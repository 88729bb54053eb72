"""Does the trace pay? Own trace, none and another's, equal in all else: writes ``docs/trace-pays.md``.

    python benchmarks/trace_pays.py --samples STORE... --select STORE... [--minutes 110] [--folder runs/trace-pays]
    python benchmarks/trace_pays.py --page-only        # the page of what is there; the rest says "not run"

Three arms (``train sft --set trace=...``) times three seeds, each driven on the same scenes of suite ``pr``. Repeating
the command goes on where it was cut off, stage by stage. The last line of standard output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pays_counts import Driven
from pays_page import page, summary
from waytrace.evaluate import evaluate
from waytrace.learn.closed_loop import scenes
from waytrace.learn.config import SftConfig
from waytrace.learn.sft import train_sft
from waytrace.learn.stages import OutOfTimeError, Stages
from waytrace.microgpt.checkpoint import checkpoint_hash
from waytrace.scenario import WaytraceError

ROOT = Path(__file__).resolve().parent.parent
BATCH = 64
ARMS = ("own", "none", "shuffled")
DRIVES = (("own", "trace"), ("own", "fast"), ("none", "fast"), ("shuffled", "trace"))
"""Arm and mode: what is driven. The own arm twice, to tell reading a trace from having learned with one."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", nargs="*", default=[], help="stores of samples of split train")
    parser.add_argument("--select", nargs="*", default=[], help="stores of samples of split select")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "trace-pays", help="where all of it is kept")
    parser.add_argument("--size", default="nano")
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scenes", type=int, default=120, help="scenes of suite pr, evenly taken")
    parser.add_argument("--minutes", type=float, default=0.0, help="what this piece may take (default: no limit)")
    parser.add_argument("--workers", type=int, default=1, help="worker processes of a drive")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="further settings of all trainings")
    parser.add_argument("--page-only", action="store_true", help="run nothing, write the page")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "trace-pays.md")
    given = parser.parse_args()
    if not given.samples and not given.page_only:
        parser.error("name at least one store of samples (--samples), or write the page alone (--page-only)")
    note = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
    try:
        stages = Stages(given.folder, minutes=given.minutes, note=note)
        if not given.page_only:
            matrix(stages, experiment(given), given.seeds, given.scenes, given.workers)
    except OutOfTimeError as error:
        note(str(error))
    except WaytraceError as error:
        print(f"trace_pays: {error}", file=sys.stderr)
        return 2
    stamps = stages.stamps()
    driven, trained = found(stamps, given.seeds), trainings(stamps, given.seeds)
    about = settled(stamps) or {"size": given.size, "steps": given.steps, "batch": BATCH, "scenes": given.scenes}
    about["seeds"] = given.seeds
    given.page.write_text(page(driven, trained, about))
    print(json.dumps(summary(driven)))
    return 0


def experiment(given: argparse.Namespace) -> SftConfig:
    """What all arms have in common."""
    from waytrace.learn.config import with_settings

    base = SftConfig(
        samples=tuple(given.samples), select=tuple(given.select), size=given.size, steps=given.steps, batch=BATCH,
        lr=2e-3, warmup=min(300, given.steps // 4), precision="bf16", ema=0.998,
        eval_every=min(1_000, given.steps),
    )  # fmt: skip
    return with_settings(base.to_json(), tuple(given.set))


def matrix(stages: Stages, base: SftConfig, seeds: int, count: int, workers: int) -> None:
    """Every arm with every seed, seed by seed, so that what a cut leaves is whole comparisons."""
    for seed in range(seeds):
        for arm in ARMS:
            checkpoint = trained(stages, replace(base, trace=arm, seed=seed), f"{arm}-{seed}")
            for mode in (mode for name, mode in DRIVES if name == arm):
                drive(stages, checkpoint, f"{arm}-{mode}-{seed}", mode, count, workers)


def trained(stages: Stages, config: SftConfig, name: str) -> Path:
    """The last checkpoint of one training: all arms make equally many steps, and no loss of their own chooses one."""
    run = stages.folder / "runs" / name

    def learn() -> Mapping[str, Any]:
        done = train_sft(replace(config, minutes=stages.minutes_left), run, note=stages.note)
        if not done.finished:
            raise OutOfTimeError(f"{name}: {done.ended}")
        apart = done.figures.get("waypoint_m", {})
        return {"checkpoint": str(done.checkpoint), "step": done.step, "waypoint_m": apart}

    return Path(stages.run(f"train-{name}", config.identity(), learn)["checkpoint"])


def drive(stages: Stages, checkpoint: Path, name: str, mode: str, count: int, workers: int) -> None:
    """Scores scene by scene."""

    def driven() -> Mapping[str, Any]:
        suite = scenes(count)
        result = evaluate(
            f"{checkpoint}:{mode}:once", suite, out=stages.folder / "drives" / name, workers=workers, overwrite=False,
            progress=stages.advance,
        )  # fmt: skip
        rows = {
            row["id"]: [row["score"], row["terms"].get("NC", 1.0) < 1.0, row["cluster"], row["oracle"]["clean"]]
            for row in result.meta["scenarios"]
        }
        return {"rows": rows, "failed": len(result.errors), "suite": suite.sha256}

    stages.run(f"drive-{name}", {"checkpoint": checkpoint_hash(checkpoint), "mode": mode, "scenes": count}, driven)


def settled(stamps: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with which the experiment was begun; empty where it was not."""
    learned = [stamp["settings"] for name, stamp in stamps.items() if name.startswith("train-")]
    drives = [stamp["settings"] for name, stamp in stamps.items() if name.startswith("drive-")]
    if not learned:
        return {}
    return {key: learned[0][key] for key in ("size", "steps", "batch")} | {
        "scenes": drives[0]["scenes"] if drives else "(not yet)"
    }


def found(stamps: Mapping[str, Any], seeds: int) -> dict[tuple[str, str], Driven]:
    """By arm and mode what was driven; only of seeds whose drives have ended."""
    out: dict[tuple[str, str], Driven] = {}
    for arm, mode in DRIVES:
        figures = {s: stamps.get(f"drive-{arm}-{mode}-{s}", {}).get("figures") for s in range(seeds)}
        out[arm, mode] = Driven.of({s: f for s, f in figures.items() if f is not None})
    return out


def trainings(stamps: Mapping[str, Any], seeds: int) -> dict[str, list[dict[str, Any]]]:
    """By arm the trainings that have ended: their figures and the seconds they took."""
    return {
        arm: [
            stamp["figures"] | {"seconds": stamp["seconds"]}
            for s in range(seeds) if "figures" in (stamp := stamps.get(f"train-{arm}-{s}", {}))
        ] for arm in ARMS
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
