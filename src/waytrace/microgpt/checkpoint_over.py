"""Checkpoints over a Hugging Face model, read and merged without PyTorch: to verify, show, compare and export them.

Heads, scene encoder and adapters lie in the checkpoint; the model lies where ``base.json`` says, and is told from
others of its shapes by the hash of its decoder's weights. To drive one PyTorch is needed (``waytrace.model.over_hf``).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waytrace.scenario.disk import begin, explained, publish, sync_folder

from .adapters import merged
from .checkpoint import as_json, check_meaning
from .checkpoint_files import (
    ADAPTER,
    BASE_JSON,
    HEAD,
    HEAD_JSON,
    VOCABULARY_JSON,
    WAY_OUT,
    Array,
    CheckpointError,
    Files,
    read_files,
    weights_hash,
    write_files,
)
from .language_model import CONFIG, LanguageModel, finite, read_language_model, write_language_model
from .parameters import Parameters, head_shapes, scene_shapes

KIND = "hf"
PREFIX = "base_model.model.model."
"""What PEFT puts before the names of a causal LM's decoder."""
PLANNER, MODEL = "planner", "language_model"
"""Folders of an export: the checkpoint, and what it stands on."""


@dataclass(frozen=True)
class OverParts:
    """A checkpoint over a Hugging Face model, as it lies."""

    config: Mapping[str, Any]
    """``width`` and ``architecture``."""
    head: Parameters
    """Scene encoder and heads."""
    adapter: Mapping[str, Array] | None
    """By PEFT's names; None where the model is as it was."""
    adapter_config: Mapping[str, Any]
    model: LanguageModel
    weights_sha256: str
    """Of the model's decoder."""
    files: Files


class Merged(Mapping[str, Array]):
    """The decoder's weights with adapters merged in, each made when it is asked for.

    Raises :class:`CheckpointError` for adapters that are none of this model.
    """

    def __init__(self, parts: OverParts) -> None:
        self.own, self.settings = parts.model.decoder, parts.adapter_config
        self.where, self.folder = str(parts.files.folder / ADAPTER), parts.model.folder
        self.adapters: dict[str, dict[str, Array]] = {}
        for name, value in (parts.adapter or {}).items():
            module = name.removeprefix(PREFIX).partition(".lora_")[0]
            if not name.startswith(PREFIX) or f"{module}.weight" not in self.own:
                raise CheckpointError(f"{self.where}: tensor {name!r} adapts nothing that the base has. {WAY_OUT}")
            part = name.removeprefix(PREFIX + module).removesuffix(".weight")
            suffix = "" if part == ".lora_magnitude_vector" else ".weight"
            self.adapters.setdefault(module, {})[f"base_model.model.{module}{part}{suffix}"] = value
        if parts.adapter is not None and not self.adapters:
            raise CheckpointError(f"{self.where} holds no tensor. {WAY_OUT}")

    def __getitem__(self, name: str) -> Array:
        value = finite(name, self.own[name], self.folder)
        mine = self.adapters.get(name.removesuffix(".weight"))
        return value if mine is None else merged({name: value}, mine, self.settings, self.where)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.own)

    def __len__(self) -> int:
        return len(self.own)


def read_over(folder: Path | str, *, base: Path | str | None = None) -> OverParts:
    """A checkpoint and the model that it is over: every file of the one hashed, every tensor of both accounted for.

    ``base`` says where the model lies, should it have moved. Raises :class:`CheckpointError` for what is damaged,
    missing, too much, or of another model, even one of the same shapes.
    """
    files = read_files(Path(folder))
    record = files.json(BASE_JSON)
    check_meaning(files)
    config = record.get("config")
    if not isinstance(config, dict) or not isinstance(config.get("width"), int):
        raise CheckpointError(f"{files.folder / BASE_JSON} does not say how wide the model is. {WAY_OUT}")
    if hashlib.sha256(as_json(config)).hexdigest() != record.get("config_hash"):
        raise CheckpointError(f"{files.folder / BASE_JSON}: the configuration is not that of its hash. {WAY_OUT}")
    head = head_of(files, config["width"])
    adapter, settings = files.adapter() or (None, {})
    model = read_language_model(place_of_model(files, record, base))
    check_model(files, record, weights_hash(model.decoder))
    parts = OverParts(config, head, adapter, settings, model, str(record["weights_sha256"]), files)
    whole = Merged(parts)
    for module in whole.adapters:
        whole[f"{module}.weight"]
    return parts


def check_model(files: Files, record: Mapping[str, Any], found: str) -> None:
    """``found`` must be the hash of the model that a checkpoint is over. Raises :class:`CheckpointError`."""
    if found != record.get("weights_sha256"):
        raise CheckpointError(
            f"{files.folder / BASE_JSON} is for a model with weights {str(record.get('weights_sha256'))[:12]}; found "
            f"is one with {found[:12]}, even if its shapes are the same. Give the right one with --base PATH."
        )


def head_of(files: Files, width: int) -> dict[str, Array]:
    """Scene encoder and heads: exactly the tensors that this width has. Raises :class:`CheckpointError`."""
    wanted, found = scene_shapes(width) | head_shapes(width), files.tensors(HEAD)
    for name in sorted(wanted.keys() | found.keys()):
        if name not in wanted or name not in found:
            what = "is missing" if name in wanted else "is none that belongs there"
            raise CheckpointError(f"{files.folder / HEAD}: tensor {name!r} {what}. {WAY_OUT}")
        if found[name].shape != wanted[name]:
            raise CheckpointError(
                f"{files.folder / HEAD}: tensor {name!r} has shape {list(found[name].shape)}, not "
                f"{list(wanted[name])}. {WAY_OUT}"
            )
    return found


def place_of_model(files: Files, record: Mapping[str, Any], given: Path | str | None) -> Path:
    """Where the Hugging Face model of a checkpoint lies. Raises :class:`CheckpointError` where it does not."""
    ref = Path(given) if given else Path(str(record.get("ref") or ""))
    looked = [ref] if ref.is_absolute() or given else [files.folder / ref, ref]
    for place in looked:
        if str(ref) and (place / CONFIG).is_file():
            return place
    raise CheckpointError(
        f"{files.folder} is over a Hugging Face model; it was looked for at {', '.join(map(str, looked))} and is not "
        "there. Say where it is with --base PATH."
    )


def export_over(parts: OverParts, out: Path) -> Path:
    """Write the model with adapters merged in, in float32, and a checkpoint over that; the checkpoint's folder.

    Both lie in ``out`` (:data:`MODEL`, :data:`PLANNER`), which appears whole or not at all, and may be moved. Raises
    :class:`CheckpointError` where it is there already, ``StoreError`` where the disk refuses.
    """
    if out.exists():
        raise CheckpointError(f"{out} exists already. Choose another place, or remove it.")
    with explained(out):
        temporary = begin(out)
        try:
            (temporary / MODEL).mkdir()
            write_language_model(temporary / MODEL, parts.model, Merged(parts))
            sync_folder(temporary / MODEL)
            sha256 = weights_hash(read_language_model(temporary / MODEL).decoder)
            record = parts.files.json(BASE_JSON) | {"ref": f"../{MODEL}", "weights_sha256": sha256}
            kept = {name: parts.files.content[name] for name in (HEAD_JSON, HEAD, VOCABULARY_JSON)}
            write_files(temporary / PLANNER, {BASE_JSON: as_json(record), **kept})
            publish(temporary, out, overwrite=False)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return out / PLANNER
