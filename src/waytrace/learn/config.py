"""What a supervised run is: everything that its weights depend on, and what they do not."""

from __future__ import annotations

import dataclasses
import hashlib
import types
from dataclasses import dataclass, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from waytrace.microgpt.config import SIZES
from waytrace.scenario import WaytraceError
from waytrace.scenario.hashing import canonical_json

PRECISIONS = ("fp32", "bf16")
LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj", "gate_proj", "up", "down")
"""The backbone's linear maps."""
TRACES = ("own", "none", "shuffled")
"""What stands before the plan while a model learns: see :mod:`.arms`."""
OPTIMISERS = ("adamw", "muon")
FREE = ("device", "minutes", "workers", "log_every", "sinks", "gradient_checkpointing", "sharded")
"""Fields that may change between two pieces of one run: the weights do not depend on them."""
LATER = (
    "trace",
    "backbone",
    "freeze_backbone",
    "lora_rank",
    "lora_alpha",
    "lora_targets",
    "rslora",
    "dora",
    "lora_plus",
    "optimiser",
    "muon_lr",
    "accumulate",
    "own_words",
)
"""Fields that came later: a run that was begun before there was a choice goes on."""


class ConfigError(WaytraceError):
    """A setting of a run that cannot be used, or another one than the run was begun with."""


@dataclass(frozen=True)
class SftConfig:
    """A supervised run. Repeating it with equal settings (but for :data:`FREE`) continues where it stopped."""

    samples: tuple[str, ...]
    """Stores of samples to train on; of split train."""
    select: tuple[str, ...] = ()
    """Stores of samples of split select: figures, early stop."""
    init: str = ""
    """Checkpoint whose weights the run begins with; empty for new ones."""
    size: str = "micro"
    steps: int = 20_000
    """Steps in all; the learning rate falls to its end over these."""
    batch: int = 64
    """Samples a step, over all processes."""
    accumulate: int = 1
    """Parts that a step's batch is learned in, one after the other: less memory, the same loss and gradient."""
    lr: float = 2e-3
    lr_end: float = 0.05
    """Learning rate at the end, as a share of ``lr``."""
    warmup: int = 200
    """Steps over which the learning rate rises."""
    optimiser: str = "adamw"
    """``adamw``, or ``muon`` for maps between hidden states and AdamW for all else."""
    muon_lr: float = 1.0
    """Learning rate of what Muon changes, as a multiple of ``lr``."""
    beta1: float = 0.9
    beta2: float = 0.98
    weight_decay: float = 0.1
    """Decoupled, on matrices alone."""
    embedding_lr: float = 1.0
    """Learning rate of embedding tables, as a multiple of ``lr``."""
    clip: float = 1.0
    """Norm that the gradient is cut to."""
    ema: float = 0.0
    """Decay of an average over the weights, which then is what is evaluated and drives; 0 for none."""
    plan_weight: float = 0.1
    """What the plan's error counts beside the mean cross-entropy of a slot."""
    runner_up: float = 0.5
    """Share of the samples that have a runner-up whose trace and plan are learned too."""
    decision_only: float = 0.25
    """Share of the samples that are learned with the two decisions alone before the plan."""
    fast: float = 1.0
    """Share of the samples that are learned with nothing before the plan."""
    forget: float = 0.3
    """Share of the samples whose last decision, and, apart from that, whose own past is hidden."""
    own_words: float = 0.0
    """Share of the steps in which traces go on behind values that the model draws itself, but for the decisions."""
    gradient_checkpointing: bool = False
    """Whether the activations of the backbone's layers are computed again in the backward pass and not kept."""
    trace: str = "own"
    """What stands before the plan: the sample's own trace, none, or that of another sample (``shuffled``)."""
    backbone: str = ""
    """Folder of a Hugging Face causal language model that is the backbone; empty for a micro GPT of ``size``."""
    sharded: bool = False
    """Whether the frozen weights of ``backbone`` lie in pieces, one in each process (FSDP2)."""
    freeze_backbone: bool = False
    """Whether scene encoder, backbone and embeddings stay as ``init`` has them; the heads are trained."""
    lora_rank: int = 0
    """Rank of the adapters over the frozen backbone; 0 for none."""
    lora_alpha: float = 16.0
    """Adapters count alpha / rank."""
    lora_targets: tuple[str, ...] = ()
    """Linear maps that are adapted: q_proj, k_proj, v_proj, o_proj, up_proj, down_proj of the layers (empty for these),
    up, down of the scene encoder."""
    rslora: bool = False
    """Whether adapters count alpha / sqrt(rank) (arXiv 2312.03732)."""
    dora: bool = False
    """Whether each row of an adapted map has a length that is learned by itself (arXiv 2402.09353)."""
    lora_plus: float = 1.0
    """Learning rate of the adapters' B, as a multiple of ``lr`` (arXiv 2402.12354 takes 16)."""
    seed: int = 0
    precision: str = "fp32"
    device: str = "auto"
    """``cpu``, ``cuda``, ``mps``; ``auto`` for the first there is of a CUDA card, Apple's GPU, the CPU. The last bits
    depend on it."""
    threads: int = 1
    """Threads of a process; the last bits depend on it."""
    eval_every: int = 500
    """Steps between two looks at ``select``, each of which saves a checkpoint."""
    eval_samples: int = 2048
    """Samples of ``select`` that are looked at, evenly taken; 0 for all."""
    drive_every: int = 0
    """Steps between two closed-loop scores, a multiple of ``eval_every``; 0 for none."""
    drive_scenes: int = 24
    """Scenes of suite ``pr`` (split select) that are driven for it."""
    patience: int = 0
    """Looks at ``select`` without a better loss after which the run ends; 0 for never."""
    minutes: float = 0.0
    """Minutes after which this piece of the run saves and ends; 0 for no limit."""
    workers: int = 1
    """Worker processes of a closed-loop score."""
    log_every: int = 20
    """Steps between two lines of metrics."""
    sinks: tuple[str, ...] = ()
    """Where metrics go besides ``metrics.jsonl``: tensorboard, wandb."""

    def __post_init__(self) -> None:
        for name in (
            "steps", "batch", "lr", "clip", "threads", "eval_every", "drive_scenes", "log_every", "workers",
            "lora_alpha", "lora_plus", "muon_lr", "accumulate",
        ):  # fmt: skip
            self._need(name, getattr(self, name) > 0, "must be positive")
        for name in (
            "warmup", "weight_decay", "minutes", "patience", "eval_samples", "drive_every", "embedding_lr",
            "plan_weight", "seed", "lora_rank",
        ):  # fmt: skip
            self._need(name, getattr(self, name) >= 0, "must not be negative")
        for name in ("runner_up", "decision_only", "fast", "forget", "own_words"):
            self._need(name, 0.0 <= getattr(self, name) <= 1.0, "must lie within 0 and 1")
        for name in ("beta1", "beta2", "ema", "lr_end"):
            self._need(name, 0.0 <= getattr(self, name) < 1.0, "must lie within 0 and 1")
        self._need("samples", bool(self.samples), "is empty: name at least one store of samples")
        self._need("size", self.size in SIZES, f"is none of {', '.join(SIZES)}")
        self._need("precision", self.precision in PRECISIONS, f"is none of {', '.join(PRECISIONS)}")
        self._need("optimiser", self.optimiser in OPTIMISERS, f"is none of {', '.join(OPTIMISERS)}")
        self._need("accumulate", self.batch % self.accumulate == 0, f"does not divide batch, which is {self.batch}")
        self._need("trace", self.trace in TRACES, f"is none of {', '.join(TRACES)}")
        self._need("batch", self.trace != "shuffled" or self.batch > 1,
                   "leaves no other sample whose trace could be taken")  # fmt: skip
        self._need("warmup", self.warmup < self.steps, f"must be below steps, which is {self.steps}")
        self._need("drive_every", self.drive_every % self.eval_every == 0,
                   f"must be a multiple of eval_every, which is {self.eval_every}")  # fmt: skip
        self._need("lora_targets", set(self.lora_targets) <= set(LORA_TARGETS),
                   f"are not all among {', '.join(LORA_TARGETS)}")  # fmt: skip
        self._need("lora_targets", not self.backbone or not {"up", "down"} & set(self.lora_targets),
                   "adapts the scene encoder, which over a Hugging Face model is new and trained whole")  # fmt: skip
        for name in ("lora_targets", "rslora", "dora"):
            self._need(name, not getattr(self, name) or self.lora_rank > 0, "needs adapters (lora_rank)")
        self._need("backbone", not self.backbone or self.frozen,
                   "is a Hugging Face model: adapt it (lora_rank) or leave it as it is (freeze_backbone)")  # fmt: skip
        self._need("sharded", not self.sharded or bool(self.backbone), "needs a Hugging Face model (backbone)")
        self._need("init", not (self.init and self.backbone), "is of a micro GPT, and backbone is given too")
        self._need("init", bool(self.init) or bool(self.backbone) or not self.frozen,
                   "is empty: freeze_backbone and lora_rank need a checkpoint to stand on (--init)")  # fmt: skip
        self._need("patience", self.patience == 0 or bool(self.select), "needs samples of split select (--select)")

    def _need(self, name: str, holds: bool, what: str) -> None:
        if not holds:
            raise ConfigError(f"{name} = {getattr(self, name)!r} {what}.")

    @property
    def frozen(self) -> bool:
        """Whether the base stays as it is: with adapters it always does."""
        return self.freeze_backbone or self.lora_rank > 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}

    def identity(self) -> dict[str, Any]:
        """The settings that the weights depend on; of :data:`LATER` those that are not as they always were."""
        given = self.to_json()
        usual = {f.name: list(f.default) if isinstance(f.default, tuple) else f.default for f in fields(self)}
        return {k: v for k, v in given.items() if k not in FREE and not (k in LATER and v == usual[k])}

    @property
    def sha256(self) -> str:
        """Hash of the settings that the weights depend on."""
        return hashlib.sha256(canonical_json(self.identity()).encode()).hexdigest()


def with_settings(config: dict[str, Any], settings: tuple[str, ...]) -> SftConfig:
    """The run of ``config`` with ``name=value`` settings on top; unknown names and wrong values are refused.

    Raises :class:`ConfigError`.
    """
    kinds = get_type_hints(SftConfig)
    for setting in settings:
        name, given, text = setting.partition("=")
        if not given or name not in kinds:
            near = ", ".join(sorted(kinds))
            raise ConfigError(f"--set {setting!r}: write NAME=VALUE, with one of {near}.")
        config = config | {name: _value(name, kinds[name], text)}
    return SftConfig(**config)


def _value(name: str, kind: Any, text: str) -> Any:
    if get_origin(kind) in (Union, Literal, types.UnionType):
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple:
        return tuple(part for part in text.split(",") if part)
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ConfigError(f"--set {name}={text}: {name} is true or false.")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError as error:
        raise ConfigError(f"--set {name}={text}: {name} is of type {kind.__name__}.") from error
