"""Checkpoints of a run: the model as it drives, and beside it what going on needs."""

from __future__ import annotations

from pathlib import Path

from waytrace.microgpt.checkpoint import SHIPPED, read_parts
from waytrace.model import Waytrace, load_checkpoint, load_trainer, save_checkpoint
from waytrace.model.checkpoint import SHIPPED_REF
from waytrace.model.huggingface import HuggingFace
from waytrace.model.lora import Lora, freeze, linear_names
from waytrace.scenario.disk import explained, remove_folder

from .config import ConfigError, SftConfig
from .optimiser import Average, Optimiser
from .run_folder import RunFolder
from .state import Progress, averaged, restore, trainer_tensors


def save(
    folder: RunFolder, model: Waytrace, optimiser: Optimiser, average: Average | None, at: Progress,
    base: str = "",
) -> Path:  # fmt: skip
    """Write the checkpoint of this step, with the average for weights where there is one; its path.

    ``base`` is the checkpoint that a frozen base is of.

    What lies there from an attempt that was killed before ``latest`` pointed to it is written anew. Raises
    ``StoreError`` where the disk refuses.
    """
    path = folder.checkpoint(at.step)
    if path.exists() and path != folder.latest():
        with explained(path, now="It is what an attempt left that was cut off"):
            remove_folder(path)
    tensors = trainer_tensors(model, optimiser, average)
    with averaged(model, average):
        save_checkpoint(path, model, trainer=(at.to_json(), tensors), base=base)
    return path


def resume(
    folder: RunFolder, model: Waytrace, optimiser: Optimiser, average: Average | None, base: str = ""
) -> Progress | None:
    """Put model and optimiser where the newest checkpoint of a run left them; None where there is none.

    ``base`` is where a frozen base lies.
    """
    path = folder.latest()
    if path is None:
        return None
    load_checkpoint(path, model, base=place_of(base) or None)
    record, tensors = load_trainer(path)
    restore(model, optimiser, average, tensors)
    return Progress.from_json(record)


def begin_from(model: Waytrace, config: SftConfig) -> None:
    """Give a model the weights of the checkpoint that a run begins from, and freeze and adapt it as the run says.

    Raises :class:`ConfigError` where a frozen base would have to stand on one that is frozen itself.
    """
    if config.init:
        parts = read_parts(place_of(config.init))
        if not parts.own_base:
            raise ConfigError(
                f"{config.init} holds adapters over another base. Begin from that base, or merge them first "
                "(`waytrace checkpoint export`)."
            )
        load_checkpoint(place_of(config.init), model)
    if config.lora_rank:
        targets = config.lora_targets or linear_names(model)
        model.adapt(Lora(config.lora_rank, config.lora_alpha, targets, config.rslora, config.dora), config.seed)
    elif isinstance(model.backbone, HuggingFace):
        model.backbone.freeze()
    elif config.frozen:
        freeze(model)


def place_of(checkpoint: str) -> str:
    """Where a checkpoint lies that may be given as ``shipped``."""
    return str(SHIPPED) if checkpoint == SHIPPED_REF else checkpoint
