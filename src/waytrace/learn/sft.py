"""Supervised training: one loop, from the first batch to the last checkpoint.

The state of a run is (weights, moments, step, best look). Which samples a step sees, what it draws and how fast it
learns follow from the step alone. Looks at ``select`` and closed-loop drives leave the state as it is, so a run that
was killed and repeated ends with the same bits as one that never stopped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from waytrace.microgpt import GPTConfig
from waytrace.microgpt.checkpoint import checkpoint_hash
from waytrace.model import Branches, Waytrace, choose_device
from waytrace.model.huggingface import HuggingFace
from waytrace.model.lora import shares
from waytrace.scenario.splits import Purpose

from .accumulate import descend
from .arms import mode_of
from .checkpoints import begin_from, place_of, resume, save
from .closed_loop import drive_checkpoint
from .config import ConfigError, SftConfig
from .distributed import Crew, crew
from .figures import Examination
from .optimiser import Average, make_optimiser
from .prefetch import prefetch
from .progress import Advance, Note, Pace, quiet
from .reproducible import reproducible
from .run_folder import RunFolder, provenance
from .sampler import Sampler
from .schedule import warmup_cosine
from .sharding import shard
from .sinks import flat, open_sinks
from .state import Progress, averaged, trainable
from .steps import Steps, fair
from .stores import lengths, open_samples, samples_hash
from .window import Window


@dataclass(frozen=True)
class Trained:
    """Where a run stands."""

    run: Path
    checkpoint: Path
    """The newest one."""
    best: Path | None
    """The one with the least loss on ``select``."""
    step: int
    ended: str
    """Why this piece of the run ended."""
    finished: bool
    """Whether nothing is left to do."""
    leads: bool
    """Whether this process is the one of a crew that has something to say."""
    figures: dict[str, Any]
    """Of the last look, and of the last drive under ``drive``."""


def train_sft(
    config: SftConfig, out: Path | str, *, note: Note = quiet, advance: Advance | None = None,
    looked: Callable[[Path], object] | None = None,
) -> Trained:  # fmt: skip
    """Learn by imitation, or go on where the run at ``out`` stopped.

    ``note`` takes lines for a person, ``advance`` every step (made, in all, in words) in place of a line now and then;
    ``looked`` is called with the run's folder whenever its metrics have grown by a
    look at ``select``. Processes started by torchrun learn as one. Raises :class:`ConfigError` for settings that cannot
    be used, where ``out`` holds another run and where the loss is no number; ``SplitError`` for samples that may not
    be trained on.
    """
    with crew() as group, reproducible(config.threads):
        return _train(config, Path(out).absolute(), group, note if group.leads else quiet, advance, looked)


def _train(
    config: SftConfig, out: Path, group: Crew, note: Note, advance: Advance | None,
    looked: Callable[[Path], object] | None,
) -> Trained:  # fmt: skip
    # What there is to learn from.
    data = open_samples(config.samples, Purpose.TRAIN)
    select = open_samples(config.select, Purpose.TUNE) if config.select else None
    sampler = Sampler(lengths(data), config.batch, config.seed)
    branches = Branches(runner_up=config.runner_up, decision_only=config.decision_only, fast=config.fast)
    steps = Steps(data, sampler, branches, group, config.forget, config.trace, config.accumulate)
    exam = Examination(select, config) if select and (group.leads or config.sharded) else None

    # The run's folder: claimed for these settings and these data, wherever they lie.
    identity = config.identity() | {
        "samples": samples_hash(data), "select": samples_hash(select) if select else None,
        "init": checkpoint_hash(place_of(config.init)) if config.init else None,
        "processes": group.size,
    }  # fmt: skip
    folder = RunFolder.claim(out, "sft", config.to_json(), identity) if group.leads else RunFolder(out)
    group.wait()

    # The model, and where it stood.
    torch.manual_seed(config.seed)
    device = choose_device(config.device)
    if config.backbone:
        model = Waytrace.over(HuggingFace.load(config.backbone), config.seed).to(device)
    else:
        model = Waytrace(GPTConfig.of(config.size), config.seed).to(device)
    begin_from(model, config)
    if config.gradient_checkpointing:
        model.recompute()
    frozen_base = config.init if config.frozen else ""
    optimiser = make_optimiser(model, config)
    average = Average(dict(trainable(model)), config.ema) if config.ema else None
    at = resume(folder, model, optimiser, average, frozen_base) or Progress()
    if group.leads:
        folder.metrics.rewind(at.step)
        folder.metrics.write("piece", at.step, provenance())
    sinks = open_sinks(config.sinks, folder.path, config.to_json()) if group.leads else []
    table = shares(model)
    what = Path(config.backbone).name or config.size
    note(
        f"{what}, {table[-1].all:,} parameters on {device}; {len(data):,} samples; step {at.step:,} of {config.steps:,}"
    )
    note("\n".join(["  trained of:", *(f"  {s.trained:>10,} {s.all:>10,}  {s.part}" for s in table if s.all)]))

    def record(kind: str, figures: dict[str, Any]) -> None:
        if group.leads:
            folder.metrics.write(kind, at.step, figures)
            for sink in sinks:
                sink.write(at.step, flat(figures, kind))

    if group.leads and at.step == 0 and not folder.metrics.has("trained"):
        folder.metrics.write("trained", 0, {s.part: {"trained": s.trained, "all": s.all} for s in table})
    if config.sharded:
        here, whole = shard(model, group)
        note(f"  {here:,} of {whole:,} frozen parameters of the backbone lie in this process")
    learner = group.learner(model)
    learner.train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    pace, window = Pace(config.steps, config.batch, note, advance if group.leads else None), Window()
    until = time.monotonic() + 60.0 * config.minutes if config.minutes else math.inf
    ended = _finished(config, at)
    last: dict[str, Any] = {}
    pace.start()
    for parts in prefetch(steps.parts, at.step, at.step if ended else config.steps):
        lr = config.lr * warmup_cosine(at.step, steps=config.steps, warmup=config.warmup, end=config.lr_end)
        optimiser.set_lr(lr)
        optimiser.zero_grad()
        loss, figures = descend(learner, parts, fair(parts, group, config.plan_weight), device, config.precision)
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, config.clip))
        if not math.isfinite(norm):
            raise _diverged(at.step, folder)
        optimiser.step()
        at.step += 1
        if average:
            average.update(dict(trainable(model)), at.step)
        window.add(figures, norm)
        pace.step(at.step, loss, lr)

        looks = at.step % config.eval_every == 0 or at.step == config.steps
        if at.step % config.log_every and not looks:
            continue
        record("train", window.close(group) | {"lr": lr, "samples_per_s": pace.samples_per_s})
        drives = bool(config.drive_every) and at.step % config.drive_every == 0
        out_of_time = group.agree(time.monotonic() > until) > 0.0
        if not looks and not out_of_time:
            continue

        # A checkpoint, with everything that is known of it, before `latest` points there.
        pace.stop()
        if looks and select:
            if exam:
                with averaged(model, average):
                    last = exam.of(model)
                record("select", last)
                note(f"step {at.step}: {_said(last, mode_of(config.trace))}")
            at.best = at.best.after(group.agree(last["loss"] if exam else 0.0), at.step)
        if group.leads:
            checkpoint = save(folder, model, optimiser, average, at, frozen_base)
            if looks and drives:
                result = folder.path / "drives" / checkpoint.name
                driven = drive_checkpoint(
                    checkpoint, result, count=config.drive_scenes, workers=config.workers, mode=mode_of(config.trace)
                )
                record("drive", driven)
                last = last | {"drive": driven}
                note(f"step {at.step}: closed loop {driven['score']:.3f} (oracle {driven['oracle_score']:.3f})")
            folder.metrics.sync()
            if at.best.step == at.step:
                folder.point("best", checkpoint)
            folder.point("latest", checkpoint)
            folder.tidy()
            if looked and looks:
                looked(folder.path)
        group.wait()
        ended = _finished(config, at) or ("out of time; the same command goes on" if out_of_time else "")
        if ended:
            break
        pace.start()

    if group.leads:
        folder.metrics.write("end", at.step, {"reason": ended, "samples_per_s": pace.samples_per_s})
        if looked:
            looked(folder.path)
    for sink in sinks:
        sink.close()
    newest = folder.latest()
    assert newest is not None, "a run that ended has saved"
    return Trained(folder.path, newest, folder.best(), at.step, ended, bool(_finished(config, at)), group.leads, last)


def _finished(config: SftConfig, at: Progress) -> str:
    """Why there is nothing left to do; empty while there is."""
    if at.step >= config.steps:
        return "all steps made"
    if at.best.spent(config.patience):
        return f"no better on select for {at.best.worse} looks"
    return ""


def _said(seen: dict[str, Any], mode: str) -> str:
    """The figures of a look in a few words."""
    decision, away = seen["decision"], seen["waypoint_m"][mode]
    return (
        f"select loss {seen['loss']:.4f}, decisions {decision['longitudinal']['macro_f1'] or 0.0:.3f} / "
        f"{decision['lateral']['macro_f1'] or 0.0:.3f}, waypoints {away['2']:.2f} m at 2 s, {away['4']:.2f} m at 4 s"
    )


def _diverged(step: int, folder: RunFolder) -> ConfigError:
    before = folder.latest()
    return ConfigError(
        f"At step {step} the loss or its gradient is no finite number. Begin another run with a smaller lr"
        + (f", or from {before} (--init)." if before else ".")
    )
