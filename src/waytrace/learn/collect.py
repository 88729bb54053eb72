"""Collecting samples: many drives, in worker processes, resumable shard by shard."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from waytrace.catalogue import families as families_of
from waytrace.catalogue import generate
from waytrace.evaluate import load_planner
from waytrace.label import LabelStore
from waytrace.label.crew import work
from waytrace.label.drive import Driver
from waytrace.microgpt import feature_hash
from waytrace.scenario import Scenario, WaytraceError
from waytrace.scenario.folders import claim, write_json
from waytrace.scenario.revision import code_digest
from waytrace.scenario.roads import RoadCache
from waytrace.scenario.splits import Purpose, permit
from waytrace.scenario.store import ScenarioStore
from waytrace.trace import TraceError, vocabulary_hash

from .drivers import Learner, Noise, Perturbed, generator, off_course
from .drives import drive_samples, samples_of
from .packing import pack
from .sample import DRIVERS, Sample
from .samples import FORMAT, SampleStore
from .shard import FEATURE_SHAPES, write_shard

SHARD_DRIVES = 16
AGAIN = "Give another folder, or --overwrite to start afresh there."

Progress = Callable[[int, int, str], None]
"""Called with drives done, drives in all, and the id that came to an end last."""


class CollectError(WaytraceError):
    """Samples cannot be collected. The message says why and what would do."""


@dataclass(frozen=True)
class Setup:
    """What every task of a collection has in common; plain values, so that it travels as JSON."""

    shards: str
    driver: str = "expert"
    """``expert``, ``perturbed`` or ``policy``."""
    planner: str = ""
    """Who drives as ``policy``: anything that ``load_planner`` takes."""
    store: str = ""
    """Scenario store; empty for the catalogue."""
    labels: str = ""
    """Label store to make samples from, without asking the expert."""
    purpose: str = "train"
    share: float = Noise.share
    every_s: float = 0.5
    traffic: str = "mixed"
    style: str = "normal"
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def collect(
    out: str | Path, *, driver: str = "expert", planner: str = "", scenarios: str | Path = "", labels: str | Path = "",
    families: Sequence[str] | None = None, split: str = "train", first_seed: int = 400_000, count: int | None = None,
    purpose: Purpose | str = Purpose.TRAIN, share: float = Noise.share, every_s: float = 0.5, traffic: str = "mixed",
    style: str = "normal", seed: int = 0, workers: int = 2, overwrite: bool = False, progress: Progress | None = None,
) -> SampleStore:  # fmt: skip
    """Drive, ask the expert at every decision, and leave a folder of samples at ``out``.

    Drives are of the scenarios of a store (the first ``count`` of them), or of the catalogue: ``count`` of them, the
    families in turn, seeds from ``first_seed`` on. With ``labels`` those of a label store are driven again and nobody
    is asked. ``purpose`` says what the samples are for: a scenario of a split that must not be used for it is an
    error. An interrupted collection is continued by the same call; what it leaves does not depend on ``workers``.
    """
    if driver not in DRIVERS[:3]:
        raise CollectError(f"There is no driver {driver!r}; there are {', '.join(DRIVERS[:3])}.")
    if (driver == "policy") != bool(planner):
        raise CollectError("The driver 'policy' needs a planner that drives, and no other driver has one.")
    if labels and not scenarios:
        raise CollectError("Labels are driven again in their scenarios: say which store holds them.")
    if planner and getattr(load_planner(planner), "privileged", False):
        raise CollectError(f"Planner {planner!r} is privileged: it may know the future, and a learner must not.")
    folder = Path(out).absolute()
    setup = Setup(
        str(folder / "shards"), driver, planner, str(Path(scenarios).absolute()) if scenarios else "",
        str(Path(labels).absolute()) if labels else "", str(Purpose(purpose)), share, every_s, traffic, style, seed,
    )  # fmt: skip
    ids = _ids(setup, families, split, first_seed, count)
    if overwrite:
        shutil.rmtree(folder / "shards", ignore_errors=True)
        for name in ("run.json", "manifest.json"):
            (folder / name).unlink(missing_ok=True)
    settings = {name: value for name, value in setup.to_json().items() if name != "shards"} | {
        "split": split, "first_seed": first_seed, "families": list(families) if families is not None else None,
        "features": feature_hash(), "vocabulary": vocabulary_hash(),
    }  # fmt: skip
    claim(folder, settings, holds="samples", again=AGAIN, error=CollectError)
    (folder / "shards").mkdir(exist_ok=True)
    tasks = {f"{k // SHARD_DRIVES:06d}": ids[k : k + SHARD_DRIVES] for k in range(0, len(ids), SHARD_DRIVES)}
    entries = {name: entry for name, task in tasks.items() if (entry := _finished(folder, name, task)) is not None}
    done = sum(len(tasks[name]) for name in entries)
    todo = {name: task for name, task in tasks.items() if name not in entries}
    for name, entry in work(
        "waytrace.learn.worker", setup.to_json(), todo, runner(setup), folder, workers
    ):  # fmt: skip
        entries[name] = entry
        done += len(tasks[name])
        if progress:
            progress(done, len(ids), tasks[name][-1])
    write_json(folder / "manifest.json", _manifest(settings, [entries[name] for name in tasks]))
    return SampleStore.open(folder)


def _ids(
    setup: Setup, families: Sequence[str] | None, split: str, first_seed: int, count: int | None
) -> list[str]:  # fmt: skip
    """What is to be driven: ids of a store, or ``family/split/seed``."""
    if setup.labels:
        return list(LabelStore.open(setup.labels).scenarios)[:count]
    if setup.store:
        return list(ScenarioStore.open(setup.store).ids)[:count]
    if count is None:
        raise CollectError("Say how many drives of the catalogue (count).")
    names = tuple(families) if families is not None else families_of(split)
    return [f"{names[i % len(names)]}/{split}/{first_seed + i // len(names)}" for i in range(count)]


def runner(setup: Setup) -> Callable[[str, list[str]], dict[str, Any]]:
    """What does the tasks of a collection."""
    store = ScenarioStore.open(setup.store) if setup.store else None
    labels = LabelStore.open(setup.labels) if setup.labels else None
    planner = load_planner(setup.planner) if setup.planner else None

    def found(id: str) -> Scenario:
        if store is not None:
            return store[id]
        family, split, seed = id.split("/")
        return generate(family, int(seed), split)

    def run(name: str, ids: list[str]) -> dict[str, Any]:
        samples: list[Sample] = []
        counts: dict[str, Counter[str]] = {}
        failed: dict[str, str] = {}
        for scenario in permit(map(found, ids), setup.purpose):
            tally = counts.setdefault(scenario.family or scenario.source, Counter())
            try:
                if labels is not None:
                    samples += samples_of(labels, scenario, tally)
                else:
                    samples += _driven(setup, scenario, planner, tally)
            except (WaytraceError, TraceError) as problem:
                failed[scenario.id] = f"{type(problem).__name__}: {problem}"
                tally["failed"] += 1
        ids_seen = list(dict.fromkeys(sample.scenario for sample in samples))
        plain = {family: dict(tally) for family, tally in counts.items()}
        extra = {"ids": ids, "failed": failed, "code": code_digest()[:16]}
        return write_shard(Path(setup.shards) / f"{name}.safetensors", pack(samples, ids_seen), ids_seen, plain, extra)

    return run


def _driven(setup: Setup, scenario: Scenario, planner: Any, tally: Counter[str]) -> Iterator[Sample]:
    """The samples of a drive that is made now."""
    driver: Driver | None = None
    if setup.driver == "perturbed":
        noise, random = Noise(share=setup.share), generator(setup.seed, scenario.id, "perturbed")
        scenario, driver = off_course(scenario, noise, random), Perturbed(noise, random)
    elif setup.driver == "policy":
        driver = Learner(planner, scenario.id)
    return drive_samples(
        scenario, setup.driver, driver, tally=tally, every_s=setup.every_s, traffic=setup.traffic, style=setup.style,
        seed=setup.seed, roads=RoadCache(),
    )  # fmt: skip


def _finished(folder: Path, name: str, ids: list[str]) -> dict[str, Any] | None:
    """The entry of a shard that is there whole and holds these drives."""
    note, shard = folder / "shards" / f"{name}.json", folder / "shards" / f"{name}.safetensors"
    if not note.exists() or not shard.exists():
        return None
    entry: dict[str, Any] = json.loads(note.read_text())
    return entry if shard.stat().st_size == entry["bytes"] and entry["ids"] == ids else None


def _manifest(settings: dict[str, Any], entries: list[dict[str, Any]]) -> dict[str, Any]:
    families: dict[str, Counter[str]] = {}
    for entry in entries:
        for family, tally in entry["counts"].items():
            families.setdefault(family, Counter()).update(tally)
    return {
        "format": FORMAT, "vocabulary": vocabulary_hash(), "features": feature_hash(), "shapes": FEATURE_SHAPES,
        "settings": settings, "samples": sum(entry["samples"] for entry in entries),
        "families": {family: dict(tally) for family, tally in families.items()},
        "failed": {id: text for entry in entries for id, text in entry["failed"].items()},
        "shards": [{k: v for k, v in entry.items() if k not in ("counts", "failed")} for entry in entries],
    }  # fmt: skip
