"""Checkpoints that were damaged: bits flipped, files cut; and the rows of what must be refused, one by one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from waytrace.cli import main
from waytrace.microgpt.adapters import merged
from waytrace.microgpt.checkpoint import read_checkpoint, read_parts, read_trainer, write_checkpoint
from waytrace.microgpt.checkpoint_files import (
    ADAPTER,
    BASE,
    HEAD,
    MANIFEST,
    CheckpointError,
    tensors_of,
    weights_hash,
    write_files,
)
from waytrace.microgpt.parameters import drawn
from waytrace.model import load_checkpoint

Arrays = dict[str, Any]


@dataclass
class Damage:
    """What was found of files that were damaged, by kind of damage."""

    trials: dict[str, int] = field(default_factory=lambda: {"flips": 0, "truncations": 0})
    detected: int = 0
    """Refused by every reader, before a number is used."""
    named: int = 0
    """With the damaged file's path, by every reader."""
    wrong: list[str] = field(default_factory=list)


def damaged(checkpoint: Path, base: Path | None, count: int, seed: int) -> Damage:
    """``count`` flips and as many truncations, one at a time, of a checkpoint's files and of those of its base.

    In every second trial each file is as likely as any other, so that small ones have their share; otherwise each byte.
    """
    random, found = np.random.default_rng(seed), Damage()
    files = [p for place in (checkpoint, base) if place for p in sorted(place.rglob("*")) if p.is_file()]
    sizes = np.array([p.stat().st_size for p in files], float)
    for trial in range(2 * count):
        kind = "flips" if trial < count else "truncations"
        path = files[int(random.choice(len(files), p=sizes / sizes.sum() if trial % 2 else None))]
        whole = path.read_bytes()
        at, bit = int(random.integers(len(whole))), int(random.integers(8))
        broken = bytearray(whole) if kind == "flips" else bytearray(whole[:at])
        if kind == "flips":
            broken[at] ^= 1 << bit
        path.write_bytes(broken)
        said = [_refused(read, checkpoint) for read in _readers(checkpoint, path)]
        path.write_bytes(whole)
        found.trials[kind] += 1
        found.detected += all(said)
        named = all(path.as_posix() in text.replace("/../", "/") or _named(text, path) for text in said)
        found.named += named
        if not named:
            found.wrong.append(f"{kind} of {path} at byte {at}, bit {bit}: {said}")
    return found


def _readers(checkpoint: Path, path: Path) -> list[Callable[[Path], object]]:
    """Who reads a file of a checkpoint: the planner, the model, and training's state, which needs no base."""
    own = path.is_relative_to(checkpoint)
    return [read_checkpoint, load_checkpoint, *([read_trainer] if own else [])]


def _named(text: str, path: Path) -> bool:
    """Whether a message has the path of a file, however it was got to."""
    words = [word.strip(":;,.") for word in text.split()]
    return any(Path(word).exists() and Path(word).resolve() == path.resolve() for word in words if "/" in word)


def _refused(read: Callable[[Path], object], checkpoint: Path) -> str:
    """The words of a refusal; empty where there was none, or one that is not meant for a person."""
    try:
        read(checkpoint)
    except CheckpointError as error:
        return str(error)
    except Exception as error:
        print(f"{read.__name__}: {error!r}")
    return ""


def table(whole: Path, adapter: Path, work: Path) -> dict[str, str]:
    """Each row of the table of bad input with what came of it; empty where it is not as it should be.

    ``whole`` is a checkpoint with a base of its own, ``adapter`` one of adapters over it.
    """
    parts, work = read_parts(adapter), work / "table"
    work.mkdir()
    other = work / "other"
    write_checkpoint(other, drawn(parts.config, seed=99), parts.config)
    said = {
        "another base with the same shapes": _says(adapter, "even if its shapes are the same", base=other),
        "one flipped bit": _flipped(adapter, work),
        "an unexpected tensor": _each(
            (whole, HEAD, _more), (whole, BASE, _more), (adapter, ADAPTER, _more), work=work, base=whole,
            words=("extra", "is none that belongs there", "adapts nothing that the base has", "base with weights"),
        ),
        "missing adapter tensors": _each(
            *((adapter, ADAPTER, _less(k, much)) for k in range(0, len(parts.adapter or {}), 2) for much in (1, 2)),
            work=work, base=whole, words=("is missing",),
        ),
        "missing head": _headless(whole, work),
        "base folder moved": _moved(whole, adapter, work),
        "reload for training": _trained_again(whole, adapter),
        "merge": _merge(whole, adapter, work),
    }  # fmt: skip
    shutil.rmtree(work)
    return said


def _says(checkpoint: Path, words: str | tuple[str, ...], **more: Any) -> str:
    """A refusal that has one of the words."""
    try:
        read_checkpoint(checkpoint, **more)
    except CheckpointError as error:
        text = str(error)
        return text if any(w in text for w in ([words] if isinstance(words, str) else words)) else ""
    return ""


def _flipped(checkpoint: Path, work: Path) -> str:
    copy = Path(shutil.copytree(checkpoint, work / "flipped"))
    data = bytearray((copy / ADAPTER).read_bytes())
    data[-5] ^= 1
    (copy / ADAPTER).write_bytes(data)
    return _says(copy, str(copy / ADAPTER))


def _sealed(checkpoint: Path, out: Path, file: str, change: Callable[[Arrays], None]) -> Path:
    """A checkpoint with other tensors in a file and a manifest that agrees with them."""
    names = (p.relative_to(checkpoint).as_posix() for p in checkpoint.rglob("*") if p.is_file())
    content = {name: (checkpoint / name).read_bytes() for name in names if name != MANIFEST}
    tensors = load(content[file])
    change(tensors)
    write_files(out, content | {file: save(tensors)})
    return out


def _each(
    *cases: tuple[Path, str, Callable[[Arrays], None]], work: Path, base: Path, words: tuple[str, ...]
) -> str:  # fmt: skip
    """The first refusal, if all cases are refused with one of the words."""
    said = []
    for k, (checkpoint, file, change) in enumerate(cases):
        copy = _sealed(checkpoint, work / f"sealed-{words[0]}-{k}".replace(" ", "-"), file, change)
        said.append(_says(copy, words, base=base))
        shutil.rmtree(copy)
    return said[0] if said and all(said) else ""


def _more(tensors: Arrays) -> None:
    tensors["extra"] = np.zeros(3, np.float32)


def _less(number: int, much: int) -> Callable[[Arrays], None]:
    def change(tensors: Arrays) -> None:
        for name in sorted(tensors)[number : number + much]:
            del tensors[name]

    return change


def _headless(checkpoint: Path, work: Path) -> str:
    copy = Path(shutil.copytree(checkpoint, work / "headless"))
    (copy / HEAD).unlink()
    return _says(copy, f"{copy / HEAD} is missing")


def _moved(whole: Path, adapter: Path, work: Path) -> str:
    """Refused with the places that were looked at, and read where it is said."""
    alone = Path(shutil.copytree(adapter, work / "deep" / "er" / "alone"))
    moved = Path(shutil.copytree(whole, work / "moved"))
    said = _says(alone, "was looked for at")
    same = weights_hash(read_parts(alone, base=moved).base) == weights_hash(read_parts(adapter).base)
    return said if same and "--base PATH" in said else ""


def _trained_again(whole: Path, adapter: Path) -> str:
    """What learns after a reload is what learned."""
    moments = {n.partition("/")[2] for n in read_trainer(adapter)[1] if n.startswith("exp_avg/")}
    model = load_checkpoint(adapter)
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    every = {name: p.requires_grad for name, p in load_checkpoint(whole).named_parameters()}
    right = learning == moments and any("lora" in n for n in learning) and all(every.values())
    return f"{len(learning)} tensors learn, which are those that training has moments of" if right else ""


def _merge(whole: Path, adapter: Path, work: Path) -> str:
    """Merged in float32 to within rounding of the sum in float64, and exported with a report that says so."""
    parts = read_parts(adapter)
    tensors = tensors_of((adapter / ADAPTER).read_bytes(), "")
    ours = merged(parts.base, tensors, parts.adapter_config, "")
    scale, worst = parts.adapter_config["lora_alpha"] / parts.adapter_config["r"], 0.0
    for name in (n for n in tensors if n.endswith("lora_A.weight")):
        module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        a, b = tensors[name].astype(float), tensors[name.replace("lora_A", "lora_B")].astype(float)
        exact = parts.base[f"{module}.weight"].astype(float) + scale * (b @ a)
        worst = max(worst, float(abs(ours[f"{module}.weight"] - exact).max()))
    out = work / "merged"
    code = main(["checkpoint", "export", str(adapter), "--out", str(out)])
    same = code == 0 and weights_hash(read_checkpoint(out).parameters) == weights_hash(
        read_checkpoint(adapter).parameters
    )
    return f"float32, {worst:.1g} from the sum in float64 at most; 0 tensors differ" if same and worst < 1e-6 else ""


def as_json(found: dict[str, str]) -> dict[str, bool]:
    """Whether each row is as it should be."""
    return json.loads(json.dumps({row: bool(text) for row, text in found.items()}))
