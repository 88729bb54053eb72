"""What ``planning.py`` compares with: the same weights in ONNX Runtime, and a Llama of the same size in Hugging Face.

ONNX Runtime gets one thread and its own fused operators: norm with the residual's sum, rotation, attention over a cache
that stays in place. The Llama has as many layers and heads and the same widths; its MLP has a gate, so it has more
parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from waytrace.microgpt import Compiled, GPTConfig, SceneTokens
from waytrace.microgpt.config import HEAD_WIDTH
from waytrace.microgpt.forward import Cache, embed_scene
from waytrace.microgpt.heads import slot_logits
from waytrace.microgpt.parameters import Parameters
from waytrace.microgpt.sampling import GREEDY, choose
from waytrace.microgpt.vocabulary import SLOT_AT, VALUES

MS = "com.microsoft"
CAPACITY, POSITIONS = 512, 256


def graph(parameters: Parameters, config: GPTConfig, *, step: bool) -> bytes:
    """The layers as a model: ``x`` [1, T, D] with the cache in, ``hidden`` and the cache out.

    With ``step`` one token with attention over a cache that stays where it is; else a block that sees all of itself.
    """
    nodes, constants = [], []
    d, heads = config.width, config.heads

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(op: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes: Any) -> str:
        nodes.append(helper.make_node(op, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    half = HEAD_WIDTH // 2
    angle = np.arange(POSITIONS)[:, None] * config.rotary_base ** (-np.arange(half) / half)
    constant("cos", np.cos(angle).astype(np.float32))
    constant("sin", np.sin(angle).astype(np.float32))
    constant("ones", np.ones(d, np.float32))
    constant("thirds", np.array([d, d, d], np.int64))
    constant("split", np.array([1, -1, heads, HEAD_WIDTH], np.int64))
    constant("joined", np.array([1, -1, d], np.int64))
    constant("scale", np.array(HEAD_WIDTH**-0.5, np.float32))
    normed = node("SimplifiedLayerNormalization", ["x", "ones"], ["n0"], epsilon=config.norm_eps, axis=-1)
    x, outputs, inputs = "x", [], []
    for i in range(config.depth):
        w = {
            name: parameters[f"backbone.layers.{i}.{name}.weight"].T
            for name in ("attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.o_proj", "mlp.up_proj", "mlp.down_proj")
        }
        qkv = np.concatenate([w["attn.q_proj"], w["attn.k_proj"], w["attn.v_proj"]], 1)
        node("MatMul", [normed, constant(f"wqkv{i}", qkv)], [f"qkv{i}"])
        node("Split", [f"qkv{i}", "thirds"], [f"q{i}", f"k{i}", f"v{i}"], axis=-1)
        for name in "qk":
            node(
                "RotaryEmbedding",
                [f"{name}{i}", "position", "cos", "sin"],
                [f"{name}r{i}"],
                MS,
                num_heads=heads,
                interleaved=0,
                rotary_embedding_dim=0,
            )
        shape = [1, heads, "capacity", HEAD_WIDTH]
        if step:
            inputs += [helper.make_tensor_value_info(f"past_{n}{i}", TensorProto.FLOAT, shape) for n in "kv"]
            outputs += [helper.make_tensor_value_info(f"next_{n}{i}", TensorProto.FLOAT, shape) for n in "kv"]
            node(
                "GroupQueryAttention",
                [f"qr{i}", f"kr{i}", f"v{i}", f"past_k{i}", f"past_v{i}", "last", "total"],
                [f"read{i}", f"next_k{i}", f"next_v{i}"],
                MS,
                num_heads=heads,
                kv_num_heads=heads,
                do_rotary=0,
            )
        else:
            shape = [1, heads, "past", HEAD_WIDTH]
            inputs += [helper.make_tensor_value_info(f"past_{n}{i}", TensorProto.FLOAT, shape) for n in "kv"]
            outputs += [
                helper.make_tensor_value_info(f"next_{n}{i}", TensorProto.FLOAT, [1, heads, "all", HEAD_WIDTH])
                for n in "kv"
            ]
            for name in ("qr", "kr", "v"):
                node("Reshape", [f"{name}{i}", "split"], [f"{name}s{i}"])
                node("Transpose", [f"{name}s{i}"], [f"{name}h{i}"], perm=[0, 2, 1, 3])
            node("Concat", [f"past_k{i}", f"krh{i}"], [f"next_k{i}"], axis=2)
            node("Concat", [f"past_v{i}", f"vh{i}"], [f"next_v{i}"], axis=2)
            node("Transpose", [f"next_k{i}"], [f"kt{i}"], perm=[0, 1, 3, 2])
            node("MatMul", [f"qrh{i}", f"kt{i}"], [f"score{i}"])
            node("Mul", [f"score{i}", "scale"], [f"scaled{i}"])
            node("Softmax", [f"scaled{i}"], [f"weight{i}"], axis=-1)
            node("MatMul", [f"weight{i}", f"next_v{i}"], [f"readh{i}"])
            node("Transpose", [f"readh{i}"], [f"reads{i}"], perm=[0, 2, 1, 3])
            node("Reshape", [f"reads{i}", "joined"], [f"read{i}"])
        node("MatMul", [f"read{i}", constant(f"wo{i}", w["attn.o_proj"])], [f"attended{i}"])
        node(
            "SkipSimplifiedLayerNormalization",
            [x, f"attended{i}", "ones"],
            [f"m{i}", "", "", f"middle{i}"],
            MS,
            epsilon=config.norm_eps,
        )
        node("MatMul", [f"m{i}", constant(f"wup{i}", w["mlp.up_proj"])], [f"up{i}"])
        node("Relu", [f"up{i}"], [f"relu{i}"])
        node("Mul", [f"relu{i}", f"relu{i}"], [f"squared{i}"])
        node("MatMul", [f"squared{i}", constant(f"wdown{i}", w["mlp.down_proj"])], [f"down{i}"])
        normed, x = f"n{i + 1}", f"x{i + 1}"
        node(
            "SkipSimplifiedLayerNormalization",
            [f"middle{i}", f"down{i}", "ones"],
            [normed, "", "", x],
            MS,
            epsilon=config.norm_eps,
        )
    node("Identity", [normed], ["hidden"])
    tokens = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "new", d]),
        helper.make_tensor_value_info("position", TensorProto.INT64, [1, "new"]),
    ]
    if step:
        tokens += [
            helper.make_tensor_value_info("last", TensorProto.INT32, [1]),
            helper.make_tensor_value_info("total", TensorProto.INT32, [1]),
        ]
    hidden = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [1, "new", d])
    made = helper.make_graph(nodes, "microgpt", tokens + inputs, [hidden, *outputs], constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MS, 1)]
    data: bytes = helper.make_model(made, opset_imports=opsets, ir_version=8).SerializeToString()
    return data


class Onnx(Compiled):
    """The model with its layers in ONNX Runtime; embeddings and heads as in the package's own form."""

    def __init__(self, parameters: Parameters, config: GPTConfig) -> None:
        super().__init__(parameters, config)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        provider = ["CPUExecutionProvider"]
        self.block = onnxruntime.InferenceSession(graph(parameters, config, step=False), options, provider)
        self.single = onnxruntime.InferenceSession(graph(parameters, config, step=True), options, provider)
        self.names = [f"{n}{i}" for i in range(config.depth) for n in "kv"]
        shape = (1, config.heads, CAPACITY, HEAD_WIDTH)
        self.kept = {name: np.zeros(shape, np.float32) for name in self.names}
        self.x, self.at = np.zeros((1, 1, config.width), np.float32), np.zeros((1, 1), np.int64)
        self.last, self.total = np.zeros(1, np.int32), np.zeros(1, np.int32)
        self.hidden = np.zeros((1, 1, config.width), np.float32)
        self.bound = self.single.io_binding()

        def value(array: np.ndarray) -> Any:
            return onnxruntime.OrtValue.ortvalue_from_numpy(array)

        self.values = {
            name: value(array)
            for name, array in {
                "x": self.x,
                "position": self.at,
                "last": self.last,
                "total": self.total,
                "hidden": self.hidden,
            }.items()
        }
        self.caches = {name: value(array) for name, array in self.kept.items()}
        for name in ("x", "position", "last", "total"):
            self.bound.bind_ortvalue_input(name, self.values[name])
        self.bound.bind_ortvalue_output("hidden", self.values["hidden"])
        for name in self.names:
            self.bound.bind_ortvalue_input(f"past_{name}", self.caches[name])
            self.bound.bind_ortvalue_output(f"next_{name}", self.caches[name])

    def prefill(self, tokens: SceneTokens, b: int, capacity: int) -> tuple[np.ndarray, Cache]:
        x = embed_scene(self.parameters, tokens, b)
        cache = Cache(np.zeros((1, 1, 1, len(x) + capacity)), np.zeros((1, 1, len(x) + capacity, 1)))
        return self.extend(x, np.zeros(len(x), np.int64), cache, mutual=len(x)), cache

    def ask(self, told: np.ndarray, slot: Any, legal: Any, pointing: Any, at: int, cache: Cache) -> Any:
        x = told + self.parameters["head.trace.slot_embedding.weight"][SLOT_AT[slot.name]]
        logits = slot_logits(self.parameters, self.extend(x[None], np.array([at + 1]), cache)[0], slot, pointing)
        return logits, choose(logits, legal, GREEDY)

    def extend(self, x: np.ndarray, position: np.ndarray, cache: Cache, *, mutual: int = 0) -> np.ndarray:
        first = cache.length
        if mutual == 0 and len(x) == 1:
            cache.length += 1
            self.values["x"].update_inplace(x[None].astype(np.float32))
            self.values["position"].update_inplace(np.array([position], np.int64))
            self.values["last"].update_inplace(np.array([first], np.int32))
            self.values["total"].update_inplace(np.array([first + 1], np.int32))
            self.single.run_with_iobinding(self.bound)
            return self.values["hidden"].numpy()[0].copy()
        if mutual < len(x):  # the closing token goes alone: it must not see the queries
            head = self.extend(x[:1], position[:1], cache)
            return np.concatenate([head, self.extend(x[1:], position[1:], cache, mutual=mutual)])
        kept = {name: value.numpy() for name, value in self.caches.items()}
        feed = {f"past_{name}": kept[name][:, :, :first] for name in self.names}
        hidden, *after = self.block.run(None, {"x": x[None], "position": position[None].astype(np.int64), **feed})
        cache.length += len(x)
        for name, value in zip(self.names, after, strict=True):
            kept[name][:, :, first : cache.length] = value[:, :, first:]
        return hidden[0]


def llama(config: GPTConfig) -> Callable[[int, int], object]:
    """``generate(prompt, new)``: greedy decoding by a Llama of this width and depth, one thread, with its cache."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=VALUES, hidden_size=config.width, intermediate_size=config.hidden,
        num_hidden_layers=config.depth, num_attention_heads=config.heads, num_key_value_heads=config.heads,
        max_position_embeddings=1024, bos_token_id=None, eos_token_id=None, pad_token_id=0,
    )  # fmt: skip
    model = LlamaForCausalLM(shape).eval()

    def generate(prompt: int, new: int) -> object:
        ids = torch.arange(prompt)[None] % VALUES
        with torch.inference_mode():
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new, do_sample=False
            )
        if out.shape[1] != prompt + new:
            raise RuntimeError(f"asked for {new} tokens, got {out.shape[1] - prompt}")
        return out

    return generate
