"""A checkpoint as ONNX: scene encoder, backbone and heads in standard operators, for runtimes that are not ours.

Three files, so that a session can be run from outside: ``scene.onnx`` turns each kind's features into embeddings,
``backbone.onnx`` is ``forward.extend`` with its cache as inputs and outputs, ``heads.onnx`` answers. With ``int8`` the
backbone's weights are quantised by ONNX Runtime.

Legend as in :mod:`.forward`: T new tokens, P cached, S = P + T, L layers, H heads, E = 32, D width.
"""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Observation
from waytrace.scenario import WaytraceError
from waytrace.trace.slots import Slot

from .config import HEAD_WIDTH, GPTConfig
from .forward import Cache, visible
from .heads import Pointing, slot_logits
from .parameters import Parameters
from .planner import Learned
from .prefix import Model
from .sampling import GREEDY, Chosen, choose
from .tokens import FEATURES, PLACES, SceneTokens
from .vocabulary import SLOT_AT

Array = NDArray[Any]

SCENE, BACKBONE, HEADS = "scene.onnx", "backbone.onnx", "heads.onnx"
OPSET = 17
HEAD_MAPS = {
    "logits": "head.trace.output", "query": "head.trace.query", "key": "head.trace.key", "point": "head.trace.point",
    "controls": "head.control.out", "follow": "head.control.follow",
}  # fmt: skip
"""Outputs of ``heads.onnx``, and whose linear map each is."""


class _Graph:
    """A graph that is being written."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: Array) -> str:
        self.constants.append(self._onnx.numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(self._onnx.helper.make_node(op, inputs, [output], **attributes))
        return output

    def linear(self, x: str, parameters: Parameters, name: str, output: str) -> str:
        weight = self.constant(f"{name}.weight", parameters[f"{name}.weight"].T.astype(np.float32))
        bias = parameters.get(f"{name}.bias")
        if bias is None:
            return self.node("MatMul", [x, weight], output)
        product = self.node("MatMul", [x, weight], f"{output}.product")
        return self.node("Add", [product, self.constant(f"{name}.bias", bias.astype(np.float32))], output)

    def squared(self, x: str, output: str) -> str:
        positive = self.node("Relu", [x], f"{output}.positive")
        return self.node("Mul", [positive, positive], output)

    def bytes(self, name: str, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]], integer: str = "",
              boolean: str = "") -> bytes:  # fmt: skip
        helper, kinds = self._onnx.helper, self._onnx.TensorProto

        def info(name: str, shape: list[Any]) -> Any:
            kind = kinds.INT64 if name == integer else kinds.BOOL if name == boolean else kinds.FLOAT
            return helper.make_tensor_value_info(name, kind, shape)

        graph = helper.make_graph(
            self.nodes, name, [info(k, v) for k, v in inputs.items()], [info(k, v) for k, v in outputs.items()],
            self.constants,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        self._onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data


def scene_graph(parameters: Parameters, config: GPTConfig) -> bytes:
    """Features [n, F] of each kind to embeddings [N, D], kind after kind. A kind without elements has n = 0."""
    g = _Graph(_onnx())
    parts = []
    for kind in FEATURES:
        up = g.linear(kind, parameters, f"scene.{kind}.up", f"{kind}.up")
        parts.append(g.linear(g.squared(up, f"{kind}.squared"), parameters, f"scene.{kind}.down", f"{kind}.down"))
    g.node("Concat", parts, "embeddings", axis=0)
    inputs = {kind: [f"{kind}s", columns] for kind, columns in FEATURES.items()}
    return g.bytes("scene", inputs, {"embeddings": ["tokens", config.width]})


def heads_graph(parameters: Parameters, config: GPTConfig) -> bytes:
    """Hidden states [T, D] to what every linear map of the heads makes of them."""
    g = _Graph(_onnx())
    outputs = {}
    for output, name in HEAD_MAPS.items():
        g.linear("hidden", parameters, name, output)
        outputs[output] = ["T", len(parameters[f"{name}.weight"])]
    return g.bytes("heads", {"hidden": ["T", config.width]}, outputs)


def backbone_graph(parameters: Parameters, config: GPTConfig) -> bytes:
    """``forward.extend``: embeddings, positions, who sees whom, and the cache; hidden states and the cache after."""
    g = _Graph(_onnx())
    d, half = config.width, HEAD_WIDTH // 2
    wave = float(config.rotary_base) ** (-np.arange(half) / half)
    g.constant("wave", wave.astype(np.float32)[None])
    g.constant("column", np.array([-1, 1], np.int64))
    g.constant("by_head", np.array([-1, config.heads, HEAD_WIDTH], np.int64))
    g.constant("flat", np.array([-1, d], np.int64))
    g.constant("scale", np.array(HEAD_WIDTH**-0.5, np.float32))
    g.constant("eps", np.array(config.norm_eps, np.float32))
    g.constant("nothing", np.array(0.0, np.float32))
    g.constant("never", np.array(np.finfo(np.float32).min, np.float32))
    g.constant("halves", np.array([half, half], np.int64))
    g.constant("first", np.array([0], np.int64))
    position = g.node("Cast", ["position"], "position.float", to=1)
    column = g.node("Reshape", [position, "column"], "position.column")
    angle = g.node("Mul", [column, "wave"], "angle")
    # [T, 1, E / 2]: the same turn for every head
    g.constant("axis", np.array([1], np.int64))
    for name, op in (("cos", "Cos"), ("sin", "Sin")):
        g.node("Unsqueeze", [g.node(op, [angle], f"{name}.flat"), "axis"], name)
    hides = g.node("Where", ["sees", "nothing", "never"], "hides")

    def normed(x: str, output: str) -> str:
        square = g.node("Mul", [x, x], f"{output}.square")
        mean = g.node("ReduceMean", [square], f"{output}.mean", axes=[-1], keepdims=1)
        root = g.node("Sqrt", [g.node("Add", [mean, "eps"], f"{output}.sum")], f"{output}.root")
        return g.node("Div", [x, root], output)

    def by_head(x: str, output: str, *, turned: bool) -> str:
        split = g.node("Reshape", [x, "by_head"], f"{output}.split")
        if turned:
            g.nodes.append(_onnx().helper.make_node(
                "Split", [split, "halves"], [f"{output}.a", f"{output}.b"], axis=-1
            ))  # fmt: skip
            parts = []
            for k, (own, other, op) in enumerate((("a", "b", "Sub"), ("b", "a", "Add"))):
                kept = g.node("Mul", [f"{output}.{own}", "cos"], f"{output}.kept{k}")
                crossed = g.node("Mul", [f"{output}.{other}", "sin"], f"{output}.crossed{k}")
                parts.append(g.node(op, [kept, crossed], f"{output}.part{k}"))
            split = g.node("Concat", parts, f"{output}.turned", axis=-1)
        return g.node("Transpose", [split], output, perm=[1, 0, 2])  # [H, T, E]

    x = "x"
    kept_keys: list[str] = []
    kept_values: list[str] = []
    for i in range(config.depth):
        at = f"backbone.layers.{i}"
        a = normed(x, f"{i}.a")
        query = by_head(g.linear(a, parameters, f"{at}.attn.q_proj", f"{i}.q"), f"{i}.query", turned=True)
        key = by_head(g.linear(a, parameters, f"{at}.attn.k_proj", f"{i}.k"), f"{i}.key", turned=True)
        value = by_head(g.linear(a, parameters, f"{at}.attn.v_proj", f"{i}.v"), f"{i}.value", turned=False)
        index = g.constant(f"{i}.index", np.array(i, np.int64))
        all_of = {}
        for name, new in (("keys", key), ("values", value)):
            before = g.node("Gather", [f"past_{name}", index], f"{i}.past_{name}", axis=0)
            all_of[name] = g.node("Concat", [before, new], f"{i}.{name}", axis=1)
        kept_keys.append(g.node("Unsqueeze", [all_of["keys"], "first"], f"{i}.kept_keys"))
        kept_values.append(g.node("Unsqueeze", [all_of["values"], "first"], f"{i}.kept_values"))
        across = g.node("Transpose", [all_of["keys"]], f"{i}.across", perm=[0, 2, 1])
        scores = g.node("Mul", [g.node("MatMul", [query, across], f"{i}.products"), "scale"], f"{i}.scores")
        weights = g.node("Softmax", [g.node("Add", [scores, hides], f"{i}.seen")], f"{i}.weights", axis=-1)
        read = g.node("MatMul", [weights, all_of["values"]], f"{i}.read")
        joined = g.node("Reshape", [g.node("Transpose", [read], f"{i}.back", perm=[1, 0, 2]), "flat"], f"{i}.joined")
        middle = g.node("Add", [x, g.linear(joined, parameters, f"{at}.attn.o_proj", f"{i}.o")], f"{i}.middle")
        up = g.linear(normed(middle, f"{i}.b"), parameters, f"{at}.mlp.up_proj", f"{i}.up")
        down = g.linear(g.squared(up, f"{i}.inner"), parameters, f"{at}.mlp.down_proj", f"{i}.down")
        x = g.node("Add", [middle, down], f"{i}.after")
    g.node("Identity", [normed(x, "final")], "hidden")
    g.node("Concat", kept_keys, "keys", axis=0)
    g.node("Concat", kept_values, "values", axis=0)
    past: list[Any] = [config.depth, config.heads, "P", HEAD_WIDTH]
    after: list[Any] = [config.depth, config.heads, "S", HEAD_WIDTH]
    inputs: dict[str, list[Any]] = {
        "x": ["T", d],
        "position": ["T"],
        "sees": ["T", "S"],
        "past_keys": past,
        "past_values": past,
    }
    outputs: dict[str, list[Any]] = {"hidden": ["T", d], "keys": after, "values": after}
    return g.bytes("backbone", inputs, outputs, integer="position", boolean="sees")


def export_onnx(parameters: Parameters, config: GPTConfig, out: Path, *, int8: bool = False) -> None:
    """Write the three files into a new folder.

    Raises :class:`WaytraceError` where ``onnx`` (or, for int8, ``onnxruntime``) is not installed or ``out`` exists.
    """
    if out.exists():
        raise WaytraceError(f"{out} exists already. Choose another place, or remove it.")
    graphs = {
        SCENE: scene_graph(parameters, config), BACKBONE: backbone_graph(parameters, config),
        HEADS: heads_graph(parameters, config),
    }  # fmt: skip
    out.mkdir(parents=True)
    for name, data in graphs.items():
        (out / name).write_bytes(data)
    if int8:
        quantization = _module("onnxruntime.quantization")
        whole = out / f"float-{BACKBONE}"
        (out / BACKBONE).rename(whole)
        logging.disable(logging.WARNING)  # it advises a step that changes nothing here
        try:
            quantization.quantize_dynamic(
                str(whole), str(out / BACKBONE), weight_type=quantization.QuantType.QInt8, per_channel=True
            )
        finally:
            logging.disable(logging.NOTSET)
        whole.unlink()


class OnnxModel:
    """An export that drives through a session, by ONNX Runtime, as ``Reference`` does: to see how equal it is.

    Tables of embeddings are the checkpoint's; everything that is multiplied is the export's.
    """

    def __init__(self, folder: Path, parameters: Parameters, config: GPTConfig) -> None:
        runtime = _module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.scene, self.backbone, self.heads = (
            runtime.InferenceSession(str(folder / name), options, ["CPUExecutionProvider"])
            for name in (SCENE, BACKBONE, HEADS)
        )
        self.parameters, self.config = parameters, config

    def prefill(self, tokens: SceneTokens, b: int, capacity: int) -> tuple[Array, Cache]:
        """As ``Reference.prefill``."""
        feed, at = {}, 0
        for kind in FEATURES:
            feed[kind] = getattr(tokens, kind)[b, tokens.valid[b, at : at + PLACES[kind]]].astype(np.float32)
            at += PLACES[kind]
        (x,) = self.scene.run(["embeddings"], feed)
        cache = Cache.empty(self.config, len(x) + capacity)
        return self.extend(x, np.zeros(len(x), np.int64), cache, mutual=len(x)), cache

    def extend(self, x: Array, position: Array, cache: Cache, *, mutual: int = 0) -> Array:
        """As ``forward.extend``."""
        first, last = cache.length, cache.length + len(x)
        hidden, keys, values = self.backbone.run(
            ["hidden", "keys", "values"],
            {
                "x": x.astype(np.float32), "position": position.astype(np.int64),
                "sees": visible(first, len(x), mutual),
                "past_keys": np.ascontiguousarray(cache.keys[..., :first].swapaxes(2, 3)),
                "past_values": np.ascontiguousarray(cache.values[:, :, :first]),
            },
        )  # fmt: skip
        cache.keys[..., first:last] = keys[:, :, first:].swapaxes(2, 3)
        cache.values[:, :, first:last] = values[:, :, first:]
        cache.length = last
        out: Array = hidden
        return out

    def ask(
        self, told: Array, slot: Slot, legal: NDArray[np.bool_], pointing: Pointing, at: int, cache: Cache
    ) -> tuple[Array, Chosen]:
        """As ``Reference.ask``."""
        x = told + self.parameters["head.trace.slot_embedding.weight"][SLOT_AT[slot.name]]
        hidden = self.extend(x[None], np.array([at + 1]), cache)[0]
        logits = slot_logits(self.parameters, hidden, slot, pointing)
        return logits, choose(logits, legal, GREEDY)


def agreement(model: Model, export: Model, observation: Observation) -> dict[str, Any]:
    """How alike two models write and plan, row by row: slots of the traces, and the largest distance of two plans."""
    planners = Learned(model), Learned(export)
    plans = [planner.plan(observation, None)[0] for planner in planners]
    same = slots = 0
    for one, other in zip(*(planner.thoughts for planner in planners), strict=True):
        pairs = [[(w.slot.name, w.number) for w in thought.written] for thought in (one, other)]
        same += sum(a == b for a, b in zip(*pairs, strict=False))
        slots += max(map(len, pairs))
    apart = np.linalg.norm(plans[0].waypoints[..., :2] - plans[1].waypoints[..., :2], axis=-1)
    return {"moments": len(observation), "slots": slots, "same_slots": same, "plans_m": float(apart.max())}


def _onnx() -> Any:
    return _module("onnx")


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise WaytraceError(
            f"This needs {name.split('.')[0]}, which is not installed: pip install 'waytrace[onnx]'."
        ) from error
