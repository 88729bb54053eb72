"""The weights of a Hugging Face model as its folder holds them, read and written without PyTorch, one at a time.

A checkpoint over such a model refers to it by the hash of its decoder's weights in float32, under the names that they
have within the decoder. In the folder they have the causal LM's names, a prefix before them, and may be half precision.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checkpoint_files import Array, CheckpointError

CONFIG, SINGLE, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
OUTPUTS = ("lm_head.", "embed_out.")
"""Starts of the names of what a causal LM has besides its decoder."""
KINDS = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "F64": "<f8"}
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".index.json")
"""Ends of the names of files that an export does not copy."""


@dataclass(frozen=True)
class Place:
    """Where a tensor lies."""

    file: Path
    start: int
    """Its first byte in the file."""
    kind: str
    shape: tuple[int, ...]


class Weights(Mapping[str, Array]):
    """Tensors by name, each read and made float32 when it is asked for."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self.places = places

    def __getitem__(self, name: str) -> Array:
        place = self.places[name]
        dtype = np.dtype(KINDS[place.kind])
        raw = np.fromfile(place.file, dtype, math.prod(place.shape), offset=place.start)
        if place.kind == "BF16":
            raw = (raw.astype("<u4") << 16).view("<f4")
        return raw.astype(np.float32).reshape(place.shape)

    @property
    def size(self) -> int:
        """Numbers in all of them."""
        return sum(math.prod(place.shape) for place in self.places.values())

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True)
class LanguageModel:
    """A Hugging Face causal language model in a folder."""

    folder: Path
    config: Mapping[str, Any]
    """Its ``config.json``."""
    weights: Weights
    """By the names that the folder has for them."""
    prefix: str
    """What stands before the names of the decoder's."""

    @property
    def decoder(self) -> Weights:
        """The decoder's weights by their names within it."""
        places = self.weights.places
        return Weights({n.removeprefix(self.prefix): p for n, p in places.items() if not n.startswith(OUTPUTS)})


def read_language_model(folder: Path) -> LanguageModel:
    """A model that was saved as safetensors, none of its weights read yet.

    Raises :class:`CheckpointError` where a file is missing or damaged, or holds another kind of numbers.
    """
    config = _json(folder / CONFIG)
    names = [SINGLE]
    if (folder / INDEX).is_file():
        shards = _json(folder / INDEX).get("weight_map")
        if not isinstance(shards, dict) or any(Path(str(s)).name != s for s in shards.values()):
            raise CheckpointError(f"{folder / INDEX} does not say in which files of the folder the weights lie.")
        names = sorted(set(shards.values()))
    places: dict[str, Place] = {}
    for name in names:
        places |= _places(folder / name)
    decoder = [name for name in places if not name.startswith(OUTPUTS)]
    if not decoder:
        raise CheckpointError(f"{folder} holds no weights of a language model.")
    return LanguageModel(folder, config, Weights(places), _prefix(decoder))


def write_language_model(folder: Path, model: LanguageModel, decoder: Mapping[str, Array]) -> None:
    """``model`` with other weights for its decoder, in float32, in a folder that is there and empty.

    Its configuration and its tokenizer come along.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, place in model.weights.places.items():
        size = 4 * math.prod(place.shape)
        header[name] = {"dtype": "F32", "shape": list(place.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with (folder / SINGLE).open("xb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in model.weights:
            own = name.removeprefix(model.prefix)
            value = model.weights[name] if name.startswith(OUTPUTS) else decoder[own]
            file.write(np.ascontiguousarray(value, "<f4").tobytes())
        file.flush()
        os.fsync(file.fileno())
    for path in model.folder.iterdir():
        if path.is_file() and path.name != CONFIG and not path.name.endswith(WEIGHTS):
            shutil.copyfile(path, folder / path.name)
    config = {k: v for k, v in model.config.items() if k not in ("dtype", "torch_dtype")} | {"dtype": "float32"}
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n")


def _prefix(names: list[str]) -> str:
    """What all names begin with, up to a dot: ``model.``, ``transformer.``, or nothing."""
    parts: list[str] = []
    for column in zip(*(name.split(".")[:-1] for name in names), strict=False):
        if len(set(column)) > 1:
            break
        parts.append(column[0])
    return "".join(f"{part}." for part in parts)


def _places(path: Path) -> dict[str, Place]:
    """Where the tensors of a safetensors file lie; what is no floating-point number (a mask) is no weight."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: dict[str, Any] = json.loads(file.read(min(length, size)))
        header.pop("__metadata__", None)
        out = {}
        for name, entry in header.items():
            kind, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
            if kind not in KINDS:
                if kind in ("BOOL", "U8", "I64", "I32"):
                    continue
                raise CheckpointError(f"{path}: tensor {name!r} is {kind}, which is read with PyTorch alone.")
            width = np.dtype(KINDS[kind]).itemsize
            if end - start != width * math.prod(shape) or start < 0 or 8 + length + end > size:
                raise CheckpointError(f"{path}: tensor {name!r} is not where the file says: it is cut or damaged.")
            out[name] = Place(path, 8 + length + start, kind, shape)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error.strerror or error}. Save the model as safetensors."
        ) from (error)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is no safetensors file: {error!r}.") from error
    return out


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise CheckpointError(f"{path} is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} holds no JSON object.")
    return found


def finite(name: str, value: NDArray[np.float32], where: Path) -> NDArray[np.float32]:
    """``value``. Raises :class:`CheckpointError` where a number in it is not finite."""
    if not np.isfinite(value).all():
        raise CheckpointError(f"{where}: tensor {name!r} holds a number that is not finite.")
    return value
