"""The model: scene encoder, backbone and heads, and what it is trained to minimise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from waytrace.microgpt.config import GPTConfig
from waytrace.microgpt.parameters import Array, Parameters, config_of, head_shapes, initial, scene_shapes, started
from waytrace.microgpt.tokens import FEATURES
from waytrace.scenario import WaytraceError
from waytrace.trace import SLOTS

from .backbone import Backbone, Cache, MicroGPT
from .branches import NOWHERE
from .encoder import SceneEncoder
from .heads import Heads
from .huggingface import HuggingFace, HuggingFaceConfig
from .layout import Packed
from .lora import Lora, adapt, plain_state
from .losses import BRANCHES, Figures, Weights, closed_loss, decisive, plan_loss, pointer_loss
from .unicycle import bounded, integrate


class Inputs(NamedTuple):
    """:class:`Packed` as tensors on a device."""

    features: Mapping[str, Tensor]
    scene_order: Tensor
    scene_real: Tensor
    scene_valid: Tensor
    pointable: Tensor
    real: Tensor
    row: Tensor
    slot: Tensor
    position: Tensor
    pointed: Tensor
    mask: Tensor
    closed_at: Tensor
    closed_slot: Tensor
    closed_value: Tensor
    pointer_at: Tensor
    pointer_slot: Tensor
    pointer_value: Tensor
    query_at: Tensor
    query_branch: Tensor
    moves: Tensor
    start: Tensor
    accel: Tensor
    curvature: Tensor
    left_out: int

    @classmethod
    def of(cls, packed: Packed, device: torch.device) -> Inputs:
        """The same numbers; on the CPU the same memory."""
        return cls(**{name: _tensor(value, device) for name, value in packed._asdict().items()})


class Answers(NamedTuple):
    """What the heads say to everything that a packed batch asks."""

    closed: Tensor
    """[C, V] logits of slots of closed sets, over all values."""
    pointers: Tensor
    """[B, P, 2 + S] logits of pointers, over nothing, end and the scene's tokens."""
    controls: Tensor
    """[Q, 16, 2] raw controls of each branch's plan."""


def _tensor(value: Any, device: torch.device) -> Any:
    if isinstance(value, Mapping):
        return {key: _tensor(inner, device) for key, inner in value.items()}
    return torch.from_numpy(value).to(device) if isinstance(value, np.ndarray) else value


class Waytrace(nn.Module):
    """A planner's weights. ``loss`` is all that training needs; what drives runs without torch (``microgpt``)."""

    def __init__(
        self, config: GPTConfig | HuggingFaceConfig, seed: int = 0, backbone: HuggingFace | None = None
    ) -> None:  # fmt: skip
        """Around a micro GPT that is made here, or a Hugging Face model, whose ``config`` is the backbone's."""
        super().__init__()
        self.config = config
        self.lora: Lora | None = None
        with torch.device("meta"):  # torch's own start would draw from its generator, to no end
            self.scene = SceneEncoder(config.width, FEATURES)
            self.backbone: MicroGPT | HuggingFace | None = None
            if isinstance(config, GPTConfig):
                self.backbone = MicroGPT(config)
            self.head = Heads(config.width)
        self.to_empty(device="cpu")
        if isinstance(config, GPTConfig):
            self.set(initial(config, seed))
            return
        wanted = scene_shapes(config.width) | head_shapes(config.width)
        begun = {name: torch.from_numpy(value) for name, value in started(wanted, seed).items()}
        self.load_state_dict(begun)
        self.backbone = backbone

    @classmethod
    def over(cls, backbone: HuggingFace, seed: int = 0) -> Waytrace:
        """A planner over a Hugging Face model: its scene encoder and heads are new."""
        return cls(backbone.config, seed, backbone)

    def set(self, parameters: Parameters) -> None:
        """Take over weights by name. Raises :class:`WaytraceError` where one is missing, more, or of another shape."""
        depth = config_of(parameters).depth
        own = f"depth {self.config.depth}" if isinstance(self.config, GPTConfig) else self.config.architecture
        if own != f"depth {depth}":
            raise WaytraceError(f"parameters of depth {depth} do not fit {own}")
        self.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in parameters.items()})

    def adapt(self, lora: Lora, seed: int = 0) -> None:
        """Freeze the backbone and put adapters over it. Raises :class:`WaytraceError` if it has some.

        Over a micro GPT all but the heads is frozen; over a Hugging Face model the scene encoder is new and is trained.
        """
        if isinstance(self.backbone, HuggingFace):
            self.backbone.adapt(lora, seed)
        else:
            adapt(self, lora, seed)
        self.lora = lora

    def recompute(self) -> None:
        """Keep no activations of the backbone's layers, compute them again in the backward pass: once, for good."""
        assert self.backbone is not None
        self.backbone.recompute()

    def parameters_numpy(self) -> dict[str, Array]:
        """The weights by name, float32, adapters merged in, as the NumPy form takes them.

        Of a Hugging Face backbone those of the scene encoder and of the heads alone.
        """
        state = plain_state(self, merged=True)
        if not isinstance(self.config, GPTConfig):
            state = {name: value for name, value in state.items() if not name.startswith("backbone.")}
        return {name: value.detach().float().cpu().numpy().copy() for name, value in state.items()}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.head.trace.begin.device

    def prefix(self, inputs: Inputs) -> tuple[Tensor, Cache]:
        """Hidden states [B, S, D] of the scenes' tokens, and the cache that every branch goes on from."""
        tokens = self.scene(inputs.features)[inputs.scene_order]
        B, S = inputs.scene_valid.shape
        x_BSD = tokens.new_zeros((B * S, tokens.shape[1])).index_copy(0, inputs.scene_real, tokens).view(B, S, -1)
        mask = inputs.scene_valid[:, None] | ~inputs.scene_valid.any(1)[:, None, None]
        hidden, cache = cast(Backbone, self.backbone)(x_BSD, None, None, mask, inputs.scene_real)
        assert cache is not None
        return hidden, cache

    def rows(self, inputs: Inputs, scene_BSD: Tensor, cache: Cache) -> Tensor:
        """Hidden states [N, D] of all real tokens of the rows."""
        trace = self.head.trace
        pointed = trace.point(scene_BSD.flatten(0, 1)[inputs.pointed])
        table = torch.cat([
            trace.value_embedding.weight, trace.nowhere, trace.begin[None], self.head.control.inputs(), pointed
        ])  # fmt: skip
        slots = torch.cat([trace.slot_embedding.weight, torch.zeros_like(trace.begin)[None]])
        tokens = table[inputs.row] + slots[inputs.slot]
        B, T = inputs.position.shape
        x_BTD = tokens.new_zeros((B * T, tokens.shape[1])).index_copy(0, inputs.real, tokens).view(B, T, -1)
        hidden, _ = cast(Backbone, self.backbone)(x_BTD, cache, inputs.position, inputs.mask, inputs.real, keep=False)
        return hidden.flatten(0, 1)[inputs.real]

    def answers(self, inputs: Inputs) -> Answers:
        """One pass over scenes and rows, and the heads on what it gives."""
        scene_BSD, cache = self.prefix(inputs)
        hidden_ND = self.rows(inputs, scene_BSD, cache)
        return Answers(
            self.head.trace.closed(hidden_ND[inputs.closed_at]),
            self.head.trace.pointers(hidden_ND[inputs.pointer_at], scene_BSD),
            self.head.control(hidden_ND[inputs.query_at], inputs.moves),
        )

    def loss(self, packed: Packed, weights: Weights | None = None) -> tuple[Tensor, Figures]:
        """The loss of a packed batch, and its figures.

        May be called under ``torch.autocast``: softmax, plans and losses are float32.
        """
        weights = weights or Weights()
        inputs = Inputs.of(packed, self.device)
        logits, pointers, out = self.answers(inputs)
        with torch.autocast(self.device.type, enabled=False):
            trace, slots = self._trace(inputs, logits, pointers, weights)
            control, plans = self._control(inputs, out.float(), weights)
            loss = weights.trace * trace + weights.control * control
            sums = torch.stack([loss, trace, control, torch.ones_like(loss)]).detach()
        return loss, Figures(slots, plans, sums, inputs.left_out)

    def _trace(
        self, inputs: Inputs, logits: Tensor, pointers: Tensor, weights: Weights
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Mean cross-entropy of all slots that are asked, decisions counting more, and the sums of each slot."""
        closed, right = closed_loss(logits, inputs.closed_slot, inputs.closed_value)
        allowed = nn.functional.pad(inputs.pointable, (NOWHERE, 0), value=True)
        pointer, pointed = pointer_loss(pointers, allowed, inputs.pointer_value)
        asked = inputs.pointer_value >= 0
        count = len(closed) + int(asked.sum())
        figures = torch.zeros(len(SLOTS), 3, device=closed.device)
        figures.index_add_(0, inputs.closed_slot, _columns(closed, right))
        figures.index_add_(0, inputs.pointer_slot[asked], _columns(pointer[asked], pointed[asked]))
        counted = (closed * decisive(inputs.closed_slot, weights)).sum() + pointer.sum()
        return counted / max(count, 1), figures

    def _control(self, inputs: Inputs, out: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
        """Mean error of all plans, and the sums of each kind of branch."""
        controls = bounded(out, inputs.start[:, 3])
        waypoints = integrate(inputs.start, *controls)
        target = integrate(inputs.start, inputs.accel, inputs.curvature)
        loss = plan_loss(waypoints, target, controls, (inputs.accel, inputs.curvature), weights)
        apart = (waypoints - target)[..., :2].detach().norm(dim=-1)
        figures = torch.zeros(len(BRANCHES), 3, device=out.device)
        figures.index_add_(0, inputs.query_branch, _columns(apart.mean(1), apart[:, -1]))
        return loss, figures


def _columns(first: Tensor, second: Tensor) -> Tensor:
    """[N, 3] two columns of figures, and ones to count by."""
    return torch.stack([first.detach(), second.to(first.dtype), torch.ones_like(first)], 1)
