"""The small functions a layer is made of, each with its gradient written out where autograd's own costs more.

All work in the precision of what they are given; sums over a row are taken in float32 by PyTorch itself.

Shape suffixes: N tokens, D width, B sequences, T tokens, S tokens seen, H heads, E width of a head.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_SMALL = 1 << 16
"""Numbers below which a product goes PyTorch's own way: what oneDNN sets up takes longer."""


def _onednn() -> Any:
    """The product of float32 matrices by oneDNN, where this PyTorch has it.

    PyTorch leaves them to MKL, which keeps to AVX2 on processors that are not Intel's: 97 GFLOPS a core of an AMD EPYC,
    where oneDNN makes 240 with AVX-512. Products in half precision go to oneDNN anyway.
    """
    if not torch.backends.mkldnn.is_available():
        return None
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


_ONEDNN = _onednn()


def _times(a: Tensor, b: Tensor) -> Tensor:
    """``a`` [n, k] times ``b`` [m, k] transposed."""
    if _ONEDNN is None or a.dtype != torch.float32 or a.device.type != "cpu" or a.numel() < _SMALL:
        return a @ b.t()
    out: Tensor = _ONEDNN(a, b, None, "none", [], "")
    return out


def _to_weight(grad: Tensor, x: Tensor) -> Tensor:
    """The gradient [out, in] of a weight, from those of its products [n, out] and what it was multiplied with."""
    if grad.dtype != torch.float32 or grad.shape[1] < x.shape[1]:
        return _times(grad.t(), x.t())
    return _times(x.t(), grad.t()).t()  # oneDNN is the faster the fewer its rows are


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _times(x, weight)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        grad = grads[0].contiguous()
        to_x = _times(grad, weight.t()) if ctx.needs_input_grad[0] else None
        return to_x, _to_weight(grad, x) if ctx.needs_input_grad[1] else None


class _Mlp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, up: Tensor, down: Tensor) -> Tensor:
        positive = _times(x, up).relu_()
        squared = positive.square()
        ctx.save_for_backward(x, up, down, positive, squared)
        return _times(squared, down)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, up, down, positive, squared = ctx.saved_tensors
        grad = grads[0].contiguous()
        to_inner = _times(grad, (2.0 * down).t()).mul_(positive)
        return _times(to_inner, up.t()), _to_weight(to_inner, x), _to_weight(grad, squared)


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> Tensor:
        scale = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(eps).rsqrt_()
        y: Tensor = x * scale
        ctx.save_for_backward(y, scale)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,) = grads
        y, scale = ctx.saved_tensors
        along = (grad * y).mean(-1, keepdim=True)
        return torch.addcmul(grad, y, along, value=-1).mul_(scale), None


class _ReluSquared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        positive = x.relu()
        ctx.save_for_backward(positive)
        return positive.square()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (positive,) = ctx.saved_tensors
        return torch.mul(grads[0], positive).mul_(2.0)


class _Rotate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, qkv: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _turned(qkv, cos, sin, 1.0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return _turned(grads[0], cos, sin, -1.0), None, None


def _turned(qkv: Tensor, cos: Tensor, sin: Tensor, way: float) -> Tensor:
    out = torch.empty_like(qkv, memory_format=torch.contiguous_format)
    out[:, 2:] = qkv[:, 2:]
    torch.mul(qkv[:, :2], cos, out=out[:, :2])
    out[:, :2].addcmul_(qkv[:, :2].roll(qkv.shape[-1] // 2, -1), sin, value=way)
    return out


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
        scaled = q * q.shape[-1] ** -0.5
        weights = (scaled @ k.transpose(2, 3)).add_(bias).softmax(-1)
        read: Tensor = weights @ v
        ctx.save_for_backward(scaled, k, v, weights, read)
        return read

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        scaled, k, v, weights, read = ctx.saved_tensors
        (grad,) = grads
        to_v = weights.transpose(2, 3) @ grad
        mean = (grad * read).sum(-1, keepdim=True)
        to_scores = (grad @ v.transpose(2, 3)).sub_(mean).mul_(weights)
        to_q = (to_scores @ k).mul_(scaled.shape[-1] ** -0.5)
        return to_q, to_scores.transpose(2, 3) @ scaled, to_v, None


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x`` [..., in] times ``weight`` [out, in] transposed, plus ``bias``."""
    if x.dtype != torch.float32 or x.device.type != "cpu" or x.numel() < _SMALL or torch.is_autocast_enabled("cpu"):
        return functional.linear(x, weight, bias)
    out: Tensor = _Linear.apply(x.reshape(-1, x.shape[-1]), weight)  # type: ignore[no-untyped-call]
    out = out.view(*x.shape[:-1], len(weight))
    return out if bias is None else out + bias


def mlp(x_ND: Tensor, up: Tensor, down: Tensor) -> Tensor:
    """down(relu(up(x))^2), without biases: [N, D]."""
    dtype = precision(x_ND)
    with torch.autocast(x_ND.device.type, enabled=False):
        out: Tensor = _Mlp.apply(x_ND.to(dtype), up.to(dtype), down.to(dtype))  # type: ignore[no-untyped-call]
    return out


def precision(x: Tensor) -> torch.dtype:
    """That of products with ``x``."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


class Linear(nn.Linear):
    """PyTorch's, by :func:`linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """[..., out]."""
        return linear(x, self.weight, self.bias)


def rms_norm(x: Tensor, eps: float) -> Tensor:
    """Each vector divided by its root mean square; no weights."""
    y: Tensor = _RmsNorm.apply(x, eps)  # type: ignore[no-untyped-call]
    return y


def relu_squared(x: Tensor) -> Tensor:
    """The square of what is positive."""
    y: Tensor = _ReluSquared.apply(x)  # type: ignore[no-untyped-call]
    return y


def rotate(qkv_N3HE: Tensor, cos_N1HE: Tensor, sin_N1HE: Tensor) -> Tensor:
    """Queries and keys turned by their positions, values as they are (arXiv 2104.09864, halves as in Llama).

    The first half of ``sin_N1HE`` is negative: element i < E / 2 becomes x_i cos - x_(i + E/2) sin.
    """
    out: Tensor = _Rotate.apply(qkv_N3HE, cos_N1HE, sin_N1HE)  # type: ignore[no-untyped-call]
    return out


def attend(q_BHTE: Tensor, k_BHSE: Tensor, v_BHSE: Tensor, bias_BTS: Tensor) -> Tensor:
    """What queries read: [B, H, T, E]. ``bias_BTS`` [B, 1, T or 1, S] is 0 where a token may look, else -inf.

    In half precision on a CPU it is multiplied out, because PyTorch's fused kernel is three times slower backward there
    (2.13, 64 rows of 96 tokens over 157: 65 ms against 22).
    """
    if q_BHTE.device.type != "cpu" or q_BHTE.dtype == torch.float32:
        return functional.scaled_dot_product_attention(q_BHTE, k_BHSE, v_BHSE, bias_BTS)
    with torch.autocast("cpu", enabled=False):
        read: Tensor = _Attend.apply(q_BHTE, k_BHSE, v_BHSE, bias_BTS)  # type: ignore[no-untyped-call]
    return read
